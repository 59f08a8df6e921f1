"""The yardstick: read a file to BGR and do nothing with it.

Usage: decode_loop.py pyav|opencv|ours FILE FRAMES
``pyav`` and ``opencv`` are the loops their manuals show; ``ours`` is facestream's own source without any analysis.
"""

from __future__ import annotations

import sys
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


if __name__ == "__main__":
    for _ in islice({"pyav": pyav, "opencv": opencv, "ours": ours}[sys.argv[1]](sys.argv[2]), int(sys.argv[3])):
        pass
