"""Crops: what goes to the network is upright, tight, and leads back to the same pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamer.landmarks import geometry
from streamer.landmarks.topology import MEAN_FACE, keypoints_from_landmarks


def turned_face(degrees: float, width: float = 200.0, height: float = 240.0) -> np.ndarray:
    """The mean face, stretched and turned clockwise about its middle, at (300, 280): (1, 106, 2)."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (((MEAN_FACE - 0.5) * (width, height)) @ turn.T + (300, 280)).astype(np.float32)[None]


@pytest.mark.parametrize("degrees", range(0, 360, 15))
def test_crop_of_a_turned_face_is_the_crop_of_the_upright_one(degrees: int) -> None:
    landmarks = turned_face(degrees)
    matrix = geometry.crops_from_landmarks(landmarks)
    inside = landmarks[0] @ matrix[0, :, :2].T + matrix[0, :, 2]
    margin = 96 * 0.075 / 1.15
    np.testing.assert_allclose(inside.min(axis=0), margin, atol=0.01)
    np.testing.assert_allclose(inside.max(axis=0), 96 - margin, atol=0.01)
    upright = geometry.crops_from_landmarks(turned_face(0))
    reference = turned_face(0)[0] @ upright[0, :, :2].T + upright[0, :, 2]
    np.testing.assert_allclose(inside, reference, atol=0.01)
    roll = float(geometry.roll_of_crops(matrix)[0])
    assert abs((roll - degrees + 180) % 360 - 180) < 0.1
    np.testing.assert_allclose(geometry.to_image(inside[None], matrix), landmarks, atol=0.01)


@pytest.mark.parametrize("degrees", range(0, 360, 15))
def test_first_crop_of_a_detection_holds_the_face_in_any_rotation(degrees: int) -> None:
    landmarks = turned_face(degrees)
    corners = np.array([[-100, -165], [100, -165], [100, 120], [-100, 120]], np.float64)
    angle = np.deg2rad(degrees)
    corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + (300, 280)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])[None].astype(np.float32)
    matrix = geometry.crops_from_boxes(box, keypoints_from_landmarks(landmarks))
    inside = landmarks[0] @ matrix[0, :, :2].T + matrix[0, :, 2]
    assert inside.min() > -12
    assert inside.max() < 108
    assert np.ptp(inside, axis=0).min() > 55


@pytest.mark.parametrize("width", [60, 250, 500, 1100])
def test_what_is_cut_lies_where_the_matrix_says(width: int) -> None:
    """A bright dot at a point of the face must come out at the same spot, halved before or not."""
    image = np.zeros((1500, 1700, 3), np.uint8)
    landmarks = turned_face(20, width, width * 1.2) + np.float32((500, 450))
    matrix = geometry.crops_from_landmarks(landmarks)
    x, y = landmarks[0, 54]
    cv2.circle(image, (round(float(x)), round(float(y))), max(4, width // 30), (255, 255, 255), -1)
    crop = geometry.cut(image, matrix)[0, :, :, 0].astype(np.float64)
    rows, columns = np.indices(crop.shape)
    found = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum()
    expected = np.round(landmarks[0, 54]) @ matrix[0, :, :2].T + matrix[0, :, 2]
    np.testing.assert_allclose(found, expected, atol=0.12)


def test_faces_that_cannot_be_are_not_usable() -> None:
    good = turned_face(10)
    collapsed = np.full_like(good, 100.0)
    broken = good.copy()
    broken[0, 3] = np.nan
    batch = np.concatenate([good, collapsed, broken, good + 3000, good * 40, good * 0.005, good * np.inf])
    matrices = geometry.crops_from_landmarks(batch)
    assert geometry.usable(matrices, (480, 640, 3)).tolist() == [True] + [False] * 6


def test_a_face_half_out_of_the_image_is_usable() -> None:
    matrices = geometry.crops_from_landmarks(turned_face(0) - np.float32((300, 0)))
    assert geometry.usable(matrices, (480, 640, 3)).tolist() == [True]
