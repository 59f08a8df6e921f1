"""Smoothing: steady at rest, close on the heels of motion, the same at any frame rate and for any number of faces."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.landmarks.topology import MEAN_FACE
from trackers import FaceSmoother

FACE = np.array(MEAN_FACE, np.float64).reshape(106, 2)
EYE = float(np.linalg.norm(FACE[79] - FACE[66]))
KINDS = ("one_euro", "kalman")


def still(frames: int, *, size: float = 200.0, noise: float = 0.01, seed: int = 0) -> np.ndarray:
    """A trembling face that does not move: noise in eye distances, half of it common to all points."""
    rng = np.random.default_rng(seed)
    scale = noise * size * EYE / np.sqrt(2)
    common = rng.normal(0, scale, (frames, 1, 2))
    return FACE * size + (300, 200) + common + rng.normal(0, scale, (frames, 106, 2))


def smooth(points: np.ndarray, kind: str, strength: float = 0.5, fps: float = 30.0) -> np.ndarray:
    smoother = FaceSmoother(kind, strength)
    pose = np.zeros((1, 3))
    return np.array([smoother.smooth([1], p[None], pose, i / fps)[0][0] for i, p in enumerate(points)], np.float64)


def flicker(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[2:] - 2 * points[1:-1] + points[:-2], axis=-1).mean())


def ramp_lag(kind: str, fps: float, speed: float, strength: float = 0.5) -> float:
    """Seconds behind a face that moves at ``speed`` eye distances a second, once settled."""
    times = np.arange(int(4 * fps)) / fps
    points = FACE * 200 + np.stack([times * speed * 200 * EYE, 0 * times], axis=-1)[:, None]
    behind = (points - smooth(points, kind, strength, fps))[-int(fps) :, :, 0].mean()
    return float(behind / (speed * 200 * EYE))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [60.0, 600.0])
def test_a_still_face_flickers_at_least_two_thirds_less_at_any_size(kind: str, size: float) -> None:
    raw = still(150, size=size)
    assert flicker(smooth(raw, kind)) < flicker(raw) / 3


@pytest.mark.parametrize("kind", KINDS)
def test_more_strength_is_steadier(kind: str) -> None:
    raw = still(150)
    levels = [flicker(smooth(raw, kind, strength)) for strength in (0.0, 0.1, 0.3, 0.5, 0.8, 1.0)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < levels[0] / 8


def test_kind_none_and_strength_nothing_change_nothing() -> None:
    raw = still(20)
    for points in (smooth(raw, "none"), smooth(raw, "one_euro", 0.0)):
        np.testing.assert_allclose(points, raw, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fps", [15, 25, 30, 60])
def test_lag_on_a_fast_move_is_under_a_frame_at_30_fps(kind: str, fps: float) -> None:
    assert -0.005 < ramp_lag(kind, fps, speed=2.0) < 1 / 30 + 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_lag_does_not_depend_on_the_frame_rate(kind: str) -> None:
    if kind == "one_euro":
        lags = [ramp_lag(kind, fps, speed=1.0) for fps in (15, 30, 60, 120)]
        assert max(lags) - min(lags) < 0.004
    else:
        # Without the half frame that averaging two samples costs, a Kalman filter has no steady lag at any rate.
        lags = [ramp_lag(kind, fps, speed=1.0) - 0.5 / fps for fps in (15, 30, 60, 120)]
        assert max(map(abs, lags)) < 0.004


@pytest.mark.parametrize("kind", KINDS)
def test_steps_settle_within_the_same_time_at_any_frame_rate(kind: str) -> None:
    """A point jumps (an eyelid) while the face rests: three quarters are shown within a quarter of a second."""
    for fps in (15, 30, 60):
        points = np.repeat(FACE[None] * 200.0, 2 * int(fps), axis=0)
        points[int(fps) :, 72, 1] -= 0.1 * 200 * EYE
        moved = (points - smooth(points, kind, fps=fps))[int(fps) :, 72, 1] / (-0.1 * 200 * EYE)
        assert moved[round(0.25 * fps)] < 0.25, fps


@pytest.mark.parametrize("kind", KINDS)
def test_a_blink_is_not_washed_out(kind: str) -> None:
    """Eyelids that close and open within 200 ms keep most of their way."""
    times = np.arange(60) / 30
    closed = np.clip(1 - np.abs(times - 1.0) / 0.1, 0, None)
    points = np.repeat(FACE[None] * 200.0, 60, axis=0)
    points[:, [68, 77], 1] += closed[:, None] * 0.1 * 200 * EYE
    way = smooth(points, kind)[:, 68, 1]
    assert way.max() - way.min() > 0.5 * 0.1 * 200 * EYE


@pytest.mark.parametrize("kind", KINDS)
def test_many_faces_are_filtered_as_each_alone(kind: str) -> None:
    faces = np.stack([still(40, seed=i) + np.array([i * 300, 0]) for i in range(5)], axis=1)
    pose = np.random.default_rng(9).normal(0, 3, (40, 5, 3))
    together = FaceSmoother(kind)
    alone = [FaceSmoother(kind) for _ in range(5)]
    for frame in range(40):
        order = np.roll(np.arange(5), frame // 10)  # ids change places now and then
        points, angles = together.smooth(order.tolist(), faces[frame, order], pose[frame, order], frame / 30)
        for row, i in enumerate(order):
            p, a = alone[i].smooth([0], faces[frame, [i]], pose[frame, [i]], frame / 30)
            np.testing.assert_allclose(points[row], p[0], atol=2e-2)
            np.testing.assert_allclose(angles[row], a[0], atol=2e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_face_starts_at_its_own_landmarks_and_a_dropped_one_is_forgotten(kind: str) -> None:
    smoother, here, there = FaceSmoother(kind), FACE[None] * 100, FACE[None] * 100 + 500
    pose = np.zeros((2, 3))
    for frame in range(10):
        smoother.smooth([1], here, pose[:1], frame / 30)
    points, _ = smoother.smooth([2, 1], np.concatenate([there, here]), pose, 10 / 30)
    np.testing.assert_allclose(points, np.concatenate([there, here]), atol=1e-3)
    smoother.smooth([2], there, pose[:1], 11 / 30)
    points, _ = smoother.smooth([2, 1], np.concatenate([there, there]), pose, 12 / 30)
    np.testing.assert_allclose(points[1], there[0], atol=1e-3)
    points, angles = smoother.smooth([], np.zeros((0, 106, 2)), np.zeros((0, 3)), 13 / 30)
    assert points.shape == (0, 106, 2)
    assert angles.shape == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", [0.0, -0.5, 1.5, 3600.0])
def test_time_that_does_not_advance_or_jumps_starts_over(kind: str, step: float) -> None:
    smoother, pose = FaceSmoother(kind), np.zeros((1, 3))
    for frame in range(30):
        smoother.smooth([1], FACE[None] * 100 + frame * 3, pose, frame / 30)
    elsewhere = FACE[None] * 100 - 400
    points, _ = smoother.smooth([1], elsewhere, pose, 29 / 30 + step)
    np.testing.assert_allclose(points, elsewhere, atol=1e-3)
    points, _ = smoother.smooth([1], elsewhere, pose, 30 / 30 + step)
    np.testing.assert_allclose(points, elsewhere, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("speed", "flicker_left"), [(0.0, 0.4), (90.0, 0.75)])
def test_angles_are_smoothed_and_pass_180_degrees_the_short_way(kind: str, speed: float, flicker_left: float) -> None:
    smoother, rng = FaceSmoother(kind), np.random.default_rng(3)
    true = 175.0 + np.arange(120) * speed / 30
    raw = true + rng.normal(0, 1.0, 120)
    shown = []
    for frame in range(120):
        pose = np.array([[0.0, (raw[frame] + 180) % 360 - 180, 0.0]])
        _, angles = smoother.smooth([1], FACE[None] * 100, pose, frame / 30)
        assert -180 <= angles[0, 1] <= 180
        shown.append(float(angles[0, 1]))
    error = (np.array(shown) - true + 180) % 360 - 180
    assert np.abs(error[10:]).max() < 8
    steps, raw_steps = (np.diff(angles, 2) for angles in (np.unwrap(shown, period=360), raw))
    assert np.abs(steps).mean() < np.abs(raw_steps).mean() * flicker_left


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_new_arrays(kind: str) -> None:
    smoother, points = FaceSmoother(kind), FACE[None] * 100
    first, _ = smoother.smooth([1], points, np.zeros((1, 3)), 0.0)
    first[:] = np.nan
    second, angles = smoother.smooth([1], points, np.zeros((1, 3)), 0.1)
    assert np.isfinite(second).all()
    assert second.dtype == angles.dtype == np.float32


def test_a_still_picture_never_reaches_denormal_numbers() -> None:
    smoother, points, pose = FaceSmoother(), FACE[None] * 100, np.zeros((1, 3))
    smoother.smooth([1], points + 3, pose, 0.0)
    for frame in range(1, 4000):
        smoother.smooth([1], points, pose, frame / 30)
    speed = np.abs(smoother._filter._local_velocity)  # type: ignore[union-attr]
    assert ((speed == 0) | (speed > 1e-300)).all()
