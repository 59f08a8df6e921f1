"""The yardstick: read a file to BGR and do nothing with it.

Usage: decode_loop.py FILE fastest|FPS pyav|opencv|ours FRAMES
``pyav`` and ``opencv`` are the loops their manuals show; ``ours`` is facestream's own source without any analysis.
With a number, the loop waits for each frame's time as a player does: a processor that sleeps between frames
is slower when it works, and that is none of the player's doing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice


def pyav(path: str) -> Iterator[object]:
    import av

    with av.open(path) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def opencv(path: str) -> Iterator[object]:
    import cv2

    capture = cv2.VideoCapture(path)
    while (answer := capture.read())[0]:
        yield answer[1]


def ours(path: str) -> Iterator[object]:
    from streamer.config import SourceConfig
    from streamer.sources import open_source

    source = open_source(path, SourceConfig(), realtime=False)
    source.open()
    while (frame := source.read()) is not None:
        yield frame.image
    source.close()


def paced(frames: Iterator[object], fps: float) -> Iterator[object]:
    began = time.monotonic()
    for index, frame in enumerate(frames):
        time.sleep(max(0.0, began + index / fps - time.monotonic()))
        yield frame


if __name__ == "__main__":
    path, pace, loop, count = sys.argv[1:]
    frames = {"pyav": pyav, "opencv": opencv, "ours": ours}[loop](path)
    for _ in islice(frames if pace == "fastest" else paced(frames, float(pace)), int(count)):
        pass
