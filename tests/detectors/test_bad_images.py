"""Images of any size work, and what is no image ends in a clear sentence."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from streamer.detectors import Detector, load_detector
from streamer.detectors.rotation import TurnedSearch, detect_any_rotation
from streamer.errors import ConfigError, ImageError


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 700, 3), (700, 2, 3), (31, 33), (200, 20000, 3)])
def test_any_size_works(shape: tuple[int, ...], retinaface: Detector) -> None:
    image = np.zeros(shape, np.uint8)
    found = retinaface.detect(image)
    assert found.boxes.shape == (0, 4)
    assert found.keypoints.shape == (0, 5, 2)
    assert len(detect_any_rotation(retinaface, image)) == 0
    assert len(TurnedSearch(retinaface).next(image)) == 0


def test_grey_is_expanded(astronaut: np.ndarray, retinaface: Detector) -> None:
    assert len(retinaface.detect(astronaut[..., 1])) == 1


def test_transparency_is_left_out(astronaut: np.ndarray, retinaface: Detector) -> None:
    clear = np.dstack([astronaut, np.zeros(astronaut.shape[:2], np.uint8)])
    assert np.array_equal(retinaface.detect(clear).boxes, retinaface.detect(astronaut).boxes)


def test_a_huge_image_takes_no_memory_of_its_size(retinaface: Detector) -> None:
    image = np.full((6000, 6000, 3), 90, np.uint8)
    tracemalloc.start()
    retinaface.detect(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < image.nbytes / 4


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((0, 10, 3), np.uint8), "empty"),
        (np.zeros((10, 0), np.uint8), "empty"),
        (np.zeros((10, 10, 5), np.uint8), r"shape \(10, 10, 5\): give BGR .* BGRA"),
        (np.zeros((10, 10, 3), np.float32), "float32"),
        (np.zeros(10, np.uint8), r"shape \(10,\)"),
        (None, "NoneType"),
    ],
)
@pytest.mark.parametrize("search", [False, True])
def test_no_image_is_told(image: np.ndarray, words: str, search: bool, retinaface: Detector) -> None:
    with pytest.raises(ImageError, match=words):
        _ = detect_any_rotation(retinaface, image) if search else retinaface.detect(image)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"score": 5}, "detector.score.* above 0 and below 1"),
        ({"max_side": "big"}, "detector.max_side.*whole number"),
        ({"name": "yolo"}, "choose one of retinaface"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_detector(**settings)  # type: ignore[arg-type]
