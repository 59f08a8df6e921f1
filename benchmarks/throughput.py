"""Whole programs: a file to JSON lines beside a loop that only decodes it, in fresh processes taking turns."""

from __future__ import annotations

import sys
from pathlib import Path

import av

from benchmarks.media import Media
from benchmarks.processes import FACESTREAM, Cost, best, run
from benchmarks.report import console, make_table, verdict

ROUNDS = 5
WHOLE = 1_000_000
WALL_TARGET, CPU_TARGET = 1.6, 1.5
LOOPS = {
    "pyav": "PyAV loop (yardstick)",
    "opencv": "OpenCV VideoCapture loop",
    "ours": "our own source, no analysis",
}


def measure(media: Media, folder: Path) -> None:
    """Print both tables: wall time at fastest pace, and processor time at real-time pace."""
    costs = _costs(media.clip, folder, "fastest")
    _print_wall(media, costs)
    paced = _costs(media.clip, folder, "realtime", decoders=("pyav",))
    costs["facestream"] = paced["facestream"]
    _print_cpu(media, costs)


def _costs(
    clip: Path, folder: Path, pace: str, decoders: tuple[str, ...] = tuple(LOOPS)
) -> dict[str, tuple[Cost, Cost]]:
    """Per program: the cost of the whole file, and of its first frame alone (start-up)."""
    jsonl = folder / "out.jsonl"
    run_command = (*FACESTREAM, "run", clip, "--headless", "--pace", pace, "--jsonl", jsonl, "--max-frames")
    programs: dict[str, tuple[str | Path, ...]] = {"facestream": run_command}
    for decoder in decoders:
        programs[decoder] = (sys.executable, "-m", "benchmarks.decode_loop", decoder, clip)
    runs: dict[str, tuple[list[Cost], list[Cost]]] = {name: ([], []) for name in programs}
    for _ in range(ROUNDS):
        for name, command in programs.items():
            runs[name][0].append(run(*command, str(WHOLE)))
            runs[name][1].append(run(*command, "1"))
    return {name: (best(whole), best(first)) for name, (whole, first) in runs.items()}


def _print_wall(media: Media, costs: dict[str, tuple[Cost, Cost]]) -> None:
    frames, _ = _length(media.clip)
    table = make_table(
        f"{media.clip.name}, {frames} frames, fastest pace, fresh processes, best of {ROUNDS}: seconds",
        *("program", "whole process", "without start-up", "our ratio, whole", "our ratio, without start-up"),
    )
    whole, steady = costs["facestream"][0].wall, _steady(costs["facestream"]).wall
    table.add_row("facestream run --headless --jsonl", f"{whole:.2f}", f"{steady:.2f}", "", "")
    for name, title in LOOPS.items():
        loop, loop_steady = costs[name][0].wall, _steady(costs[name]).wall
        ratio = steady / loop_steady
        shown = verdict(ratio, WALL_TARGET) if name == "pyav" else f"{ratio:.2f}"
        table.add_row(title, f"{loop:.2f}", f"{loop_steady:.2f}", f"{whole / loop:.2f}", shown)
    console.print(table)


def _print_cpu(media: Media, costs: dict[str, tuple[Cost, Cost]]) -> None:
    _, seconds = _length(media.clip)
    table = make_table(
        f"{media.clip.name}: processor seconds per second of video, start-up excluded, best of {ROUNDS}",
        *("program", "CPU s / s", "our ratio"),
    )
    ours = _steady(costs["facestream"]).cpu / seconds
    table.add_row("facestream run --headless --jsonl --pace realtime", f"{ours:.3f}", "")
    for name, title in LOOPS.items():
        loop = _steady(costs[name]).cpu / seconds
        table.add_row(
            title, f"{loop:.3f}", verdict(ours / loop, CPU_TARGET) if name == "pyav" else f"{ours / loop:.2f}"
        )
    console.print(table)


def _steady(costs: tuple[Cost, Cost]) -> Cost:
    return costs[0] - costs[1]


def _length(clip: Path) -> tuple[int, float]:
    """Frames and seconds of a clip."""
    with av.open(str(clip)) as container:
        frames = sum(1 for _ in container.decode(video=0))
        stream = container.streams.video[0]
        assert stream.average_rate is not None
        return frames, frames / float(stream.average_rate)
