"""Resident memory over a long run: the same clip twice through camera, analysis and JSON lines, in this process."""

from __future__ import annotations

import gc
from pathlib import Path

import psutil

from benchmarks.media import Media
from benchmarks.report import console, make_table, verdict
from streamer import load_config
from streamer.pipeline.camera import Camera
from streamer.runtime.memory import keep_freed_memory
from streamer.sinks.base import Sink
from streamer.sinks.jsonl import JsonlWriter
from streamer.types import FrameResult

FRAMES = 9600
SETTLED = 500  # frames after which growth counts: by then every buffer has its size
TARGET_MB = 20
POINTS = (1, SETTLED, 1000, 2000, 4000, 6000, 8000, FRAMES)


class MemoryProbe:
    """A sink that notes the process's resident memory at some frames."""

    def __init__(self) -> None:
        self.megabytes: dict[int, float] = {}
        self._seen = 0
        self._process = psutil.Process()

    path = None

    def write(self, result: FrameResult) -> None:
        """Count the frame."""
        self._seen += 1
        if self._seen in POINTS:
            gc.collect()
            self.megabytes[self._seen] = self._process.memory_info().rss / 2**20

    def close(self) -> None:
        """Nothing to release."""


def measure(media: Media, folder: Path) -> None:
    """Print the table."""
    keep_freed_memory()  # as `facestream run` does
    probe = MemoryProbe()
    config = load_config(None, ["source.loop=true"])
    sinks: list[Sink] = [JsonlWriter(folder / "memory.jsonl"), probe]
    camera = Camera(str(media.long_clip), config, sinks=sinks, realtime=False, max_frames=FRAMES)
    camera.start()
    camera.wait()
    camera.close()
    table = make_table(f"Resident memory over {media.long_clip.name}, looped", "frame", "MB")
    for frame, megabytes in probe.megabytes.items():
        table.add_row(str(frame), f"{megabytes:.1f}")
    console.print(table)
    growth = probe.megabytes[FRAMES] - probe.megabytes[SETTLED]
    console.print(f"growth in MB after frame {SETTLED}: {verdict(growth, TARGET_MB)}")
