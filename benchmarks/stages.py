"""Where the time of a frame goes: milliseconds per stage on real clips, in this process."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.media import FPS, Media, decode, four_faces, one_face
from benchmarks.report import console, make_table
from streamer import FaceAnalyzer, load_config
from streamer.types import Image

FRAMES = 180


def measure(media: Media, folder: Path) -> None:
    """Print the table."""
    table = make_table("Milliseconds per stage, p50 / p95 of the frames in which it ran", "clip, stage", "runs", "ms")
    clips: dict[str, list[Image]] = {
        "one face, 1280x720": list(one_face(media, FRAMES)),
        "four faces, 1280x720": list(four_faces(media, FRAMES)),
        f"{media.long_clip.name}": list(islice(decode(media.long_clip), 3 * FRAMES)),
    }
    for name, frames in clips.items():
        for stage, values in _run(frames).items():
            p50, p95 = np.percentile(values, (50, 95))
            table.add_row(f"{name}: {stage}", str(len(values)), f"{p50:.2f} / {p95:.2f}")
        table.add_section()
    console.print(table)


def _run(frames: list[Image]) -> dict[str, list[float]]:
    analyzer = FaceAnalyzer(load_config())
    stages: dict[str, list[float]] = {}
    for index, image in enumerate(frames):
        started = time.perf_counter()
        analyzer.track(image, index / FPS)
        whole = (time.perf_counter() - started) * 1e3
        kind = "whole frame with detection" if "detect" in analyzer.stages else "whole frame, tracking only"
        for stage, ms in (*analyzer.stages.items(), (kind, whole)):
            stages.setdefault(stage, []).append(ms)
    return stages
