"""Plays one source: which picture comes next, and when it is due.

Thread contract: the commands and ``status`` may be called from any thread and return at once. The source's thread
alone is inside ``play``; it takes up commands between two pictures, and wakes up for them while it waits.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from streamer.pipeline.status import PlaybackStatus
from streamer.types import Frame

if TYPE_CHECKING:
    from streamer.sources import Source
    from streamer.sources.base import Glimpse

SLOWEST, FASTEST = 0.25, 4.0
"""Speeds that can be asked for."""

MOST_STEPS = 30
"""Steps that add up while one is being made: a key held down must not go on long after its release."""

_GLIMPSE = 0.15  # seconds a search may take before it shows where it is, and again after each
_LATE = 0.5  # seconds play may fall behind before it goes on from now, instead of rushing to catch up


class Pacer:
    """Tells when a picture is due, counted from when the one before it was, so that errors never add up."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def delay(self, pts: float, speed: float) -> float:
        """Seconds until the picture at ``pts`` is due at ``speed``; 0 when it is late or the first."""
        return max(self._due(pts, speed) - time.monotonic(), 0.0)

    def shown(self, pts: float, speed: float) -> None:
        """Note that the picture at ``pts`` is shown now."""
        due, now = self._due(pts, speed), time.monotonic()
        self._last = pts, due if now - due <= _LATE else now

    def restart(self) -> None:
        """Let the next picture be due at once: there was a pause."""
        self._last = None

    def _due(self, pts: float, speed: float) -> float:
        if self._last is None:
            return time.monotonic()
        return self._last[1] + (pts - self._last[0]) / speed


class Playback:
    """The transport of one source: pause, step, seek, speed, loop. A live source ignores all of them.

    Attributes:
        paused: whether no further picture comes by itself.
    """

    def __init__(self, *, realtime: bool, hold: bool, loop: bool, begin: float) -> None:
        """Prepare to play.

        Args:
            realtime: hand pictures out when they are due; otherwise as fast as they are taken.
            hold: stay on the last picture at the end, instead of ending.
            loop: start again at the end.
            begin: seconds from where to play again after the end.
        """
        self.paused = False
        self._realtime, self._hold, self._loop, self._begin = realtime, hold, loop, begin
        self._changed = threading.Condition()
        self._source: Source | None = None
        self._closed = self._at_end = self._moving = False
        self._owed = True  # a picture is to be shown although paused: the first one, and that of a seek
        self._target: float | None = None
        self._steps = 0
        self._speed = 1.0
        self._pacer = Pacer()
        self._shown: Frame | None = None

    # ---- commands and observation: any thread ----------------------------------------------------------------

    def status(self, latest: Frame | None) -> PlaybackStatus:
        """A snapshot; ``latest`` is the frame people see."""
        source = self._source
        return PlaybackStatus(
            live=None if source is None else source.live,
            paused=self.paused,
            at_end=self._at_end,
            seeking=self._pending(latest),
            seekable=source is not None and source.seekable,
            position=None if latest is None else latest.position,
            duration=None if source is None else source.duration,
            speed=self._speed,
            loop=self._loop,
        )

    def _pending(self, latest: Frame | None) -> bool:
        """Whether a frame that was asked for is not the latest one yet."""
        with self._changed:
            if self._moving or self._target is not None or self._steps:
                return True
            shown = self._shown
            if shown is None or latest is None:
                return False
            return latest.segment < shown.segment or (self.paused and latest.index < shown.index)

    def pause(self) -> None:
        """Stay on the picture that is shown."""
        with self._commanding() as heard:
            if heard:
                self.paused = True

    def resume(self) -> None:
        """Go on; from the end, start again."""
        with self._commanding() as heard:
            if heard:
                self.paused, self._steps = False, 0
                self._pacer.restart()
                if self._at_end and self._target is None:
                    self._target = self._begin

    def step(self, frames: int) -> None:
        """Pause, and go some pictures on (positive) or back (negative)."""
        with self._commanding() as heard:
            if heard:
                self.paused = True
                self._steps = max(-MOST_STEPS, min(self._steps + frames, MOST_STEPS))

    def seek(self, seconds: float) -> None:
        """Go to the picture shown at a time; steps asked for before are void.

        Args:
            seconds: before the start means the first picture, beyond the end the last.

        Raises:
            ValueError: that is no time.
        """
        if not math.isfinite(seconds):
            raise ValueError(f"cannot seek to {seconds}: give seconds from the start")
        with self._commanding() as heard:
            if heard:
                self._target, self._steps = max(seconds, 0.0), 0

    def set_speed(self, speed: float) -> None:
        """Play at ``speed`` times the source's own pace; nothing is left out, so that analysis may be slower.

        Raises:
            ValueError: outside of 0.25 to 4.
        """
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"speed is {speed}: from {SLOWEST:g} to {FASTEST:g}")
        with self._commanding() as heard:
            if heard:
                self._speed = speed

    def set_loop(self, loop: bool) -> None:
        """Start again at the end, or not."""
        with self._commanding() as heard:
            if heard:
                self._loop = loop
                if self._source is not None:
                    self._source.loop = loop

    def close(self) -> None:
        """Wake the source's thread for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextmanager
    def _commanding(self) -> Iterator[bool]:
        """Change what is asked for; yields whether the source can be commanded, as far as is known."""
        with self._changed:
            yield self._source is None or not self._source.live
            self._changed.notify_all()

    # ---- the source's thread ---------------------------------------------------------------------------------

    def play(
        self,
        source: Source,
        hand_over: Callable[[Frame], bool],
        on_end: Callable[[], None],
        glimpse: Callable[[Frame], None] = lambda frame: None,
    ) -> None:
        """Hand every picture over until the source ends, ``hand_over`` refuses one, or ``close`` is called.

        Args:
            source: open.
            hand_over: takes a picture; ``False`` when nobody wants one any more.
            on_end: called when play stays on the last picture.
            glimpse: shown a picture now and then on the way to one that is far from where the file can be entered.

        Raises:
            SourceError: the source cannot be read any more.
        """
        with self._changed:
            self._source = source
            source.loop = self._loop
            if source.live:
                self.paused, self._steps, self._target, self._speed = False, 0, None, 1.0
        held: Frame | None = None
        while self._await_order():
            if (move := self._take_move()) is not None:
                held = None
                source.seek(move[0], back=move[1], glimpse=self._guide(glimpse))
                if self._target is not None:
                    continue  # somewhere else is wanted by now
            frame = held or source.read()
            if frame is None:
                if not self._stay():
                    return
                on_end()
            elif self._await_due(source, frame):
                held = None
                if not hand_over(frame if source.live else replace(frame, captured=time.monotonic())):
                    return
            else:
                held = frame

    def _await_order(self) -> bool:
        """Wait until a picture is wanted; ``False`` once closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self.paused or self._owed or self._steps or self._target is not None
            )
            return not self._closed

    def _take_move(self) -> tuple[float, int] | None:
        """Where to move the source now: seconds, and pictures back from there; ``None`` to read on."""
        with self._changed:
            if self._target is None and self._steps >= 0:
                return None
            here = 0.0 if self._shown is None or self._shown.position is None else self._shown.position
            move = here if self._target is None else self._target, max(-self._steps, 0)
            self._target, self._steps = None, max(self._steps, 0)
            self._owed = self._moving = True
            return move

    def _guide(self, show: Callable[[Frame], None]) -> Glimpse:
        """Follow a search: show where it is while it takes long, and end it once another picture is wanted."""
        due = time.monotonic() + _GLIMPSE

        def follow(picture: Callable[[], Frame]) -> bool:
            nonlocal due
            overtaken = self._closed or self._target is not None
            if overtaken or time.monotonic() >= due:
                show(picture())
                due = time.monotonic() + _GLIMPSE
            return not overtaken

        return follow

    def _stay(self) -> bool:
        """Pause at the end of the source; ``False`` if it is to end."""
        with self._changed:
            self._moving = self._owed = False
            self._steps = min(self._steps, 0)
            self._at_end = self._hold and not self._closed
            self.paused = self.paused or self._at_end
            return self._at_end

    def _await_due(self, source: Source, frame: Frame) -> bool:
        """Wait until a picture is due; ``False`` when a command came in between, so that all is to be decided anew."""
        with self._changed:
            while not self._closed and self._target is None and self._steps >= 0:
                delay = 0.0
                if self._owed or self._steps > 0:
                    self._steps -= not self._owed
                    self._pacer.restart()
                elif self.paused:
                    return False
                elif self._realtime and not source.live:
                    delay = self._pacer.delay(frame.pts, self._speed)
                if delay <= 0:
                    self._pacer.shown(frame.pts, self._speed)
                    self._shown = frame
                    self._owed = self._moving = self._at_end = False
                    return True
                self._changed.wait(delay)
        return False
