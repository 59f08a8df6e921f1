"""The only thing that joins two threads: a small bounded slot with one of two policies."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """A bounded hand-over from one producer thread to one consumer thread.

    With ``newest_wins`` a full mailbox drops its oldest item and counts it (live sources: late is worse than
    lost). Without, ``put`` waits for room (files: nothing is lost). Nobody waits on a dead thread: ``close``
    wakes both sides, lets the consumer drain what is left and makes further ``put`` calls return ``False``.

    Attributes:
        dropped: items overwritten before the consumer took them.
    """

    def __init__(self, *, newest_wins: bool, capacity: int = 1) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._newest_wins = newest_wins
        self._closed = self._nudged = False
        self._changed = threading.Condition()
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Hand over an item; return ``False`` when the mailbox is closed and the item was not taken."""
        with self._changed:
            while not self._closed and len(self._items) >= self._capacity:
                if self._newest_wins:
                    self._items.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait()
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self, timeout: float | None = None) -> T | None:
        """Take the oldest item.

        Args:
            timeout: longest wait in seconds; 0 never blocks, ``None`` waits until an item or ``close``.

        Returns:
            The item, or ``None`` when the time is over, the mailbox is closed and empty, or it was nudged.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._items:
                left = None if deadline is None else deadline - time.monotonic()
                if self._closed or self._nudged or (left is not None and left <= 0):
                    self._nudged = False
                    return None
                self._changed.wait(left)
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """End the hand-over from either side; what is inside can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def nudge(self) -> None:
        """Let a consumer that waits for an item, or the next one that does, come back without one."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Throw away what nobody will take any more (the consumer has given up)."""
        with self._changed:
            self._items.clear()
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called; items may still be inside."""
        return self._closed
