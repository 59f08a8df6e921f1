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
        covariance: ``(3, n)`` float64: variance of the position, covariance of position and velocity, variance
            of the velocity; the same for every coordinate of an object.
    """

    def __init__(self, dimensions: int) -> None:
        self.position: NDArray[np.float64] = np.zeros((0, dimensions))
        self.velocity: NDArray[np.float64] = np.zeros((0, dimensions))
        self.covariance: NDArray[np.float64] = np.zeros((3, 0))
        self._dt = 0.0
        self._transition = np.eye(3)
        self._noise = np.zeros((3, 1))

    def __len__(self) -> int:
        return len(self.position)

    def add(self, position: FloatArray, position_std: FloatArray, velocity_std: FloatArray) -> None:
        """Append objects at rest.

        Args:
            position: ``(k, d)`` coordinates.
            position_std: ``(k,)`` standard deviation of the coordinates.
            velocity_std: ``(k,)`` standard deviation of the unknown velocity, per second.
        """
        covariance = np.stack([position_std**2, np.zeros(len(position)), velocity_std**2])
        self.position = np.concatenate([self.position, position])
        self.velocity = np.concatenate([self.velocity, np.zeros_like(position, np.float64)])
        self.covariance = np.concatenate([self.covariance, covariance], axis=1)

    def keep(self, rows: Rows) -> None:
        """Keep the given objects in the given order and forget the others."""
        rows = rows if isinstance(rows, slice) else np.asarray(rows, np.intp)
        self.position = self.position[rows]
        self.velocity = self.velocity[rows]
        self.covariance = self.covariance[:, rows]

    def stop(self, velocity_std: FloatArray, rows: Rows = ALL) -> None:
        """Forget the velocity of objects, for example after a gap in time; positions stay.

        Args:
            velocity_std: standard deviation of the now unknown velocity, one per row.
            rows: which objects.
        """
        self.velocity[rows] = 0.0
        self.covariance[1, rows] = 0.0
        self.covariance[2, rows] = velocity_std**2

    def predict(self, dt: float, spectral_density: FloatArray) -> None:
        """Advance all objects by ``dt`` seconds.

        Args:
            dt: time step in seconds, > 0.
            spectral_density: ``(n,)`` power of the white acceleration noise, (coordinate/s²)²·s.
        """
        if dt != self._dt:
            self._dt = dt
            # F P F' and Q written out for the three distinct entries of the 2x2 covariance.
            self._transition = np.array([[1.0, 2.0 * dt, dt * dt], [0.0, 1.0, dt], [0.0, 0.0, 1.0]])
            self._noise = np.array([[dt**3 / 3.0], [dt**2 / 2.0], [dt]])
        self.position += self.velocity * dt
        self.covariance = self._transition @ self.covariance + self._noise * spectral_density

    def update(self, measured: FloatArray, variance: FloatArray, rows: Rows = ALL) -> None:
        """Correct objects by measurements of their position.

        Args:
            measured: ``(k, d)`` measured coordinates.
            variance: ``(k,)`` variance of the measurement, per coordinate.
            rows: which ``k`` objects; all by default.
        """
        covariance = self.covariance[:, rows]
        gain = covariance[:2] / (covariance[0] + variance)
        innovation = measured - self.position[rows]
        self.position[rows] += gain[0][:, None] * innovation
        self.velocity[rows] += gain[1][:, None] * innovation
        # (I - K H) P
        self.covariance[2, rows] -= gain[1] * covariance[1]
        self.covariance[:2, rows] = covariance[:2] * (1.0 - gain[0])

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
        from filterpy.common import Q_continuous_white_noise, kinematic_state_transition
        from filterpy.kalman import KalmanFilter

        dimensions = self.position.shape[1]
        twin = KalmanFilter(dim_x=2 * dimensions, dim_z=dimensions)
        twin.F = np.kron(np.eye(dimensions), kinematic_state_transition(1, dt))
        twin.H = np.kron(np.eye(dimensions), [[1.0, 0.0]])
        twin.x = np.stack([self.position[row], self.velocity[row]], axis=1).reshape(-1, 1)
        pp, pv, vv = self.covariance[:, row]
        twin.P = np.kron(np.eye(dimensions), [[pp, pv], [pv, vv]])
        twin.Q = Q_continuous_white_noise(2, dt=dt, spectral_density=spectral_density, block_size=dimensions)
        twin.R = np.eye(dimensions) * variance
        return twin


class KalmanBoxes:
    """Boxes of any number of faces moving with nearly constant velocity.

    The state is centre and size (cx, cy, w, h). All noise is proportional to the size of the face, so a
    face near the camera and one far away are filtered alike.

    Args:
        acceleration: how strongly a face accelerates, face sizes per s² (standard deviation over 1 s).
        measured_std: error of a measured box, in face sizes.
        velocity_std: velocity of a newly found face, face sizes per second.

    Attributes:
        sizes: ``(n,)`` geometric mean of width and height in pixels, at least 1.
    """

    def __init__(self, *, acceleration: float = 6.0, measured_std: float = 0.015, velocity_std: float = 2.0) -> None:
        self.acceleration = acceleration
        self.measured_std = measured_std
        self.velocity_std = velocity_std
        self.filter = ConstantVelocityKalman(4)
        self.sizes: NDArray[np.float64] = np.zeros(0)

    def __len__(self) -> int:
        return len(self.filter)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """``(n, 4)`` float32 ``xyxy`` of the current estimates."""
        return to_xyxy(self.filter.position)

    def add(self, measured: FloatArray) -> None:
        """Append boxes ``(k, 4)`` given as centre and size, at rest."""
        sizes = box_sizes(measured)
        self.filter.add(measured, sizes * self.measured_std, sizes * self.velocity_std)
        self.sizes = np.concatenate([self.sizes, sizes])

    def keep(self, rows: Rows) -> None:
        """Keep the given rows in the given order."""
        self.filter.keep(rows)
        self.sizes = box_sizes(self.filter.position)

    def place(self, row: int, measured: FloatArray) -> None:
        """Put one object at a box ``(4,)``, at rest: it was found anew and not followed there."""
        self.filter.position[row] = measured
        self.sizes[row] = size = box_sizes(self.filter.position[row : row + 1])[0]
        self.filter.covariance[0, row] = (size * self.measured_std) ** 2
        self.filter.stop(size * self.velocity_std, [row])

    def stop(self) -> None:
        """Forget all velocities."""
        self.filter.stop(self.sizes * self.velocity_std)

    def hold_size(self, row: int) -> None:
        """Let one object keep its size while nothing is seen of it."""
        self.filter.velocity[row, 2:] = 0.0

    def predict(self, dt: float) -> None:
        """Advance all boxes by ``dt`` > 0 seconds."""
        self.filter.predict(dt, (self.sizes * self.acceleration) ** 2)
        self.sizes = box_sizes(self.filter.position)

    def update(self, measured: FloatArray, rows: Rows = ALL) -> None:
        """Correct rows by measured boxes ``(k, 4)`` given as centre and size."""
        self.filter.update(measured, (self.sizes[rows] * self.measured_std) ** 2, rows)
        self.sizes = box_sizes(self.filter.position)

    def as_filterpy(self, row: int, dt: float) -> Any:
        """One box as a ``filterpy.kalman.KalmanFilter`` set up for a step of ``dt`` seconds."""
        size = float(self.sizes[row])
        return self.filter.as_filterpy(row, dt, (size * self.acceleration) ** 2, (size * self.measured_std) ** 2)


def box_sizes(boxes: FloatArray) -> NDArray[np.float64]:
    """Geometric mean ``(n,)`` of width and height of ``(n, 4)`` boxes given as centre and size, at least 1."""
    return np.sqrt(np.maximum(boxes[:, 2] * boxes[:, 3], 1.0))


def to_cxcywh(boxes: FloatArray) -> NDArray[np.float64]:
    """``xyxy`` boxes ``(..., 4)`` as centre x, centre y, width, height."""
    result = np.empty(boxes.shape)
    low, high = boxes[..., :2], boxes[..., 2:]
    np.subtract(high, low, out=result[..., 2:])
    np.add(low, high, out=result[..., :2])
    result[..., :2] *= 0.5
    return result


def to_xyxy(boxes: FloatArray) -> NDArray[np.float32]:
    """Boxes ``(..., 4)`` given as centre and size as float32 ``xyxy``."""
    half = boxes[..., 2:] * 0.5
    result = np.empty(boxes.shape, np.float32)
    np.subtract(boxes[..., :2], half, out=result[..., :2], casting="same_kind")
    np.add(boxes[..., :2], half, out=result[..., 2:], casting="same_kind")
    return result
