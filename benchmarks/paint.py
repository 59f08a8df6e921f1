"""What the window costs while a clip plays: composing and painting, the GUI thread's pauses, the analysis beside it.

The real window is opened with every overlay on. Pictures with their overlays are composed on a thread of their own and
painted on the GUI thread; the target is for what the GUI thread does. Painting and the rate have their targets for a
clip of 30 frames a second played at its own pace, the pauses theirs for the pipeline at full load.
"""

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

TARGETS = {"realtime": {"paint": 3.0, "slower": 10.0}, "fastest": {"block": 30.0}}
"""What is to be reached at each pace; what has no target there is printed alone."""

SECONDS = 10.0
ROUNDS = 2
PERCENTILES = ("p50", "p95", "p99")

Times = dict[str, list[float]]


def measure(media: Media, folder: Path) -> None:
    """Print the tables."""
    if not (os.environ.get("DISPLAY") or shutil.which("Xvfb")):
        console.print("[yellow]paint: there is no display and no Xvfb (apt-get install xvfb).[/yellow]")
        return
    with display() as screen:
        for pace in TARGETS:
            runs = [
                (_run(media.clip, "headless", pace, folder, screen), _run(media.clip, "window", pace, folder, screen))
                for _ in range(ROUNDS)
            ]
            _show(pace, runs)


def _show(pace: str, runs: list[tuple[Times, Times]]) -> None:
    """Print the round in which the machine was least disturbed, by the median of composing."""
    headless = max(run["fps"][0] for run, _ in runs)
    window = min((run for _, run in runs), key=lambda run: run["compose"][0])
    table = make_table(f"Window with all overlays, {pace}, best of {ROUNDS} rounds (ms)", "", *PERCENTILES)
    for name, what in (
        ("paint", "paint, with all overlays: what the GUI thread does"),
        ("paint work", "  of it processor time"),
        ("paint core", "  of it waiting for a core"),
        ("paint lock", "  of it neither: the interpreter's lock, or the host"),
        ("compose", "compose: what the compositor's thread does before"),
        ("compose work", "  of it processor time"),
        ("latency", "from decoding to painted"),
        ("block", "GUI thread busy for"),
    ):
        table.add_row(what, *(f"{value:.2f}" for value in window[name]))
    console.print(table)
    fps = max(run["fps"][0] for _, run in runs)
    for name, what, value in (
        ("paint", "paint p95, ms", window["paint"][1]),
        ("block", "GUI thread blocked p99, ms", window["block"][2]),
        (
            "slower",
            f"analysed {fps:.1f} fps with the window, {headless:.1f} headless; slower by %",
            100 * (1 - fps / headless),
        ),
    ):
        target = TARGETS[pace].get(name)
        console.print(f"{what}: {value:.2f}" if target is None else f"{what}: {verdict(value, target)}")


def _run(clip: Path, kind: str, pace: str, folder: Path, screen: str) -> Times:
    """Percentiles of one run in a process of its own."""
    worker = Path(__file__).with_name("worker_window.py")
    command = [sys.executable, str(worker), str(clip), kind, pace, str(SECONDS), str(folder / "window.ini")]
    environment = os.environ | {"DISPLAY": screen, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    times: Times = json.loads(done.stdout.splitlines()[-1])
    return times
