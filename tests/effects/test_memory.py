"""What effects remember of a face: in a stream nothing pops, and a picture looked at again looks the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.config import Config
from streamer.effects import Effects, Memory
from streamer.effects.region import FaceRegion
from streamer.pipeline.camera import Camera
from streamer.types import Face, FrameResult, Image

LOOK = "lipstick=1, lipstick.colour=#2040d0"


def paint(before: Image, after: Image, face: Face) -> float:
    """By how many levels the lips of a face have changed."""
    region = FaceRegion.of(before, before, face)
    assert region is not None
    x1, y1, x2, y2 = region.rect
    return float(cv2.absdiff(before, after)[y1:y2, x1:x2].max(axis=2)[region.fill(region.part("lip_outer")) > 0].mean())


class Collector:
    """A sink that measures the lipstick of the first face, as shown and as each frame alone would have it."""

    path = None

    def __init__(self) -> None:
        self.shown: list[float] = []
        self.alone: list[float] = []
        self._effects = Effects.parse(LOOK)

    def write(self, result: FrameResult) -> None:
        if result.faces:
            assert result.shown is not None
            image, face = result.frame.image, result.faces[0]
            self.shown.append(paint(image, result.shown.picture, face))
            self.alone.append(paint(image, self._effects.apply(image, result.faces), face))

    def close(self) -> None:
        """Nothing is left open."""


def test_lipstick_goes_gently_where_a_hand_comes_fast(clips: Path) -> None:
    """In this clip a hand hides the mouth from one frame to the next."""
    collector = Collector()
    config = Config.model_validate({"effects": {"look": LOOK}})
    camera = Camera(
        str(clips / "pexels_woman_expressions.mp4"), config, sinks=[collector], realtime=False, max_frames=95
    )
    camera.start()
    camera.wait()
    camera.close()
    shown, alone = (np.array(each[70:]) for each in (collector.shown, collector.alone))
    fall = int(np.argmin(np.diff(alone)))
    assert alone[fall] > 10
    assert alone[fall + 1] < 0.2 * alone[fall]
    assert shown[fall + 1] > 0.4 * shown[fall]
    assert shown[-1] < 0.1


def test_a_face_begins_as_it_is_seen_and_again_after_a_while() -> None:
    memory = Memory()
    assert memory.faded(1, "mouth", (0.2, 0.9), 5.0) == (0.2, 0.9)
    assert memory.faded(1, "mouth", (1.0, 0.0), 5.03) == pytest.approx((0.3, 0.65))
    assert memory.faded(2, "mouth", (1.0, 0.0), 5.03) == (1.0, 0.0)
    assert memory.faded(1, "mouth", (1.0, 0.0), 6.0) == (1.0, 0.0)


def test_a_frame_looked_at_again_is_the_same_and_steps_back_go_on() -> None:
    memory = Memory()
    memory.faded(1, "mouth", (1.0,), 2.0)
    once = memory.faded(1, "mouth", (0.0,), 2.04)
    assert memory.faded(1, "mouth", (0.0,), 2.04) == once == pytest.approx((2 / 3,))
    assert memory.faded(1, "mouth", (1.0,), 2.0) == pytest.approx((0.8,))
    assert memory.faded(1, "mouth", (1.0,), 1.9) == (1.0,)


def test_a_day_of_people_leaves_nothing_behind() -> None:
    memory = Memory()
    for person in range(1000):
        memory.faded(person, "mouth", (1.0,), float(person))
    assert len(memory) < 100
