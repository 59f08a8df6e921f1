"""Ending calls that hang inside FFmpeg or the operating system.

PyAV gives every container an interrupt callback that compares ``time.monotonic()`` with the start of the
call plus its timeout, several times a second, on the thread that makes the call. It offers no way to end
a call earlier. So the clock it looks at is replaced by one that tells the truth until the thread's
:class:`Interrupt` is set, and then leaps ahead: FFmpeg sees its timeout expired and returns within a
tenth of a second. Were PyAV to stop using that clock, its own timeouts would still hold.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from av.container import core as av_core

T = TypeVar("T")

LEAP = 1e9
"""Seconds the clock leaps ahead at each look once a call is to end; beyond any timeout."""

POLL = 0.05
"""Seconds between looks at the flag where nothing can wake us."""


class Interrupt:
    """A flag and a deadline that end FFmpeg calls of the thread that is inside :meth:`guard`."""

    def __init__(self, stop: threading.Event) -> None:
        """Watch ``stop``: once set, every guarded call ends."""
        self._stop = stop
        self._deadline = float("inf")

    def due(self, now: float) -> bool:
        """Whether guarded calls must end at the monotonic time ``now``."""
        return now > self._deadline or self._stop.is_set()

    @property
    def timed_out(self) -> bool:
        """Whether the deadline of the latest guard has passed."""
        return time.monotonic() > self._deadline

    def pause(self, seconds: float) -> bool:
        """Wait for a device that has nothing yet; ``False`` when the call must end instead."""
        self._stop.wait(seconds)
        return not self.due(time.monotonic())

    @contextlib.contextmanager
    def guard(self, seconds: float) -> Iterator[None]:
        """End the FFmpeg calls of this thread after ``seconds`` in all, or when the flag is set.

        Guards of different interrupts nest; the innermost counts.
        """
        thread, outer = threading.get_ident(), _CLOCK.guards.get(threading.get_ident())
        self._deadline = time.monotonic() + seconds
        _CLOCK.guards[thread] = self
        try:
            yield
        finally:
            if outer is None:
                del _CLOCK.guards[thread]
            else:
                _CLOCK.guards[thread] = outer


class _LeapingClock:
    """Stands in for the ``time`` module inside PyAV's container code."""

    def __init__(self) -> None:
        self.guards: dict[int, Interrupt] = {}
        self._leaps = itertools.count(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        """Return the time; further ahead at every look for a thread whose call must end."""
        now = time.monotonic()
        interrupt = self.guards.get(threading.get_ident())
        if interrupt is None or not interrupt.due(now):
            return now
        return now + LEAP * next(self._leaps)


_CLOCK = _LeapingClock()
vars(av_core)["time"] = _CLOCK


def call_abandonable(call: Callable[[], T], seconds: float, stop: threading.Event, dispose: Callable[[T], object]) -> T:
    """Run a call of the operating system that cannot be interrupted, and walk away from it if it hangs.

    Name resolution and opening a device node may block in the kernel or C library beyond any timeout of
    ours. The call runs on a daemon thread, which in the normal case ends before this function returns.

    Args:
        call: what to run.
        seconds: longest wait.
        stop: ends the wait at once when set.
        dispose: frees the result of a call that returned after it was abandoned.

    Raises:
        TimeoutError: the call did not return in time, or ``stop`` was set.
    """
    lock = threading.Lock()
    finished = threading.Event()
    results: list[T] = []
    failures: list[BaseException] = []
    abandoned = False

    def work() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(error)
        else:
            with lock:
                results.append(result)
                if abandoned:
                    dispose(result)
        finished.set()

    worker = threading.Thread(target=work, name="facestream-abandonable", daemon=True)
    worker.start()
    deadline = time.monotonic() + seconds
    while not finished.wait(POLL) and not stop.is_set() and time.monotonic() < deadline:
        pass
    with lock:
        abandoned = not results and not failures
    if abandoned:
        raise TimeoutError
    worker.join()
    if failures:
        raise failures[0]
    return results[0]
