"""The two filters behind :class:`trackers.smoothing.FaceSmoother`: One-Euro and Kalman, for whole faces.

A face is a *signal*: complex ``(109,)``, its 106 landmarks as x + iy in pixels, then pitch, roll and yaw in degrees
(imaginary part 0). In complex numbers a shift, and a turn with growth, are one number each.

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
_REFRESH = 10  # frames after which the modes of a face are taken from its shape anew
_TINY = 1e-30  # keeps speeds of a still picture from dying away into denormal numbers, which are slow

Rigid = tuple[complex, complex]
"""Amounts of the two rigid modes of a face: translation; turn and growth."""


class FaceFilter(Protocol):
    """Filters the signals of ``n`` faces, one row each."""

    def keep(self, rows: Sequence[int]) -> None:
        """Keep the faces of these rows, in this order."""

    def add(self, signals: Signal) -> None:
        """Append faces ``(k, 109)`` that start at these signals."""

    def step(self, signals: Signal, dt: float) -> Signal:
        """Take in the next signals ``(n, 109)``, ``dt`` > 0 seconds after the last; return the smoothed ones."""


class RigidModes:
    """The two ways a face moves as a whole, as orthogonal patterns over its points.

    An amount of 1 in either mode moves the points by a root mean square of 1 pixel. How the face is turned does not
    matter to the patterns, so they are renewed only now and then.

    Attributes:
        eyes: for each face the outer eye distance that a frontal face of its size has, in pixels; unlike the visible
            distance it does not shrink when the head turns aside.
    """

    def __init__(self) -> None:
        self.eyes: list[float] = []
        self._modes: NDArray[np.complex128] = np.zeros((0, 2, POINTS), np.complex128)
        self._duals: NDArray[np.complex128] = np.zeros((0, POINTS, 2), np.complex128)
        self._age = 0

    def renew(self, signals: Signal) -> None:
        """Take the patterns from the shapes of faces ``(n, 109)``."""
        points = signals[:, :POINTS]
        centred = points - points.mean(axis=1, keepdims=True)
        radius = np.sqrt((np.abs(centred) ** 2).mean(axis=1))
        self._modes = np.ones((len(points), 2, POINTS), np.complex128)
        self._modes[:, 1] = centred / np.maximum(radius, 1e-6)[:, None]
        self._duals = np.ascontiguousarray(self._modes.conj().transpose(0, 2, 1)) / POINTS
        self.eyes = np.maximum(radius * _EYES_PER_RADIUS, 1e-6).tolist()
        self._age = 0

    def follow(self, signals: Signal) -> None:
        """Renew the patterns if they are old or the faces are others."""
        self._age += 1
        if self._age >= _REFRESH or len(self.eyes) != len(signals):
            self.renew(signals)

    def measure(self, changes: Signal) -> NDArray[np.complex128]:
        """Amounts ``(n, 1, 2)`` of the modes in changes ``(n, 109)``."""
        return np.asarray(changes[:, None, :POINTS] @ self._duals)

    def draw(self, amounts: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Movement ``(n, 106)`` of the points for amounts ``(n, 1, 2)``."""
        return np.asarray((amounts @ self._modes)[:, 0])


class RigidSpeed:
    """Low-pass filtered speed of one face as a whole."""

    __slots__ = ("_shift", "_turn")

    def __init__(self) -> None:
        self._shift = self._turn = 0j

    def measure(self, moved: Rigid, weight: float, per_second: float) -> float:
        """Root mean square speed of the points after a movement within one frame.

        Args:
            moved: amounts of the modes, in pixels.
            weight: of the new sample in the low-pass filter.
            per_second: what turns pixels per frame into the unit of the result.
        """
        self._shift += weight * (moved[0] * per_second - self._shift)
        self._turn += weight * (moved[1] * per_second - self._turn)
        return math.hypot(abs(self._shift), abs(self._turn))


class OneEuroFaces:
    """One-Euro filters (Casiez et al. 2012) over rigid motion and over what each point does beyond it.

    Args:
        looseness: multiplies all cutoffs; 1 is the measured compromise, more lags less.
    """

    REST, GAIN = 0.7, 4.7  # Hz, and Hz per eye distance a second, for rigid motion
    LOCAL_REST, LOCAL_GAIN = 0.7, 10.5  # likewise for single points and for the angles
    SPEED_CUTOFF, LOCAL_SPEED_CUTOFF = 5.5, 4.0  # Hz

    def __init__(self, looseness: float) -> None:
        self._looseness = looseness
        self._modes = RigidModes()
        self._speeds: list[RigidSpeed] = []
        self._smooth: Signal = np.zeros((0, SIGNAL), np.complex128)
        # What the last frame left to follow, rigid and beyond, and the speed of the latter.
        self._rest: list[Rigid] = []
        self._local_rest: Signal = self._smooth
        self._local_velocity: Signal = self._smooth

    def keep(self, rows: Sequence[int]) -> None:
        """Keep the faces of these rows, in this order."""
        self._speeds = [self._speeds[row] for row in rows]
        self._rest = [self._rest[row] for row in rows]
        self._smooth, self._local_rest = self._smooth[rows], self._local_rest[rows]
        self._local_velocity = self._local_velocity[rows]
        self._modes.renew(self._smooth)

    def add(self, signals: Signal) -> None:
        """Append faces ``(k, 109)`` that start at these signals."""
        still = np.zeros_like(signals)
        self._speeds += [RigidSpeed() for _ in signals]
        self._rest += [(0j, 0j) for _ in signals]
        self._smooth = np.concatenate([self._smooth, signals])
        self._local_rest = np.concatenate([self._local_rest, still])
        self._local_velocity = np.concatenate([self._local_velocity, still])
        self._modes.renew(self._smooth)

    def step(self, signals: Signal, dt: float) -> Signal:
        """Take in the next signals ``(n, 109)``, ``dt`` > 0 seconds after the last; return the smoothed ones."""
        self._modes.follow(self._smooth)
        pending = signals - self._smooth
        amounts = self._modes.measure(pending)
        pending[:, :POINTS] -= self._modes.draw(amounts)
        shares = self._follow_rigid(amounts[:, 0].tolist(), dt)
        followed = self._follow_local(pending, dt)
        followed[:, :POINTS] += self._modes.draw(shares)
        self._smooth = self._smooth + followed
        return self._smooth

    def _follow_rigid(self, pending: list[Rigid], dt: float) -> NDArray[np.complex128]:
        """How much ``(n, 1, 2)`` of the pending rigid motion to follow; in plain Python: it is two numbers a face."""
        weight = smoothing_factor(self.SPEED_CUTOFF, dt)
        shares = []
        for i, ((shift, turn), (old_shift, old_turn)) in enumerate(zip(pending, self._rest, strict=True)):
            new = shift - old_shift, turn - old_turn
            speed = self._speeds[i].measure(new, weight, 1.0 / (dt * self._modes.eyes[i]))
            lag = self._lag_frames(dt) / (self.REST + self.GAIN * speed)
            taps = min(lag, 0.5)
            share = 1.0 / (lag - taps + 1.0)
            followed = (shift - taps * new[0]) * share, (turn - taps * new[1]) * share
            self._rest[i] = shift - followed[0], turn - followed[1]
            shares.append(followed)
        return np.array(shares)[:, None]

    def _follow_local(self, pending: Signal, dt: float) -> Signal:
        """How much ``(n, 109)`` to follow of what each point, and each angle, does beyond the rigid motion."""
        weight = smoothing_factor(self.LOCAL_SPEED_CUTOFF, dt)
        new = pending - self._local_rest
        self._local_velocity *= 1.0 - weight
        self._local_velocity += new * (weight / dt) + _TINY
        cutoff = np.abs(self._local_velocity)
        for row, eye in enumerate(self._modes.eyes):
            cutoff[row, :POINTS] *= self.LOCAL_GAIN / eye
        cutoff[:, POINTS:] *= self.LOCAL_GAIN / _DEGREES_PER_EYE
        cutoff += self.LOCAL_REST
        lag = self._lag_frames(dt) / cutoff
        # Up to half a frame of the lag goes into averaging the newest two samples, the rest into the recursion.
        taps = np.minimum(lag, 0.5)
        followed = (pending - taps * new) / (lag - taps + 1.0)
        self._local_rest = pending - followed
        return np.asarray(followed)

    def _lag_frames(self, dt: float) -> float:
        """Frames of lag that a cutoff of 1 Hz stands for."""
        return 1.0 / (2.0 * math.pi * dt * self._looseness)


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
        self._modes = RigidModes()
        self._speeds: list[RigidSpeed] = []
        self._raw: Signal = np.zeros((0, SIGNAL), np.complex128)
        self._filter = ConstantVelocityKalman(2 * SIGNAL)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep the faces of these rows, in this order."""
        self._speeds = [self._speeds[row] for row in rows]
        self._raw = self._raw[rows]
        self._filter.keep(rows)
        self._modes.renew(self._raw)

    def add(self, signals: Signal) -> None:
        """Append faces ``(k, 109)`` that start at these signals."""
        count = len(signals)
        coordinates = np.ascontiguousarray(signals).view(np.float64)
        self._speeds += [RigidSpeed() for _ in signals]
        self._raw = np.concatenate([self._raw, signals])
        self._filter.add(coordinates, np.full(count, self.MEASURED_STD), np.full(count, self.VELOCITY_STD))
        self._modes.renew(self._raw)

    def step(self, signals: Signal, dt: float) -> Signal:
        """Take in the next signals ``(n, 109)``, ``dt`` > 0 seconds after the last; return the smoothed ones."""
        self._modes.follow(signals)
        new = signals - self._raw
        acceleration = self._accelerations(self._modes.measure(new)[:, 0].tolist(), dt)
        # Noise per second, not per sample: the bandwidth is the same at any frame rate.
        variance = np.full(len(signals), self.MEASURED_STD**2 / (30.0 * dt))
        self._filter.predict(dt, self._density * acceleration**2)
        self._filter.update((signals - self._taps * new).view(np.float64), variance)
        self._raw = signals
        return self._filter.position.view(np.complex128)

    def _accelerations(self, moved: list[Rigid], dt: float) -> NDArray[np.float64]:
        """Standard deviation of the acceleration ``(n,)`` that the speeds of the faces suggest."""
        weight = smoothing_factor(self.SPEED_CUTOFF, dt)
        speeds = [
            speed.measure(amounts, weight, 1.0 / (dt * eye))
            for speed, amounts, eye in zip(self._speeds, moved, self._modes.eyes, strict=True)
        ]
        return self.REST + self.GAIN * np.array(speeds)
