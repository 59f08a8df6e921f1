"""Faces the landmark tests look at: the public-domain portrait and frames of real clips."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.detectors import load_detector
from streamer.landmarks import LandmarkPredictor, load_predictor
from streamer.types import Detections

CLIPS = (
    "s32_woman_720p.mp4",
    "d12_man_glasses_turns.mp4",
    "retalk_man_suit.mp4",
    "headtrack_cap13.mp4",
    "selfie_expressions.mp4",
    "streamer_turns.mp4",
)


def read_frame(path: Path, number: int) -> np.ndarray:
    """One frame of a clip."""
    capture = cv2.VideoCapture(str(path))
    for _ in range(number):
        capture.grab()
    good, frame = capture.read()
    capture.release()
    assert good, f"{path} has no frame {number}"
    return frame


@pytest.fixture(scope="session")
def predictor() -> LandmarkPredictor:
    return load_predictor(device="cpu")


@pytest.fixture(scope="session")
def portrait(astronaut: np.ndarray) -> tuple[np.ndarray, Detections]:
    """The astronaut and her detected face."""
    return astronaut, load_detector("retinaface", max_side=512).detect(astronaut)


@pytest.fixture(scope="session")
def people(shared_data: Path) -> list[tuple[np.ndarray, Detections]]:
    """One frame each of six clips, with the largest face found in it."""
    detector = load_detector("retinaface", max_side=640)
    found = []
    for name in CLIPS:
        frame = read_frame(shared_data / "clips" / name, 10)
        seen = detector.detect(frame)
        largest = np.argmax(np.prod(seen.boxes[:, 2:] - seen.boxes[:, :2], axis=1))
        row = slice(largest, largest + 1)
        found.append((frame, Detections(seen.boxes[row], seen.scores[row], seen.keypoints[row])))
    return found
