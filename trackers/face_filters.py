"""The two filters behind :class:`trackers.smoothing.FaceSmoother`: One-Euro and Kalman, for whole faces.

A face is a *signal*: complex ``(109,)``, its 106 landmarks as x + iy in pixels, then pitch, roll and yaw in degrees
(imaginary part 0). Complex numbers make the rigid motion of a face one multiplication: z -> c + (1 + r) z moves by c,
turns and scales by r.

Three things make these filters steadier, at the same lag, than the textbook form per coordinate:

* **A shared view of motion.** The face's own motion is estimated from all 106 points together, where the noise of
  single points averages out. It decides how fast the whole face may be followed; what a point does beyond it
  (blinks, lips) is filtered on its own.
* **Two-tap averages.** Landmark noise is worst at the highest frequencies, which flicker weighs most. Instead of
  the newest sample the filters take the middle between the newest two while nothing moves fast; this is the
  trapezoidal discretisation of a first-order low-pass, has a zero at half the frame rate, and costs half a
  frame of the lag that the cutoff allows anyway.
* **Lag in seconds.** A cutoff f stands for a lag of 1 / (2 pi f) whatever the frame rate is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trackers.kalman import ConstantVelocityKalman
from trackers.one_euro import smoothing_factor

Signal = NDArray[np.complex128]
FloatArray = NDArray[np.floating[Any]]

POINTS = 106
SIGNAL = POINTS + 3

_EYES_PER_RADIUS = 1.52  # outer eye distance by root mean square radius of the mean face's 106 points
_DEGREES_PER_EYE = 60.0  # turning the head by this much weighs as much as moving by the eye distance
_ROTATION_WEIGHT = 0.7  # eye distances a typical point moves when the face turns by 1 radian or scales by e


class FaceFilter(Protocol):
    """Filters the signals of ``n`` faces, one row each."""

    def keep(self, rows: Sequence[int]) -> None:
        """Keep the faces of these rows, in this order."""

    def add(self, signals: Signal) -> None:
        """Append faces ``(k, 109)`` that start at these signals."""

    def step(self, signals: Signal, dt: float) -> Signal:
        """Take in the next signals ``(n, 109)``, ``dt`` > 0 seconds after the last; return the smoothed ones."""


class Motion:
    """Splits what happens to faces into rigid motion and the rest, and measures the rigid speed.

    Args:
        cutoff: of the low-pass filter on the speed, in Hz.

    Attributes:
        velocity: ``(n, 2)`` complex: translation in pixels per second; turn and growth per second.
    """

    def __init__(self, cutoff: float) -> None:
        self._cutoff = cutoff
        self.velocity: Signal = np.zeros((0, 2), np.complex128)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows."""
        self.velocity = self.velocity[rows]

    def add(self, count: int) -> None:
        """Append faces at rest."""
        self.velocity = np.concatenate([self.velocity, np.zeros((count, 2), np.complex128)])

    def split(self, reference: Signal, changes: Signal) -> tuple[Signal, NDArray[np.float64], NDArray[np.complex128]]:
        """Take the rigid part out of changes, in place.

        Args:
            reference: ``(n, 109)`` faces that change.
            changes: ``(n, k, 109)``; left without their rigid part.

        Returns:
            The centred landmarks ``(n, 106)``; the eye distance ``(n,)`` in pixels a frontal face of this size has (it
            does not shrink when the head turns); the rigid parts ``(n, k, 2)``: translation, turn and growth.
        """
        points = reference[:, :POINTS]
        centred = points - np.add.reduce(points, axis=1, keepdims=True) / POINTS
        conjugate = centred.conj()[:, :, None]
        power = (centred[:, None] @ conjugate)[:, :, 0].real
        moved = changes[..., :POINTS]
        rigid = np.empty((*changes.shape[:2], 2), np.complex128)
        rigid[..., 0] = np.add.reduce(moved, axis=2) / POINTS
        rigid[..., 1] = (moved @ conjugate)[..., 0] / np.maximum(power, 1e-9)
        moved -= rigid[..., :1]
        moved -= rigid[..., 1:] * centred[:, None]
        return centred, np.sqrt(power[:, 0] * (_EYES_PER_RADIUS**2 / POINTS)), rigid

    def speed(self, moved: Signal, eye: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
        """Rigid speed ``(n,)`` in eye distances per second, after rigid motion ``(n, 2)`` within ``dt``."""
        self.velocity += smoothing_factor(self._cutoff, dt) * (moved / dt - self.velocity)
        speeds = np.abs(self.velocity)
        return np.asarray(speeds[:, 0] / np.maximum(eye, 1e-6) + _ROTATION_WEIGHT * speeds[:, 1])


class OneEuroFaces:
    """One-Euro filters (Casiez et al. 2012) over rigid motion and over what each point does beyond it.

    Args:
        looseness: multiplies all cutoffs; 1 is the measured compromise, more lags less.
    """

    REST, GAIN = 0.7, 4.8  # Hz, and Hz per eye distance a second, for rigid motion
    LOCAL_REST, LOCAL_GAIN = 0.75, 12.0  # likewise for single points and for the angles
    SPEED_CUTOFF, LOCAL_SPEED_CUTOFF = 4.0, 3.5  # Hz

    def __init__(self, looseness: float) -> None:
        self._looseness = looseness
        self._motion = Motion(self.SPEED_CUTOFF)
        self._raw: Signal = np.zeros((0, SIGNAL), np.complex128)
        self._smooth: Signal = self._raw.copy()
        self._local_velocity: Signal = self._raw.copy()

    def keep(self, rows: Sequence[int]) -> None:
        """Keep the faces of these rows, in this order."""
        self._motion.keep(rows)
        self._raw, self._smooth = self._raw[rows], self._smooth[rows]
        self._local_velocity = self._local_velocity[rows]

    def add(self, signals: Signal) -> None:
        """Append faces ``(k, 109)`` that start at these signals."""
        self._motion.add(len(signals))
        self._raw = np.concatenate([self._raw, signals])
        self._smooth = np.concatenate([self._smooth, signals])
        self._local_velocity = np.concatenate([self._local_velocity, np.zeros_like(signals)])

    def step(self, signals: Signal, dt: float) -> Signal:
        """Take in the next signals ``(n, 109)``, ``dt`` > 0 seconds after the last; return the smoothed ones."""
        changes = np.empty((len(signals), 2, SIGNAL), np.complex128)
        np.subtract(signals, self._smooth, out=changes[:, 0])  # what is still to follow
        np.subtract(signals, self._raw, out=changes[:, 1])  # what is new in this frame
        centred, eye, rigid = self._motion.split(self._smooth, changes)
        speed = self._motion.speed(rigid[:, 1], eye, dt)
        share = _blend(rigid[:, 0], rigid[:, 1], self._lag(self.REST + self.GAIN * speed, dt)[:, None])
        local = _blend(changes[:, 0], changes[:, 1], self._local_lag(changes[:, 1], eye, dt))
        local[:, :POINTS] += share[:, :1] + share[:, 1:] * centred
        self._smooth = self._smooth + local
        self._raw = signals
        return self._smooth

    def _local_lag(self, moved: Signal, eye: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
        """Lag ``(n, 109)`` in frames that each point and angle is allowed by its speed beyond the rigid one."""
        weight = smoothing_factor(self.LOCAL_SPEED_CUTOFF, dt)
        self._local_velocity *= 1.0 - weight
        self._local_velocity += moved * (weight / dt)
        speed = np.abs(self._local_velocity)
        speed[:, :POINTS] *= (self.LOCAL_GAIN / np.maximum(eye, 1e-6))[:, None]
        speed[:, POINTS:] *= self.LOCAL_GAIN / _DEGREES_PER_EYE
        speed += self.LOCAL_REST
        return self._lag(speed, dt)

    def _lag(self, cutoff: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
        """Lag in frames that a cutoff stands for."""
        return np.asarray((1.0 / (2.0 * math.pi * dt * self._looseness)) / cutoff)


def _blend(pending: Signal, new: Signal, lag: NDArray[np.float64]) -> Signal:
    """How much of the pending change a first-order filter follows, so that it lags by ``lag`` frames.

    Up to half a frame of the lag goes into averaging the newest two samples, the rest into the recursion.
    """
    taps = np.minimum(lag, 0.5)
    return np.asarray((pending - taps * new) / (lag - taps + 1.0))


class KalmanFaces:
    """Constant-velocity Kalman filters whose process noise grows with the speed of the face.

    All coordinates of a face have the same noise in face sizes, hence the same gain: one 2x2 covariance a face.

    Args:
        looseness: multiplies the bandwidth; 1 is the measured compromise, more lags less.
    """

    REST, GAIN = 0.1, 1.2  # standard deviation of the acceleration, eye distances per s², at rest and per speed
    MEASURED_STD = 0.01  # eye distances, at 30 frames a second
    VELOCITY_STD = 2.0  # eye distances per second
    SPEED_CUTOFF = 2.4  # Hz

    def __init__(self, looseness: float) -> None:
        self._density = looseness**4
        self._taps = min(0.5, 0.5 / looseness)
        self._motion = Motion(self.SPEED_CUTOFF)
        self._raw: Signal = np.zeros((0, SIGNAL), np.complex128)
        self._filter = ConstantVelocityKalman(2 * SIGNAL)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep the faces of these rows, in this order."""
        self._motion.keep(rows)
        self._raw = self._raw[rows]
        self._filter.keep(rows)

    def add(self, signals: Signal) -> None:
        """Append faces ``(k, 109)`` that start at these signals."""
        count = len(signals)
        self._motion.add(count)
        self._raw = np.concatenate([self._raw, signals])
        coordinates = np.ascontiguousarray(signals).view(np.float64)
        self._filter.add(coordinates, np.full(count, self.MEASURED_STD), np.full(count, self.VELOCITY_STD))

    def step(self, signals: Signal, dt: float) -> Signal:
        """Take in the next signals ``(n, 109)``, ``dt`` > 0 seconds after the last; return the smoothed ones."""
        moved = signals - self._raw
        measured = signals - self._taps * moved
        _, eye, rigid = self._motion.split(signals, moved[:, None])
        acceleration = self.REST + self.GAIN * self._motion.speed(rigid[:, 0], eye, dt)
        # Noise per second, not per sample: the bandwidth is the same at any frame rate.
        variance = np.full(len(signals), self.MEASURED_STD**2 / (30.0 * dt))
        self._filter.predict(dt, self._density * acceleration**2)
        self._filter.update(measured.view(np.float64), variance)
        self._raw = signals
        return self._filter.position.view(np.complex128)
