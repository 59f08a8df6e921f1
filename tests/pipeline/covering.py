"""Clips that tests make, what a run with covered faces gives, and whether a face is covered in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from streamer import load_config
from streamer.pipeline.analyzer import Models
from streamer.pipeline.camera import Camera
from streamer.types import FrameResult
from tests.pipeline.players import Collector

FPS = 30.0


def frames(clip: Path, first: int, last: int) -> Iterator[tuple[np.ndarray, float]]:
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index >= last:
                return
            if index >= first:
                yield frame.to_ndarray(format="bgr24"), float(frame.time)


def held(box: np.ndarray, hidden: np.ndarray) -> bool:
    """Whether some hidden place holds nearly all of a box."""
    sides = np.maximum(np.minimum(box[2:], hidden[:, 2:]) - np.maximum(box[:2], hidden[:, :2]), 0)
    return bool((sides.prod(axis=1) > 0.9 * (box[2:] - box[:2]).prod()).any())


def video(path: Path, images: list[np.ndarray]) -> str:
    """A lossless clip of 30 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "bgr0"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")))
        container.mux(stream.encode())
    return str(path)


def results_of(source: str, models: Models, *settings: str) -> list[FrameResult]:
    """What a run with covered faces gives."""
    collector = Collector()
    config = load_config(None, ["effects.look=pixelate", *settings])
    camera = Camera(source, config, sinks=[collector], realtime=False, models=models)
    camera.start()
    assert camera.wait(120)
    camera.close()
    assert camera.status().error is None
    return collector.results


def hidden_or_shown(box: np.ndarray, result: FrameResult) -> bool:
    places = np.array([*(face.box for face in result.faces), *result.hidden], np.float32).reshape(-1, 4)
    wide = (places[:, 2:] - places[:, :2]) * 0.15  # a face's cover reaches further than its box
    return held(box, np.concatenate([places[:, :2] - wide, places[:, 2:] + wide], axis=1))
