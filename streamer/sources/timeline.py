"""Times of pictures: from a stream's raw timestamps to seconds that always increase."""

from __future__ import annotations

import time

LONGEST_GAP = 10.0
"""Seconds between two pictures above which the stream's clock is taken to have jumped."""


class Timeline:
    """Turns a stream's timestamps into seconds from its start, strictly increasing.

    Missing timestamps (RTSP before the first sender report, raw H.264) are filled in: by the wall clock
    on a live source, by the nominal period on a file. A clock that jumps back, or ahead by more than
    :data:`LONGEST_GAP`, is taken up where it left off, so that a restart of the camera's clock or the
    seam of a loop is one ordinary step.
    """

    def __init__(self, period: float, *, live: bool = False) -> None:
        """Start a timeline.

        Args:
            period: nominal seconds per picture, the step where the stream gives none.
            live: fill gaps by the wall clock instead of the period.
        """
        self.period = period
        self._live = live
        self._last: float | None = None
        self._offset: float | None = None
        self._filled_at = 0.0
        self._passed = 0

    def start(self, raw: float, seconds: float = 0.0) -> None:
        """Let the raw time ``raw`` stand at ``seconds``."""
        self._offset = seconds - raw

    def cut(self) -> None:
        """Let the next picture stand one step after the last, whatever its raw time: the source has been moved."""
        self._offset = None

    def pass_by(self) -> float:
        """Return where something stands that is only passed on the way to the next picture, which it does not move."""
        self._passed += 1
        return (self._last or 0.0) + self.period * (1 - 1 / (self._passed + 1))

    def place(self, raw: float | None) -> float:
        """Return where the picture with the raw time ``raw`` (seconds, or ``None``) stands."""
        now = time.monotonic()
        follow = self._follow(now)
        if raw is None:
            placed = follow
        else:
            if self._offset is None or self._jumped(raw + self._offset):
                self._offset = follow - raw
            placed = raw + self._offset
        self._last, self._filled_at, self._passed = placed, now, 0
        return placed

    def _follow(self, now: float) -> float:
        """Return where a picture without a timestamp stands."""
        if self._last is None:
            return 0.0
        step = now - self._filled_at if self._live else self.period
        return self._last + max(step, 1e-3)

    def _jumped(self, placed: float) -> bool:
        return self._last is not None and not 0.0 < placed - self._last <= LONGEST_GAP
