"""Resident memory of the window over 20 minutes of the demo, with effects on and every page opened again and again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.media import Media
from benchmarks.processes import ROOT
from benchmarks.report import console, make_table, verdict
from benchmarks.startup import display

SECONDS = 1200.0
SETTLED = 120.0  # seconds after which growth counts: by then every page has been made
TARGET_MB = 20


def measure(media: Media, folder: Path) -> None:
    """Print the table."""
    if not (os.environ.get("DISPLAY") or shutil.which("Xvfb")):
        console.print("[yellow]window_memory: there is no display and no Xvfb (apt-get install xvfb).[/yellow]")
        return
    with display() as screen:
        command = [sys.executable, str(Path(__file__).with_name("worker_pages.py")), "demo", str(SECONDS)]
        environment = os.environ | {"DISPLAY": screen, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: list[tuple[float, float]] = json.loads(done.stdout.splitlines()[-1])
    table = make_table("Resident memory of the window, demo with effects, all pages in turn", "minute", "MB")
    for seconds, megabytes in figures[5::6]:
        table.add_row(f"{seconds / 60:.0f}", f"{megabytes:.1f}")
    console.print(table)
    settled = next(megabytes for seconds, megabytes in figures if seconds >= SETTLED)
    console.print(f"growth in MB after minute {SETTLED / 60:.0f}: {verdict(figures[-1][1] - settled, TARGET_MB)}")
