"""Runs a whole command and tells what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FACESTREAM = (sys.executable, "-m", "streamer")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds on the clock, and processor seconds over all its threads."""

    wall: float
    cpu: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.cpu - other.cpu)


def run(*command: str | Path) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed.
    """
    started = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with status {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)
