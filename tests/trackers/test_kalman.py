"""The batched Kalman filter is filterpy's, only faster, and does not depend on how time is cut."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from trackers import ConstantVelocityKalman, KalmanBoxes
from trackers.kalman import to_cxcywh, to_xyxy


def moving_boxes(count: int, seed: int = 0) -> KalmanBoxes:
    rng = np.random.default_rng(seed)
    boxes = KalmanBoxes()
    boxes.add(np.column_stack([rng.uniform(50, 500, (count, 2)), rng.uniform(30, 200, (count, 2))]))
    return boxes


def test_predict_and_update_equal_filterpy_over_a_sequence_of_uneven_steps() -> None:
    rng = np.random.default_rng(1)
    boxes = moving_boxes(5)
    for step in range(60):
        dt = float(rng.uniform(0.01, 0.1))
        twins = [boxes.as_filterpy(row, dt) for row in range(5)]
        boxes.predict(dt)
        for row, twin in enumerate(twins):
            twin.predict()
            assert_same(boxes.filter, row, twin, step)
        measured = boxes.filter.position + rng.normal(0, 3, (5, 4))
        twins = [(row, boxes.as_filterpy(row, dt)) for row in (0, 2, 4)]
        boxes.update(measured[[0, 2, 4]], [0, 2, 4])
        for row, twin in twins:
            twin.update(measured[row])
            assert_same(boxes.filter, row, twin, step)


def assert_same(batch: ConstantVelocityKalman, row: int, twin: object, step: int) -> None:
    state, covariance = twin.x.reshape(-1, 2), twin.P  # type: ignore[attr-defined]
    pp, pv, vv = batch.covariance[:, row]
    expected = np.kron(np.eye(4), [[pp, pv], [pv, vv]])
    where = f"row {row}, step {step}"
    np.testing.assert_allclose(batch.position[row], state[:, 0], rtol=1e-9, atol=1e-9, err_msg=where)
    np.testing.assert_allclose(batch.velocity[row], state[:, 1], rtol=1e-9, atol=1e-9, err_msg=where)
    np.testing.assert_allclose(covariance, expected, rtol=1e-9, atol=1e-9, err_msg=where)


def test_two_short_predictions_equal_one_long_one() -> None:
    once, twice = ConstantVelocityKalman(2), ConstantVelocityKalman(2)
    for kalman in (once, twice):
        kalman.add(np.array([[1.0, 2.0]]), np.array([0.5]), np.array([3.0]))
        kalman.velocity[:] = [[4.0, -1.0]]
    density = np.array([7.0])
    once.predict(0.09, density)
    twice.predict(0.02, density)
    twice.predict(0.07, density)
    np.testing.assert_allclose(twice.position, once.position, rtol=1e-12)
    np.testing.assert_allclose(twice.covariance, once.covariance, rtol=1e-12)


def test_learns_the_velocity_of_a_face_and_predicts_it() -> None:
    boxes = moving_boxes(1)
    start = boxes.filter.position.copy()
    velocity = np.array([[120.0, -40.0, 0.0, 0.0]])
    for frame in range(1, 40):
        boxes.predict(1 / 30)
        boxes.update(start + velocity * frame / 30)
    np.testing.assert_allclose(boxes.filter.velocity, velocity, atol=2.0)
    boxes.predict(0.1)
    np.testing.assert_allclose(boxes.filter.position, start + velocity * (39 / 30 + 0.1), atol=1.0)


def test_keep_place_and_stop_touch_only_their_rows() -> None:
    boxes = moving_boxes(4)
    before = boxes.filter.position.copy()
    boxes.keep([3, 1])
    np.testing.assert_array_equal(boxes.filter.position, before[[3, 1]])
    boxes.filter.velocity[:] = 9.0
    boxes.place(0, np.array([10.0, 20.0, 30.0, 40.0]))
    np.testing.assert_array_equal(boxes.filter.position, [[10, 20, 30, 40], before[1]])
    np.testing.assert_array_equal(boxes.filter.velocity, [[0] * 4, [9] * 4])
    boxes.stop()
    np.testing.assert_array_equal(boxes.filter.velocity, np.zeros((2, 4)))
    assert len(boxes) == len(boxes.sizes) == 2


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_box_forms_are_inverse(shape: tuple[int, ...]) -> None:
    corners = np.random.default_rng(2).uniform(0, 100, shape).astype(np.float32)
    corners[..., 2:] += corners[..., :2]
    np.testing.assert_allclose(to_xyxy(to_cxcywh(corners)), corners, atol=1e-4)


def test_importing_the_package_loads_none_of_the_heavy_libraries() -> None:
    code = "import sys, trackers; print([m for m in ('filterpy', 'scipy', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
