"""Where faces have been lately: a short memory, fed with results. Knows nothing of Qt."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from streamer.types import FrameResult

SECONDS: Final = 2.0
"""How far back a trail reaches, in the video's own time."""

_MOST = 200  # points of one trail: more cannot be told apart, and a source with strange times stays bounded

Trail = tuple[tuple[float, float], ...]


class Trails:
    """The middle of each tracked face's box over the last seconds, in frame pixels."""

    def __init__(self) -> None:
        self._points: dict[int, deque[tuple[float, float, float]]] = {}
        self._segment, self._pts = 0, 0.0

    def add(self, result: FrameResult) -> None:
        """Remember where the faces are; after a jump, or in another source, trails begin anew."""
        pts = result.frame.pts
        if result.frame.segment != self._segment or pts < self._pts:
            self._points.clear()
        self._segment, self._pts = result.frame.segment, pts
        for face in result.faces:
            if face.track_id is not None:
                x1, y1, x2, y2 = face.box.tolist()
                trail = self._points.setdefault(face.track_id, deque(maxlen=_MOST))
                trail.append((pts, (x1 + x2) / 2, (y1 + y2) / 2))
        for track_id, trail in list(self._points.items()):
            while trail and trail[0][0] < pts - SECONDS:
                trail.popleft()
            if not trail:
                del self._points[track_id]

    def snapshot(self, result: FrameResult) -> dict[int, Trail]:
        """The trails of the faces of a result, oldest point first."""
        ids = (face.track_id for face in result.faces if face.track_id is not None)
        return {i: tuple((x, y) for _, x, y in self._points[i]) for i in ids if i in self._points}
