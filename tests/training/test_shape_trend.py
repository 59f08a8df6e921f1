"""Turned faces have the shape that real faces of that pose have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.landmarks.topology import MIRROR
from streamer.training.datasets import FaceSet, load_faces
from streamer.training.shape_trend import ShapeTrend, learn_trend
from streamer.training.turning import turn_face


@pytest.fixture(scope="module")
def faces(shared_data: Path) -> FaceSet:
    return load_faces(shared_data / "faces", limit=4000)


def ear_to_eye(points: np.ndarray) -> float:
    """From the ear that is seen to its eye, in face heights."""
    return float((points[66, 0] - points[0, 0]) / (points[16, 1] - points[33:51, 1].mean()))


def test_turned_faces_are_as_wide_as_real_ones(faces: FaceSet) -> None:
    """Learned without two people, right for these two: the rigid turn is 0.1 face heights off, the trend is not."""
    unseen = np.isin(faces.group, ["person07", "person08"])
    trend = learn_trend(faces.subset(~unseen))
    yaw, pitch = faces.pose[:, 2], faces.pose[:, 0]
    level = np.abs(pitch + 5) < 10
    real = np.median([ear_to_eye(points) for points in faces.landmarks[unseen & level & (np.abs(yaw - 50) < 10)]])
    frontal = np.flatnonzero(level & (np.abs(yaw) < 6))[:40]
    widths = [
        [
            ear_to_eye(turn_face(faces.images[row], faces.landmarks[row], faces.pose[row], -5.0, 50.0, choice).points)
            for row in frontal
        ]
        for choice in (None, trend)
    ]
    rigid, trained = np.median(widths, axis=1)
    assert abs(trained - real) < 0.05
    assert abs(rigid - real) > 2 * abs(trained - real)


def test_the_trend_is_symmetric(faces: FaceSet) -> None:
    """A turn to the left changes the mirror image of what a turn to the right changes."""
    trend = learn_trend(faces)
    straight = np.zeros(3)
    left, right = (trend.change(straight, np.array([10.0, 0, yaw])) for yaw in (-40.0, 40.0))
    assert np.allclose(left[MIRROR] * [-1, 1], right, atol=0.02)
    assert np.abs(right).max() > 0.05


def test_few_faces_give_no_trend(faces: FaceSet) -> None:
    trend = learn_trend(faces.subset(np.arange(50)))
    assert (trend.weights == 0).all()
    assert (ShapeTrend.none().change(np.zeros(3), np.array([0, 0, 50.0])) == 0).all()
