"""Whole programs: a file to JSON lines beside a loop that only decodes it, in fresh processes taking turns.

A shared machine is twice as fast in one minute as in the next, so only runs of the same round are compared: a ratio
is the median of the rounds' ratios.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import av

from benchmarks.media import FPS, Media
from benchmarks.processes import FACESTREAM, Cost, run
from benchmarks.report import console, make_table, verdict

ROUNDS = 7
WHOLE = 1_000_000
WALL_TARGET, CPU_TARGET = 1.6, 1.5
OURS, YARDSTICK = "facestream", "pyav"
LOOPS = {
    "pyav": "PyAV loop (yardstick)",
    "opencv": "OpenCV VideoCapture loop",
    "ours": "our own source, no analysis",
}
PROGRAMS = {OURS: "facestream run --headless --jsonl"} | LOOPS


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a program.

    Attributes:
        whole: cost of the whole file.
        first: cost of its first frame alone: the start-up.
    """

    whole: Cost
    first: Cost

    @property
    def steady(self) -> Cost:
        """The cost without start-up."""
        return self.whole - self.first


Rounds = dict[str, list[Round]]
"""Per program one entry a round."""


def measure(media: Media, folder: Path) -> None:
    """Print both tables: wall time at fastest pace, and processor time at real-time pace."""
    _print_wall(media, _rounds(media.clip, folder, "fastest"))
    _print_cpu(media, _rounds(media.clip, folder, "realtime"))


def _rounds(clip: Path, folder: Path, pace: str) -> Rounds:
    """All programs in turn, all at the same pace, round after round."""
    jsonl = folder / "out.jsonl"
    ours = (*FACESTREAM, "run", clip, "--headless", "--pace", pace, "--jsonl", jsonl, "--max-frames")
    loop = (sys.executable, "-m", "benchmarks.decode_loop", clip, str(FPS) if pace == "realtime" else pace)
    programs: dict[str, tuple[str | Path, ...]] = {OURS: ours} | {name: (*loop, name) for name in LOOPS}
    rounds: Rounds = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, command in programs.items():
            rounds[name].append(Round(run(*command, str(WHOLE)), run(*command, "1")))
    return rounds


def _median(rounds: Rounds, name: str, figure: Callable[[Round], float]) -> float:
    return median(figure(entry) for entry in rounds[name])


def _ratio(rounds: Rounds, name: str, figure: Callable[[Round], float]) -> float:
    """Ours by another program's, round by round."""
    return median(figure(a) / figure(b) for a, b in zip(rounds[OURS], rounds[name], strict=True))


def _print_wall(media: Media, rounds: Rounds) -> None:
    frames, _ = _length(media.clip)
    table = make_table(
        f"{media.clip.name}, {frames} frames, fastest pace, fresh processes, median of {ROUNDS}: seconds",
        *("program", "whole process", "without start-up", "our ratio, whole", "our ratio, without start-up"),
    )
    for name, title in PROGRAMS.items():
        row = [f"{_median(rounds, name, figure):.2f}" for figure in (_whole_wall, _steady_wall)]
        if name != OURS:
            ratio = _ratio(rounds, name, _steady_wall)
            row += [
                f"{_ratio(rounds, name, _whole_wall):.2f}",
                verdict(ratio, WALL_TARGET) if name == YARDSTICK else f"{ratio:.2f}",
            ]
        table.add_row(title, *row)
    console.print(table)


def _print_cpu(media: Media, rounds: Rounds) -> None:
    _, seconds = _length(media.clip)
    table = make_table(
        f"{media.clip.name}: processor seconds per second of video at real-time pace, median of {ROUNDS}",
        *("program, start-up excluded", "CPU s / s", "our ratio"),
    )
    for name, title in PROGRAMS.items():
        row = [f"{_median(rounds, name, _steady_cpu) / seconds:.3f}"]
        if name != OURS:
            ratio = _ratio(rounds, name, _steady_cpu)
            row.append(verdict(ratio, CPU_TARGET) if name == YARDSTICK else f"{ratio:.2f}")
        table.add_row(title, *row)
    console.print(table)


def _whole_wall(entry: Round) -> float:
    return entry.whole.wall


def _steady_wall(entry: Round) -> float:
    return entry.steady.wall


def _steady_cpu(entry: Round) -> float:
    return entry.steady.cpu


def _length(clip: Path) -> tuple[int, float]:
    """Frames and seconds of a clip."""
    with av.open(str(clip)) as container:
        frames = sum(1 for _ in container.decode(video=0))
        stream = container.streams.video[0]
        assert stream.average_rate is not None
        return frames, frames / float(stream.average_rate)
