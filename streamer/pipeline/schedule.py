"""Decides which frames pay for a detection: often while anything changes, seldom while nothing does."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.types import FloatArray, Image, boxes_of
from trackers import MultiFaceTracker

_UNCHECKED = 1.2  # seconds after which a steady scene is looked at even if no picture element has changed
_GRID = 48  # cells along the longer side of the picture that changes are looked for in
_SAMPLES = 8  # per cell and axis: sensor noise must average out
_CHANGED = 7.0  # grey levels by which the mean of a cell must move; sensor noise averages out far below
_TURN_EVERY = 2  # detection rounds per search for turned faces while something is new or doubtful
_TURN_EVERY_STEADY = 4


class DetectionSchedule:
    """When to detect.

    A doubtful track is checked at once. While anything changes a round comes every ``detect_every`` frames. In a
    steady scene one falls due every ``steady_interval`` seconds, and is left out, for at most about a second, when
    the picture outside the followed faces is what it was at the last round: a newcomer cannot come without
    changing it. So a newcomer is met within ``steady_interval``, and an unchanging room costs next to nothing.
    """

    def __init__(self, detect_every: int, steady_interval: float) -> None:
        self._every, self._interval = detect_every, steady_interval
        self._frames, self._last, self._checked = detect_every, -np.inf, -np.inf
        self._rounds = 0
        self._scene = Scene()

    def due(self, bgr: Image, tracker: MultiFaceTracker, pts: float) -> bool:
        """Whether this frame gets a detection; call once a frame, after ``tracker.predict``."""
        self._frames += 1
        if not self._wanted(bgr, tracker, pts):
            return False
        self._frames, self._last, self._checked = 0, pts, pts
        self._rounds += 1
        return True

    def may_turn(self, tracker: MultiFaceTracker) -> bool:
        """Whether this round may also look for turned faces: some may, which bounds the cost."""
        alert = tracker.needs_detection or not tracker.tracks
        return self._rounds % (_TURN_EVERY if alert else _TURN_EVERY_STEADY) == 0

    def _wanted(self, bgr: Image, tracker: MultiFaceTracker, pts: float) -> bool:
        if pts < self._last or any(track.doubtful for track in tracker.tracks):
            return True
        if not tracker.steady(pts):
            return self._frames >= self._every
        if pts - self._checked < self._interval:
            return False
        self._checked = pts
        changed = self._scene.changed(bgr, boxes_of(tracker.tracks))
        return changed or pts - self._last >= _UNCHECKED


class Scene:
    """Remembers what a picture looked like, coarsely, to tell whether anything but the known faces has changed."""

    def __init__(self) -> None:
        self._cells: NDArray[np.float32] | None = None

    def changed(self, bgr: Image, known: FloatArray) -> bool:
        """Compare with the picture of the last change, and remember this one if it differs.

        Args:
            bgr: ``(H, W, 3)``.
            known: ``(n, 4)`` xyxy boxes in pixels whose inside may change.
        """
        cells = self._coarse(bgr)
        before = self._cells
        if before is None or before.shape != cells.shape:
            self._cells = cells
            return True
        moved = np.abs(cells - before).max(axis=2) > _CHANGED
        height, width = cells.shape[:2]
        scale = np.array([width / bgr.shape[1], height / bgr.shape[0]] * 2, np.float32)
        for left, top, right, bottom in (known * scale).tolist():
            moved[max(int(top), 0) : max(int(bottom) + 1, 0), max(int(left), 0) : max(int(right) + 1, 0)] = False
        if not moved.any():
            return False
        self._cells = cells
        return True

    def _coarse(self, bgr: Image) -> NDArray[np.float32]:
        height, width = bgr.shape[:2]
        scale = _GRID / max(height, width)
        columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
        samples = columns * _SAMPLES, rows * _SAMPLES
        if samples[0] < width:  # averaging all of a 720p frame takes ten times as long
            bgr = np.asarray(cv2.resize(bgr, samples, interpolation=cv2.INTER_LINEAR), np.uint8)
        return np.asarray(cv2.resize(bgr, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
