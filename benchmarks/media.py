"""The pictures all measurements run on: real clips where they are, else the built-in demo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np

from streamer.config import SourceConfig
from streamer.sinks.recorder import Recorder
from streamer.types import Frame, FrameResult, Image

CLIPS = Path(__file__).resolve().parents[2] / "shared" / "data" / "clips"
ONE_FACE = "s32_woman_720p.mp4"
LONG = "franck_talking_4800f.mp4"
FOUR_FACES = (
    "pexels_woman_expressions.mp4",
    "d9_man_glasses_webcam.mp4",
    "franck_talking_4800f.mp4",
    "d12_man_glasses_turns.mp4",
)
TILE = (640, 360)
FPS = 30


@dataclass(frozen=True, slots=True)
class Media:
    """What is measured on.

    Attributes:
        clip: a 720p30 clip with one face.
        long_clip: a clip for the memory test.
        note: what a reader of the figures must know about them; empty for the real clips.
    """

    clip: Path
    long_clip: Path
    note: str


def find_media(folder: Path) -> Media:
    """The real clips, or the demo recorded into ``folder``."""
    if (CLIPS / ONE_FACE).is_file() and (CLIPS / LONG).is_file():
        return Media(CLIPS / ONE_FACE, CLIPS / LONG, "")
    demo = folder / "demo.mp4"
    recorder = Recorder(demo, FPS)
    for index, image in enumerate(_demo_frames(240)):
        recorder.write(FrameResult(Frame(image, index, index / FPS, 0.0, "demo"), ()))
    recorder.close()
    return Media(demo, demo, f"The real clips are not at {CLIPS}: measured on the built-in demo instead.")


def decode(path: Path) -> Iterator[Image]:
    """The frames of a file as BGR."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def save_frames(frames: Iterator[Image], path: Path) -> None:
    """Store decoded frames as one array ``(n, H, W, 3)``: both sides of a comparison map the same pixels."""
    np.save(path, np.stack(list(frames)))


def one_face(media: Media, count: int) -> Iterator[Image]:
    """``count`` frames with one face at 1280x720."""
    return _endless(media.clip, count)


def four_faces(media: Media, count: int) -> Iterator[Image]:
    """``count`` frames of 1280x720, tiled from four clips with one face each."""
    clips = [media.clip] * 4 if media.note else [CLIPS / name for name in FOUR_FACES]
    for tiles in zip(*(_endless(clip, count) for clip in clips), strict=True):
        a, b, c, d = (_fit(tile) for tile in tiles)
        yield np.vstack([np.hstack([a, b]), np.hstack([c, d])])


def _endless(path: Path, count: int) -> Iterator[Image]:
    """Frames forwards and backwards in turn, so that no face jumps where the clip ends."""
    frames = list(islice(decode(path), count))
    return islice(cycle(frames + frames[-2:0:-1]), count)


def _fit(image: Image) -> Image:
    """Scale into a tile, with black bars where the shape differs."""
    width, height = TILE
    scale = min(width / image.shape[1], height / image.shape[0])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def _demo_frames(count: int) -> Iterator[Image]:
    from streamer.sources import open_source

    source = open_source("demo", SourceConfig(loop=True), realtime=False)
    source.open()
    try:
        for _ in range(count):
            frame = source.read()
            assert frame is not None
            yield frame.image
    finally:
        source.close()
