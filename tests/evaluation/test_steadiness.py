"""The measures of flicker and lag are right on signals whose flicker and lag are known."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.evaluation.steadiness import (
    Piece,
    eye_distances,
    eye_opening,
    flicker,
    lag,
    mouth_opening,
    range_kept,
)
from streamer.landmarks.topology import MEAN_FACE

FACE = np.array(MEAN_FACE, np.float64).reshape(106, 2) * 200
EYE = float(np.linalg.norm(FACE[79] - FACE[66]))


def swaying(times: np.ndarray, behind: float = 0.0) -> np.ndarray:
    """A face that sways by one eye distance, two times in three seconds."""
    offset = np.sin((times - behind) * 4.2) * EYE
    return FACE + np.stack([offset, 0.3 * offset], axis=-1)[:, None]


@pytest.mark.parametrize("fps", [15, 30, 60])
@pytest.mark.parametrize("behind", [-0.01, 0.0, 0.008, 0.033, 0.1])
def test_lag_is_found_to_a_millisecond(fps: float, behind: float) -> None:
    times = np.arange(int(6 * fps)) / fps
    assert lag([Piece(times, swaying(times), swaying(times, behind))]) == pytest.approx(behind, abs=0.002)


def test_lag_is_found_under_noise_and_at_an_uneven_frame_rate() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.02, 0.06, 200))
    raw = swaying(times) + rng.normal(0, 0.02 * EYE, (200, 106, 2))
    assert lag([Piece(times, raw, swaying(times, 0.03))]) == pytest.approx(0.03, abs=0.003)


def test_lag_needs_fast_moves() -> None:
    times = np.arange(100) / 30
    resting = np.repeat(FACE[None], 100, axis=0)
    assert lag([Piece(times, resting, resting)]) is None
    assert lag([]) is None


def test_flicker_of_steady_motion_is_nothing_and_of_trembling_what_it_should_be() -> None:
    frames = np.arange(50)[:, None, None]
    moving = FACE + frames * 3.0
    eyes = eye_distances(moving)
    np.testing.assert_allclose(flicker(moving, eyes), 0.0, atol=1e-12)
    trembling = FACE + (frames % 2) * np.array([0.02 * EYE, 0.0])
    np.testing.assert_allclose(flicker(trembling, eye_distances(trembling)), 0.04)
    assert flicker(moving[:2], eyes[:2]).shape == (0,)


def test_eye_distance_does_not_vanish_in_profile() -> None:
    faces = np.repeat(FACE[None], 9, axis=0)
    faces[4, 79] = faces[4, 66]
    distances = eye_distances(faces)
    assert distances[0] == pytest.approx(EYE)
    assert distances[4] == pytest.approx(EYE / 2)


def test_range_kept_tells_a_washed_out_blink() -> None:
    faces = np.repeat(FACE[None], 90, axis=0)
    lids = 0.04 * EYE * np.abs(np.sin(np.arange(90) / 9))
    half = faces.copy()
    faces[:, [72, 81], 1] += lids[:, None]
    half[:, [72, 81], 1] += lids[:, None] / 2
    assert range_kept(eye_opening(faces), eye_opening(faces)) == pytest.approx(1.0, abs=0.05)
    assert range_kept(eye_opening(faces), eye_opening(half)) == pytest.approx(0.5, abs=0.05)
    assert range_kept(mouth_opening(faces), mouth_opening(half)) is None
