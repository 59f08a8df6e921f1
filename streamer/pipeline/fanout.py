"""Hands every result to its consumers, each with a thread and a bounded slot of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from streamer.errors import FacestreamError, OutputError
from streamer.pipeline.hindsight import DELAY
from streamer.pipeline.mailbox import Mailbox
from streamer.sinks.base import Sink
from streamer.types import FrameResult

log = logging.getLogger(__name__)

_SLOT = DELAY + 1  # results a sink may lag behind: hides a slow disk write; covered ones come in so great a burst


class SinkWorker:
    """Drives one sink from its own thread.

    A sink that fails is left alone from then on, its error is kept and reported, and the rest of the pipeline
    goes on without it. Whoever made the sink closes it, after the worker has finished.

    Attributes:
        name: what the sink is called in drops and messages.
        path: the file it writes, if it writes one.
        error: why the sink stopped early, or ``None``.
    """

    def __init__(self, sink: Sink, *, lossless: bool, on_error: Callable[[], None]) -> None:
        self._sink = sink
        self._start(type(sink).__name__.lower(), sink.path, lossless, on_error)

    def _start(self, name: str, path: Path | None, lossless: bool, on_error: Callable[[], None]) -> None:
        self.name, self.path = name, path
        self.error: FacestreamError | None = None
        self._on_error = on_error
        self._slot: Mailbox[FrameResult] = Mailbox(newest_wins=not lossless, capacity=_SLOT)
        self._thread = threading.Thread(target=self._run, name=f"sink-{self.name}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Results this sink was too slow to take."""
        return self._slot.dropped

    def offer(self, result: FrameResult) -> None:
        """Hand over a result; a sink that has failed ignores it."""
        self._slot.put(result)

    @property
    def alive(self) -> bool:
        """Whether its thread still runs."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """No more results will come; returns at once, ``join`` waits."""
        self._slot.close()

    def join(self, timeout: float) -> bool:
        """Wait for the sink to write what it has; ``False`` when it did not manage in time."""
        self._thread.join(timeout)
        return not self.alive

    def _drive(self) -> None:
        while (result := self._slot.take()) is not None:
            self._sink.write(result)

    def _run(self) -> None:
        try:
            self._drive()
        except Exception as error:  # noqa: BLE001 a sink of any kind may fail; the camera must go on
            self._fail(error)
        finally:
            self._slot.close()
            self._slot.clear()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, FacestreamError):
            self.error = error
        else:
            log.error("%s stopped by an internal error", self.name, exc_info=error)
            self.error = OutputError(f"{self.name} stopped by an internal error: {error}")
        self._on_error()
