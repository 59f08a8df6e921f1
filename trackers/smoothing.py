"""Steadies the landmarks and the pose of all faces of a stream in one numpy pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trackers.face_filters import POINTS, SIGNAL, FaceFilter, KalmanFaces, OneEuroFaces, Signal
from trackers.one_euro import MAX_GAP

FloatArray = NDArray[np.floating[Any]]
Kind = Literal["one_euro", "kalman", "none"]


class FaceSmoother:
    """Smooths landmarks and pose over time, with separate state per face id.

    Time that stands still or runs backwards and gaps over :data:`~trackers.one_euro.MAX_GAP` start all faces over.

    Args:
        kind: ``one_euro`` follows motion closely and is steadiest at rest; ``kalman`` glides and keeps the full
            range of mouth and eyes; ``none`` changes nothing.
        strength: 0 changes nothing, 1 is steadiest and lags most. 0.5 is the measured compromise.
    """

    def __init__(self, kind: Kind = "one_euro", strength: float = 0.5) -> None:
        self._filter = _make_filter(kind, strength)
        self._ids: list[int] = []
        self._raw: Signal = np.zeros((0, SIGNAL), np.complex128)
        self._pts: float | None = None

    def reset(self) -> None:
        """Forget all faces."""
        self._pts = None

    def smooth(
        self, ids: Sequence[int], landmarks: FloatArray, pose: FloatArray, pts: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Filter one frame.

        Args:
            ids: ``n`` face ids; faces not among them are forgotten.
            landmarks: ``(n, 106, 2)`` raw landmarks in pixels.
            pose: ``(n, 3)`` pitch, roll, yaw in degrees.
            pts: time of the frame in seconds.

        Returns:
            Smoothed landmarks and pose, new float32 arrays of the same shapes; angles in -180..180.
        """
        if self._filter is None:
            return np.array(landmarks, np.float32), np.array(pose, np.float32)
        signals = _to_signals(np.asarray(landmarks), np.asarray(pose))
        dt = MAX_GAP + 1.0 if self._pts is None else pts - self._pts
        self._pts = pts
        if not 0.0 < dt <= MAX_GAP:
            self._ids = []
        known = self._align(self._filter, ids, signals)
        if known:
            self._unwrap(signals)
            smooth = self._filter.step(signals, dt)
        else:
            smooth = signals
        self._raw = signals
        return _from_signals(smooth)

    def _align(self, filter_: FaceFilter, ids: Sequence[int], signals: Signal) -> bool:
        """Bring the filter's rows into the order of ``ids``; False if no face was known before."""
        ids = list(ids)
        if ids == self._ids:
            return bool(ids)
        rows = {face: row for row, face in enumerate(self._ids)}
        known = [i for i, face in enumerate(ids) if face in rows]
        new = [i for i, face in enumerate(ids) if face not in rows]
        kept = [rows[ids[i]] for i in known]
        filter_.keep(kept)
        filter_.add(signals[new])
        filter_.keep(np.argsort(known + new).tolist())
        raw = signals.copy()
        raw[known] = self._raw[kept]
        self._raw, self._ids = raw, ids
        return bool(known)

    def _unwrap(self, signals: Signal) -> None:
        """Let angles go on beyond 180 degrees instead of jumping to -180, in place."""
        turns = np.round((signals[:, POINTS:].real - self._raw[:, POINTS:].real) / 360.0)
        if turns.any():
            signals[:, POINTS:] -= turns * 360.0


def _make_filter(kind: Kind, strength: float) -> FaceFilter | None:
    """The filter for a strength: bandwidth without bound at 0, 1 at 0.5 and a sixth at 1."""
    if kind == "none" or strength <= 0.0:
        return None
    looseness = (1.0 / strength - 0.8) / 1.2
    return OneEuroFaces(looseness) if kind == "one_euro" else KalmanFaces(looseness)


def _to_signals(landmarks: FloatArray, pose: FloatArray) -> Signal:
    """Landmarks ``(n, 106, 2)`` and pose ``(n, 3)`` as signals ``(n, 109)``, see ``trackers.face_filters``."""
    parts = np.zeros((len(landmarks), SIGNAL, 2))
    parts[:, :POINTS] = landmarks
    parts[:, POINTS:, 0] = pose
    return parts.view(np.complex128)[..., 0]


def _from_signals(signals: Signal) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Signals ``(n, 109)`` as landmarks and pose, float32, angles in -180..180."""
    parts = np.ascontiguousarray(signals).view(np.float64).reshape(len(signals), SIGNAL, 2)
    pose = parts[:, POINTS:, 0].astype(np.float32)
    if np.abs(pose).max(initial=0.0) > 180.0:
        pose = (pose + 180.0) % 360.0 - 180.0
    return parts[:, :POINTS].astype(np.float32), pose
