"""How steady smoothed landmarks are, how far they lag, and how much of the expression they keep.

All functions take the landmarks of one track in consecutive frames, ``(t, 106, 2)`` pixels. Measures that
concern noise are in eye distances (outer eye corners, points 66 and 79), so faces of any size compare.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FAST = 1.0
"""Eye distances per second from which a frame counts as a fast move."""

_FEWEST_FAST_FRAMES = 5
_OUTER_EYES = 66, 79
_EYELIDS = (68, 72), (77, 81)
_LIPS = ((98, 102),)


def eye_distances(landmarks: Array) -> Array:
    """Outer eye distance ``(t,)`` in pixels, at least half its median: in profile the visible one vanishes."""
    line = landmarks[:, _OUTER_EYES[1]] - landmarks[:, _OUTER_EYES[0]]
    distances = np.hypot(line[:, 0], line[:, 1])
    return np.maximum(distances, max(float(np.median(distances)) * 0.5, 1.0))


def flicker(landmarks: Array, eyes: Array) -> Array:
    """Normalised motion flicker of each inner frame.

    The norm of the second difference over time, which steady motion does not have and trembling does, averaged
    over the points and divided by the eye distance. Its mean is the NMF of the track.

    Args:
        landmarks: ``(t, 106, 2)``.
        eyes: ``(t,)`` from :func:`eye_distances` of the raw landmarks.

    Returns:
        ``(t - 2,)``; empty if there are fewer than three frames.
    """
    if len(landmarks) < 3:
        return np.zeros(0)
    second = landmarks[2:] - 2.0 * landmarks[1:-1] + landmarks[:-2]
    return np.asarray(np.linalg.norm(second, axis=-1).mean(axis=1) / eyes[1:-1])


class Piece(NamedTuple):
    """Raw and smoothed landmarks ``(t, 106, 2)`` of one track in consecutive frames at times ``(t,)`` seconds."""

    times: Array
    raw: Array
    smooth: Array


def lag(pieces: list[Piece]) -> float | None:
    """Delay in seconds of the smoothed landmarks behind the raw ones on fast moves.

    The shift in time that lays the smoothed trajectories of all points best, in the least-squares sense, over the
    raw ones, found to a fraction of a frame by Gauss-Newton steps on linearly interpolated raw trajectories.
    The raw ones are first smoothed symmetrically (five binomial taps, no delay), so that noise has no say. Only
    frames count in which the face as a whole moves by at least :data:`FAST`.

    Returns:
        The delay, or ``None`` if the pieces hold fewer than five fast frames.
    """
    moves = [_Move.of(piece) for piece in pieces if len(piece.times) >= 8]
    if sum(int(move.fast.sum()) for move in moves) < _FEWEST_FAST_FRAMES:
        return None
    shift = 0.0
    for _ in range(10):
        numerator = denominator = 0.0
        for move in moves:
            shifted, slope = move.at(shift)
            numerator += float(((shifted - move.smooth) * slope)[move.fast].sum())
            denominator += float((slope**2)[move.fast].sum())
        shift += numerator / denominator
    return shift


class _Move(NamedTuple):
    """One piece prepared for :func:`lag`: clean raw trajectory and its slope, smoothed one, fast frames ``(t,)``."""

    times: Array
    clean: Array
    slope: Array
    smooth: Array
    fast: NDArray[np.bool_]

    @classmethod
    def of(cls, piece: Piece) -> _Move:
        clean = _symmetric(piece.raw, (1, 4, 6, 4, 1))
        slope = np.gradient(clean, piece.times, axis=0)
        speed = np.linalg.norm(slope.mean(axis=1), axis=-1) / eye_distances(piece.raw)
        fast = speed >= FAST
        fast[:3] = fast[-3:] = False  # the filter is still settling, or the shifted trajectory would end
        return cls(piece.times, clean, slope, piece.smooth, fast)

    def at(self, shift: float) -> tuple[Array, Array]:
        """Clean trajectory and slope ``shift`` seconds earlier."""
        wanted = self.times - shift
        index = np.clip(np.searchsorted(self.times, wanted, side="right") - 1, 0, len(self.times) - 2)
        part = ((wanted - self.times[index]) / np.diff(self.times)[index])[:, None, None]
        position = self.clean[index] * (1.0 - part) + self.clean[index + 1] * part
        return position, self.slope[index] * (1.0 - part) + self.slope[index + 1] * part


def mouth_opening(landmarks: Array) -> Array:
    """Distance ``(t,)`` between the lips in eye distances."""
    return _opening(landmarks, _LIPS)


def eye_opening(landmarks: Array) -> Array:
    """Mean distance ``(t,)`` between the eyelids in eye distances."""
    return _opening(landmarks, _EYELIDS)


def range_kept(raw: Array, smooth: Array) -> float | None:
    """Share of the raw signal's range (percentiles 2 to 98) that a smoothed one keeps.

    Noise widens the raw range; a symmetric three-tap average takes most of it off first.

    Args:
        raw: ``(t,)``, for example :func:`mouth_opening` of raw landmarks.
        smooth: ``(t,)``, the same of smoothed landmarks.

    Returns:
        About 1 when nothing is washed out, or ``None`` for a signal that does not vary.
    """
    low, high = np.percentile(_symmetric(raw, (1, 2, 1)), [2, 98])
    if high - low < 1e-6:
        return None
    kept_low, kept_high = np.percentile(smooth, [2, 98])
    return float((kept_high - kept_low) / (high - low))


def _opening(landmarks: Array, pairs: tuple[tuple[int, int], ...]) -> Array:
    gaps = [np.linalg.norm(landmarks[:, upper] - landmarks[:, lower], axis=1) for upper, lower in pairs]
    return np.asarray(np.mean(gaps, axis=0) / eye_distances(landmarks))


def _symmetric(signal: Array, weights: tuple[int, ...]) -> Array:
    """Weighted moving average over the first axis; the ends are repeated."""
    reach = len(weights) // 2
    padded = np.pad(signal, ((reach, reach),) + ((0, 0),) * (signal.ndim - 1), mode="edge")
    total = sum(weight * padded[i : i + len(signal)] for i, weight in enumerate(weights))
    return np.asarray(total / sum(weights))
