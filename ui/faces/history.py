"""How a head has turned lately. Knows nothing of Qt."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from streamer.types import FloatArray, Pose

SECONDS: Final = 10.0
"""How far back a trace reaches, in the video's own time."""

_MOST = 1000  # angles of one trace: a source with strange times stays bounded


class PoseHistory:
    """The angles of one face over the last seconds, fed frame by frame."""

    def __init__(self) -> None:
        self._angles: deque[tuple[float, float, float, float]] = deque(maxlen=_MOST)

    def add(self, pts: float, pose: Pose) -> None:
        """Remember a pose.

        Args:
            pts: the frame's time in seconds; grows from call to call.
            pose: in degrees.
        """
        self._angles.append((pts, pose.pitch, pose.yaw, pose.roll))
        while self._angles[0][0] < pts - SECONDS:
            self._angles.popleft()

    def table(self) -> FloatArray:
        """Time, pitch, yaw and roll, oldest first: ``(n, 4)``, times in seconds before the latest (0, negative)."""
        table = np.array(self._angles, np.float64).reshape(-1, 4)
        if len(table):
            table[:, 0] -= table[-1, 0]
        return table.astype(np.float32)
