"""Faces at every in-plane rotation, on stills and within a few calls of a stream's search."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamer.detectors import Detector
from streamer.detectors.postprocess import overlap
from streamer.detectors.rotation import TURNS, TurnedSearch, detect_any_rotation, roll_of, turn_between
from streamer.types import Detections

ANGLES = range(0, 360, 15)


def turned(image: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned clockwise on a canvas that holds all of it, and the (2, 3) map."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = int(height * sin + width * cos + 0.5), int(height * cos + width * sin + 0.5)
    matrix[:, 2] += np.array(size) / 2 - (width / 2, height / 2)
    return cv2.warpAffine(image, matrix, size), matrix


def keypoint_errors(found: Detections, upright: Detections, matrix: np.ndarray) -> np.ndarray:
    """Mean keypoint distance of every upright face, turned, to the nearest found one, in box diagonals."""
    expected = upright.keypoints @ matrix[:, :2].T + matrix[:, 2]
    if not len(found):
        return np.full(len(expected), np.inf)
    distance = np.linalg.norm(found.keypoints[None] - expected[:, None], axis=-1).mean(axis=2).min(axis=1)
    return distance / np.linalg.norm(upright.boxes[:, 2:] - upright.boxes[:, :2], axis=1)


@pytest.mark.parametrize("angle", ANGLES)
def test_the_astronaut_is_found_at_every_angle(astronaut: np.ndarray, retinaface: Detector, angle: int) -> None:
    upright = retinaface.detect(astronaut)
    image, matrix = turned(astronaut, angle)
    found = detect_any_rotation(retinaface, image)
    assert len(found) == 1
    assert keypoint_errors(found, upright, matrix)[0] < 0.06
    corners = upright.boxes[0][[[0, 1], [2, 1], [2, 3], [0, 3]]] @ matrix[:, :2].T + matrix[:, 2]
    around = np.concatenate([corners.min(axis=0), corners.max(axis=0)]).astype(np.float32)
    assert overlap(found.boxes[0], around[None])[0] > 0.6


def test_clear_faces_of_real_pictures_are_found_at_every_angle(
    photographs: list[np.ndarray], retinaface: Detector
) -> None:
    errors = []
    for number, image in enumerate(photographs):
        image = cv2.resize(image, None, fx=(f := 480 / max(image.shape)), fy=f, interpolation=cv2.INTER_AREA)
        upright = retinaface.detect(image)
        clear = np.flatnonzero((upright.scores > 0.97) & (np.ptp(upright.boxes[:, 1::2], axis=1) > 40))[:2]
        upright = Detections(upright.boxes[clear], upright.scores[clear], upright.keypoints[clear])
        for angle in ANGLES[number % 6 :: 6]:
            copy, matrix = turned(image, angle)
            errors.extend(keypoint_errors(detect_any_rotation(retinaface, copy), upright, matrix))
    assert len(errors) >= 40
    assert max(errors) < 0.12
    assert np.mean(np.array(errors) < 0.08) > 0.95


def test_upright_faces_are_as_the_plain_detector_sees_them(astronaut: np.ndarray, retinaface: Detector) -> None:
    plain, searched = retinaface.detect(astronaut), detect_any_rotation(retinaface, astronaut)
    np.testing.assert_array_equal(plain.keypoints, searched.keypoints)


@pytest.mark.parametrize("angle", [60, 90, 135, 180, 225, 270, 300])
def test_a_stream_finds_a_turned_face_within_one_round(astronaut: np.ndarray, retinaface: Detector, angle: int) -> None:
    upright = retinaface.detect(astronaut)
    image, matrix = turned(astronaut, angle)
    search = TurnedSearch(retinaface)
    found = [search.next(image) for _ in TURNS]
    assert min(keypoint_errors(each, upright, matrix)[0] for each in found) < 0.06
    for each in found:
        assert (np.abs(turn_between(roll_of(each.keypoints), angle + roll_of(upright.keypoints)[0])) < 15).all()


def test_a_stream_leaves_known_and_upright_faces_alone(astronaut: np.ndarray, retinaface: Detector) -> None:
    search = TurnedSearch(retinaface)
    assert sum(len(search.next(astronaut)) for _ in TURNS) == 0
    image, _ = turned(astronaut, 90)
    known = detect_any_rotation(retinaface, image).boxes
    assert sum(len(search.next(image, known)) for _ in TURNS) == 0


def test_the_search_of_a_stream_is_bounded(astronaut: np.ndarray, retinaface: Detector) -> None:
    """One pass over the image and at most ten small crops for each of two faces, however many there are."""

    class Counting:
        max_side, score, nms, min_face = 640, 0.6, 0.4, 16

        def __init__(self) -> None:
            self.sizes: list[int] = []

        def detect(self, bgr: np.ndarray, *, min_face: float | None = None) -> Detections:
            self.sizes.append(max(bgr.shape[:2]))
            return retinaface.detect(bgr, min_face=min_face)

    crowd = np.tile(cv2.resize(turned(astronaut, 90)[0], (213, 213)), (2, 3, 1))
    counting = Counting()
    search = TurnedSearch(counting, most=2)  # type: ignore[arg-type]
    for _ in TURNS:
        counting.sizes.clear()
        search.next(crowd)
        assert sum(size > 160 for size in counting.sizes) == 1
        assert len(counting.sizes) <= 1 + 2 * 10
