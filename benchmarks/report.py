"""Tables, targets and the machine they were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

console = Console(width=118)

IDLE_LOAD = 0.5  # load average per core above which figures are suspect


def make_table(title: str, *columns: str) -> Table:
    """A table whose first column is text and whose others are figures."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def verdict(value: float, target: float) -> str:
    """``value`` with whether it reaches ``target`` (lower is better)."""
    return f"{value:.2f} ({'reached' if value <= target else 'MISSED'}: at most {target:g})"


def print_machine() -> None:
    """Say what was measured on, and warn when other programs are using it."""
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in ("av", "numpy", "onnxruntime", "opencv-python"))
    console.print(f"{_processor()}, {cores} cores, Python {platform.python_version()}, {packages}", soft_wrap=True)
    if load > cores * IDLE_LOAD:
        console.print(
            f"[yellow]Other programs are busy here (load {load:.1f} on {cores} cores): trust ratios and minima, "
            "not milliseconds.[/yellow]",
            soft_wrap=True,
        )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
