"""Our tracking beside MediaPipe face mesh, on the same decoded frames, taking turns in the same run.

Tracking frames are ours without a detection, smoothing included; MediaPipe does not say when it detects, so all of
its frames count. Its conversion to RGB is not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks.media import Media, four_faces, one_face, save_frames
from benchmarks.report import console, make_table, verdict

ROOT = Path(__file__).resolve().parents[1]
PEER_PYTHON = ROOT / ".bench-venv" / "bin" / "python"
FRAMES = 180
TURN = 60  # frames each side works before the other's turn: a busy machine then disturbs both alike
TURNS = 9
WARM_UP = 30
TARGET = 0.35


class Side:
    """A worker process and what it has measured so far."""

    def __init__(self, command: list[str | Path]) -> None:
        self._process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )
        self.measured: list[dict[str, list[float]]] = []

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def turn(self, first: int, last: int) -> None:
        """Let it work through frames ``first`` to ``last`` while nobody else of us does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{first} {last}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a worker of the comparison has died; run it by hand to see why")
        self.measured.append(json.loads(answer))

    def values(self, key: str, *, tracking_only: bool) -> np.ndarray:
        """All values of one quantity after the warm-up turn."""
        turns = self.measured[1:]
        values = np.concatenate([turn[key] for turn in turns])
        detected = np.concatenate([turn["detected"] for turn in turns]).astype(bool)
        return values[~detected] if tracking_only else values


def measure(media: Media, folder: Path) -> None:
    """Print the comparison for one face and for four."""
    if not PEER_PYTHON.exists():
        console.print("MediaPipe is not installed (make bench does that): the comparison is left out.")
        return
    table = make_table(
        "Tracking a frame of 1280x720: facestream / MediaPipe face mesh 0.10.21, taking turns",
        *("faces, figure", "facestream", "MediaPipe", "ratio"),
    )
    for count, frames in ((1, one_face(media, FRAMES)), (4, four_faces(media, FRAMES))):
        path = folder / f"{count}.npy"
        save_frames(frames, path)
        ours, peer = _compare(path, count)
        _add_rows(table, f"{count}: ", ours, peer)
    console.print(table)


def _compare(frames: Path, faces: int) -> tuple[Side, Side]:
    """Both sides after the last turn."""
    with ExitStack() as stack:
        ours = stack.enter_context(Side([sys.executable, "-m", "benchmarks.worker_facestream", frames]))
        peer = stack.enter_context(Side([PEER_PYTHON, "benchmarks/worker_mediapipe.py", frames, str(faces)]))
        for side in (ours, peer):
            side.turn(0, WARM_UP)
        for number in range(TURNS):
            first = WARM_UP + number * TURN
            for side in (ours, peer) if number % 2 else (peer, ours):
                side.turn(first, first + TURN)
    return ours, peer


def _add_rows(table: Table, prefix: str, ours: Side, peer: Side) -> None:
    """Medians decide; the fastest tenth shows what a busy machine hides, processor time what threads hide."""
    wall, peer_wall = ours.values("wall", tracking_only=True), peer.values("wall", tracking_only=True)
    cpu, peer_cpu = ours.values("cpu", tracking_only=True), peer.values("cpu", tracking_only=True)
    everything, peer_everything = (side.values("wall", tracking_only=False).mean() for side in (ours, peer))
    found, peer_found = (side.values("faces", tracking_only=False).mean() for side in (ours, peer))
    ratio = float(np.median(wall) / np.median(peer_wall))
    rows = [
        ("ms, p50, tracking frames", np.median(wall), np.median(peer_wall), verdict(ratio, TARGET)),
        ("ms, p10, tracking frames", np.percentile(wall, 10), np.percentile(peer_wall, 10), None),
        ("processor ms, p50, tracking frames", np.median(cpu), np.median(peer_cpu), None),
        ("ms, mean, detections included", everything, peer_everything, None),
    ]
    for title, value, peer_value, shown in rows:
        table.add_row(prefix + title, f"{value:.2f}", f"{peer_value:.2f}", shown or f"{value / peer_value:.2f}")
    table.add_row(f"{prefix}faces found, mean", f"{found:.2f}", f"{peer_found:.2f}", "")
    table.add_section()
