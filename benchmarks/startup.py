"""How long a user waits: from the command to the first analysed frame, and to the window on the screen."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks.media import Media
from benchmarks.processes import FACESTREAM, ROOT
from benchmarks.report import console, make_table, verdict

ROUNDS = 7
FRAME_TARGET, WINDOW_TARGET = 2.5, 1.0
PATIENCE = 30.0


def measure(media: Media, folder: Path) -> None:
    """Print the table."""
    table = make_table(f"Seconds from the command, {ROUNDS} starts", "until", "best", "median", "median, target")
    frame = [_until_first_line(media.clip, folder / f"{n}.jsonl") for n in range(ROUNDS)]
    _add_row(table, "first analysed frame of a file is in the JSONL", frame, FRAME_TARGET)
    if shutil.which("xdotool") and (os.environ.get("DISPLAY") or shutil.which("Xvfb")):
        with display() as screen:
            window = [_until_window(screen) for _ in range(ROUNDS)]
        _add_row(table, "the window is on the screen", window, WINDOW_TARGET)
    console.print(table)


def _add_row(table: Table, title: str, seconds: list[float], target: float) -> None:
    median = float(np.median(seconds))
    table.add_row(title, f"{min(seconds):.2f}", f"{median:.2f}", verdict(median, target))


def _until_first_line(clip: Path, jsonl: Path) -> float:
    command = [*FACESTREAM, "run", str(clip), "--headless", "--pace", "realtime", "--jsonl", str(jsonl)]
    return _until(command, dict(os.environ), lambda: jsonl.exists() and jsonl.stat().st_size > 0)


def _until_window(screen: str) -> float:
    environment = os.environ | {"DISPLAY": screen}
    search = ["xdotool", "search", "--onlyvisible", "--name", "facestream"]

    def visible() -> bool:
        return subprocess.run(search, env=environment, capture_output=True, check=False).returncode == 0

    return _until([*FACESTREAM, "run", "demo"], environment, visible)


def _until(command: list[str], environment: dict[str, str], reached: Callable[[], bool]) -> float:
    """Seconds from starting a command until something is so; the command is then interrupted."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not reached():
            if process.poll() is not None or time.perf_counter() - started > PATIENCE:
                raise RuntimeError(f"{' '.join(command)} did not get there")
            time.sleep(0.005)
        return time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


@contextmanager
def display() -> Iterator[str]:
    """The user's display, or a virtual one."""
    if screen := os.environ.get("DISPLAY"):
        yield screen
        return
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-noreset", "-displayfd", str(writer), "-screen", "0", "1920x1080x24"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait()
