"""How a head has turned lately. Knows nothing of Qt."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from streamer.types import Face, FloatArray, FrameResult, Pose

SECONDS: Final = 10.0
"""How far back a trace reaches, in the video's own time."""

_STAY: Final = 2.0
"""Seconds of the video a face may be away and go on where it was."""

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
        import numpy as np  # not with the window, which begins to remember before there is a frame

        table = np.array(self._angles, np.float64).reshape(-1, 4)
        if len(table):
            table[:, 0] -= table[-1, 0]
        return table.astype(np.float32)


class PoseHistories:
    """The angles of every face, also of those nobody looks at: a few numbers a frame.

    A jump in the video begins anew.
    """

    def __init__(self) -> None:
        self._histories: dict[int, PoseHistory] = {}
        self._seen: dict[int, float] = {}
        self._before = (0, 0.0)  # segment and time of the frame before

    def take(self, result: FrameResult) -> None:
        """Remember the poses of a frame."""
        frame, before = result.frame, self._before
        self._before = frame.segment, frame.pts
        if frame.segment != before[0] or frame.pts < before[1]:
            self._histories.clear()
            self._seen.clear()
        for key in [key for key, seen in self._seen.items() if frame.pts - seen > _STAY]:
            del self._histories[key], self._seen[key]
        for key, face in keyed(result):
            self._histories.setdefault(key, PoseHistory()).add(frame.pts, face.pose)
            self._seen[key] = frame.pts

    def __contains__(self, key: int) -> bool:
        """Whether a face is there, or may come back: it has been away for a moment only."""
        return key in self._seen

    def table(self, key: int) -> FloatArray:
        """The ``PoseHistory.table`` of a face.

        Raises:
            KeyError: there is none under this key, or it has been away for too long.
        """
        return self._histories[key].table()


def keyed(result: FrameResult) -> list[tuple[int, Face]]:
    """The faces under what tells them apart: their id, or their place on a still picture."""
    return [(-1 - n if face.track_id is None else face.track_id, face) for n, face in enumerate(result.faces)]
