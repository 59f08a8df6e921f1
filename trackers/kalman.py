"""Constant-velocity Kalman filters for any number of objects in one numpy pass.

The model is filterpy's (Labbe, *Kalman and Bayesian Filters in Python*): every coordinate is a position
and a velocity, the velocity is disturbed by continuous white noise
(``filterpy.common.kinematic_state_transition`` and ``filterpy.common.Q_continuous_white_noise``).
The continuous form is used because it does not depend on how time is cut: two predictions of 20 ms equal
one of 40 ms, so a stream of varying frame rate is filtered like a regular one.

One ``filterpy.kalman.KalmanFilter`` per object costs about 100 µs a step; here the coordinates of an object share
one 2x2 covariance (they have the same noise), which leaves a handful of array operations for all objects
together. :meth:`ConstantVelocityKalman.as_filterpy` gives the same filter as a filterpy object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Rows = slice | Sequence[int] | NDArray[np.intp]

ALL = slice(None)


class ConstantVelocityKalman:
    """Kalman filters of ``n`` objects with ``d`` independent coordinates each.

    Attributes:
        position: ``(n, d)`` float64, estimated coordinates.
        velocity: ``(n, d)`` float64, coordinates per second.
        covariance: ``(n, 3)`` float64: variance of the position, covariance of position and velocity, variance
            of the velocity; the same for every coordinate of an object.
    """

    def __init__(self, dimensions: int) -> None:
        self.position: NDArray[np.float64] = np.zeros((0, dimensions))
        self.velocity: NDArray[np.float64] = np.zeros((0, dimensions))
        self.covariance: NDArray[np.float64] = np.zeros((0, 3))

    def __len__(self) -> int:
        return len(self.position)

    def add(self, position: FloatArray, position_std: FloatArray, velocity_std: FloatArray) -> None:
        """Append objects at rest.

        Args:
            position: ``(k, d)`` coordinates.
            position_std: ``(k,)`` standard deviation of the coordinates.
            velocity_std: ``(k,)`` standard deviation of the unknown velocity, per second.
        """
        count = len(position)
        self.position = np.concatenate([self.position, position])
        self.velocity = np.concatenate([self.velocity, np.zeros_like(position, np.float64)])
        self.covariance = np.concatenate([self.covariance, np.zeros((count, 3))])
        new = slice(len(self.position) - count, None)
        self.covariance[new, 0] = position_std**2
        self.covariance[new, 2] = velocity_std**2

    def keep(self, rows: Rows) -> None:
        """Keep the given objects in the given order and forget the others."""
        self.position = self.position[rows]
        self.velocity = self.velocity[rows]
        self.covariance = self.covariance[rows]

    def stop(self, velocity_std: FloatArray, rows: Rows = ALL) -> None:
        """Forget the velocity of objects, for example after a gap in time; positions stay.

        Args:
            velocity_std: standard deviation of the now unknown velocity, one per row.
            rows: which objects.
        """
        self.velocity[rows] = 0.0
        self.covariance[rows, 1] = 0.0
        self.covariance[rows, 2] = velocity_std**2

    def predict(self, dt: float, spectral_density: FloatArray) -> None:
        """Advance all objects by ``dt`` seconds.

        Args:
            dt: time step in seconds, > 0.
            spectral_density: ``(n,)`` power of the white acceleration noise, (coordinate/s²)²·s.
        """
        self.position += self.velocity * dt
        pp, pv, vv = self.covariance.T
        noise = spectral_density * dt
        pp += dt * (2.0 * pv + dt * vv + noise * (dt / 3.0))
        pv += dt * (vv + 0.5 * noise)
        vv += noise

    def update(self, measured: FloatArray, variance: FloatArray, rows: Rows = ALL) -> None:
        """Correct objects by measurements of their position.

        Args:
            measured: ``(k, d)`` measured coordinates.
            variance: ``(k,)`` variance of the measurement, per coordinate.
            rows: which ``k`` objects; all by default.
        """
        covariance = self.covariance[rows]
        gain = covariance[:, :2] / (covariance[:, :1] + np.reshape(variance, (-1, 1)))
        innovation = measured - self.position[rows]
        self.position[rows] += gain[:, :1] * innovation
        self.velocity[rows] += gain[:, 1:] * innovation
        self.covariance[rows] = _posterior(covariance, gain)

    def as_filterpy(self, row: int, dt: float, spectral_density: float, variance: float) -> Any:
        """One object as a ``filterpy.kalman.KalmanFilter`` with the same state, model and noise.

        filterpy is imported here and not with the module: it pulls scipy and matplotlib (about 1 s).

        Args:
            row: which object.
            dt: time step in seconds for its ``F`` and ``Q``.
            spectral_density: as in :meth:`predict`.
            variance: as in :meth:`update`.

        Returns:
            The filter, its state ordered x, x', y, y', …
        """
        from filterpy.common import Q_continuous_white_noise, kinematic_kf

        dimensions = self.position.shape[1]
        twin = kinematic_kf(dimensions, order=1, dt=dt)
        twin.x = np.stack([self.position[row], self.velocity[row]], axis=1).reshape(-1, 1)
        pp, pv, vv = self.covariance[row]
        twin.P = np.kron(np.eye(dimensions), [[pp, pv], [pv, vv]])
        twin.Q = Q_continuous_white_noise(2, dt=dt, spectral_density=spectral_density, block_size=dimensions)
        twin.R = np.eye(dimensions) * variance
        return twin


def _posterior(covariance: FloatArray, gain: FloatArray) -> FloatArray:
    """Covariance ``(k, 3)`` after an update: (I - K H) P."""
    result = covariance.copy()
    result[:, :2] *= 1.0 - gain[:, :1]
    result[:, 2] -= gain[:, 1] * covariance[:, 1]
    return result


class KalmanBoxes:
    """Boxes of any number of faces moving with nearly constant velocity.

    The state is centre and size (cx, cy, w, h). All noise is proportional to the size of the face, so a
    face near the camera and one far away are filtered alike.

    Args:
        acceleration: how strongly a face accelerates, face sizes per s² (standard deviation over 1 s).
        measured_std: error of a measured box, in face sizes.
        velocity_std: velocity of a newly found face, face sizes per second.
    """

    def __init__(self, *, acceleration: float = 6.0, measured_std: float = 0.015, velocity_std: float = 2.0) -> None:
        self.acceleration = acceleration
        self.measured_std = measured_std
        self.velocity_std = velocity_std
        self.filter = ConstantVelocityKalman(4)

    def __len__(self) -> int:
        return len(self.filter)

    @property
    def sizes(self) -> NDArray[np.float64]:
        """``(n,)`` geometric mean of width and height in pixels, at least 1."""
        extent = np.maximum(self.filter.position[:, 2:], 1.0)
        return np.asarray(np.sqrt(extent[:, 0] * extent[:, 1]))

    @property
    def boxes(self) -> NDArray[np.float32]:
        """``(n, 4)`` float32 ``xyxy`` of the current estimates."""
        return to_xyxy(self.filter.position)

    def add(self, boxes: FloatArray) -> None:
        """Append boxes ``(k, 4)`` ``xyxy`` at rest."""
        measured = to_cxcywh(boxes)
        sizes = np.sqrt(np.maximum(measured[:, 2] * measured[:, 3], 1.0))
        self.filter.add(measured, sizes * self.measured_std, sizes * self.velocity_std)

    def keep(self, rows: Rows) -> None:
        """Keep the given rows in the given order."""
        self.filter.keep(rows)

    def place(self, row: int, box: FloatArray) -> None:
        """Put one object at a box ``(4,)`` ``xyxy``, at rest: it was found anew and not followed there."""
        self.filter.position[row] = to_cxcywh(box)
        size = self.sizes[row]
        self.filter.covariance[row, 0] = (size * self.measured_std) ** 2
        self.filter.stop(size * self.velocity_std, [row])

    def stop(self) -> None:
        """Forget all velocities."""
        self.filter.stop(self.sizes * self.velocity_std)

    def predict(self, dt: float) -> None:
        """Advance all boxes by ``dt`` > 0 seconds."""
        self.filter.predict(dt, (self.sizes * self.acceleration) ** 2)
        np.maximum(self.filter.position[:, 2:], 1.0, out=self.filter.position[:, 2:])

    def update(self, boxes: FloatArray, rows: Rows = ALL) -> None:
        """Correct rows by measured boxes ``(k, 4)`` ``xyxy``."""
        measured = to_cxcywh(boxes)
        variance = measured[:, 2] * measured[:, 3] * self.measured_std**2
        self.filter.update(measured, variance, rows)

    def as_filterpy(self, row: int, dt: float) -> Any:
        """One box as a ``filterpy.kalman.KalmanFilter`` set up for a step of ``dt`` seconds."""
        size = float(self.sizes[row])
        return self.filter.as_filterpy(row, dt, (size * self.acceleration) ** 2, (size * self.measured_std) ** 2)


def to_cxcywh(boxes: FloatArray) -> NDArray[np.float64]:
    """``xyxy`` boxes ``(..., 4)`` as centre x, centre y, width, height."""
    result = np.empty(boxes.shape, np.float64)
    low, high = boxes[..., :2], boxes[..., 2:]
    np.subtract(high, low, out=result[..., 2:])
    np.add(low, high, out=result[..., :2])
    result[..., :2] *= 0.5
    return result


def to_xyxy(boxes: FloatArray) -> NDArray[np.float32]:
    """Boxes ``(..., 4)`` given as centre and size as float32 ``xyxy``."""
    half = boxes[..., 2:] * 0.5
    result = np.empty(boxes.shape, np.float32)
    np.subtract(boxes[..., :2], half, out=result[..., :2], casting="unsafe")
    np.add(boxes[..., :2], half, out=result[..., 2:], casting="unsafe")
    return result
