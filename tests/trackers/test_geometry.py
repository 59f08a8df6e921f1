from __future__ import annotations

import numpy as np
import pytest

from streamer.landmarks.topology import MEAN_FACE
from trackers.geometry import Margins, face_frames, same_face

FACE = np.array(MEAN_FACE, np.float64).reshape(106, 2)


def turned(degrees: float, size: float = 200.0, at: tuple[float, float] = (300.0, 250.0)) -> np.ndarray:
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (FACE - FACE.mean(axis=0)) @ rotation * size + at


@pytest.mark.parametrize("degrees", [0, 20, 90, 180, 250, 345])
def test_learned_margins_give_the_detection_back(degrees: float) -> None:
    (frame,) = face_frames(turned(degrees)[None])
    box = np.array([190.0, 120.0, 420.0, 395.0])
    x, y, width, height = Margins.learn(frame, box).apply(frame)
    np.testing.assert_allclose([x - width / 2, y - height / 2, x + width / 2, y + height / 2], box, atol=1e-9)


def test_margins_turn_with_the_face() -> None:
    upright, lying = face_frames(np.stack([turned(0), turned(90)]))
    centre_x, centre_y, width, height = Margins(0.0, -0.2, 1.1, 1.4).apply(upright)
    assert centre_y < upright.y
    x, y, lying_width, lying_height = Margins(0.0, -0.2, 1.1, 1.4).apply(lying)
    # Turned clockwise by a quarter, the forehead points to image-right.
    assert x - lying.x == pytest.approx(upright.y - centre_y, rel=1e-6)
    assert y - lying.y == pytest.approx(centre_x - upright.x, abs=1e-6)
    assert (lying_width, lying_height) == pytest.approx((height, width), rel=1e-6)


def test_a_frame_says_where_and_how_a_face_lies() -> None:
    points = turned(30)
    (frame,) = face_frames(points[None])
    assert (frame.cos, frame.sin) == pytest.approx((np.cos(np.pi / 6), 0.5), abs=0.02)
    low, high = points.min(axis=0), points.max(axis=0)
    assert (frame.x, frame.y) == pytest.approx(tuple((low + high) / 2))
    assert (frame.width, frame.height) == pytest.approx(tuple(high - low))


def test_same_face_by_overlap_or_by_eyes() -> None:
    here, beside, inside = face_frames(np.stack([turned(0), turned(0, at=(420, 250)), turned(0, 80, (300, 230))]))
    assert same_face(here, here)
    assert not same_face(here, beside)
    assert same_face(here, inside) == same_face(inside, here)


def test_a_squeezed_face_is_noticed_a_turned_one_is_not() -> None:
    points = turned(0)
    squeezed = (points - points.mean(axis=0)) * (1.0, 0.6) + points.mean(axis=0)
    upright, lying, thin = face_frames(np.stack([points, turned(90), squeezed]))
    assert thin.reshaped(upright)
    assert not lying.reshaped(upright)
    assert not upright.reshaped(None)
