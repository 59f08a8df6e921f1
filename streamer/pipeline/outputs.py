"""Everything that one camera writes: into the sinks it was given, and into recordings that people start meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from streamer.errors import FacestreamError
from streamer.pipeline.fanout import SinkWorker
from streamer.pipeline.recording import Recordings
from streamer.sinks.base import Sink
from streamer.types import FrameResult


class Outputs:
    """The sinks and recordings of one camera.

    Attributes:
        recordings: those started and stopped while the camera runs.
    """

    def __init__(self, source: str, sinks: Sequence[Sink], on_change: Callable[[], None]) -> None:
        """Nothing is written yet.

        Args:
            source: what is being shown: a file must not be recorded onto itself.
            sinks: closed by whoever made them, after the camera.
            on_change: called when something fails or is complete.
        """
        self.recordings = Recordings(source, on_change)
        self._sinks, self._on_change = sinks, on_change
        self._workers: list[SinkWorker] = []

    def start(self, *, lossless: bool) -> None:
        """Let the sinks take results, on threads of their own; ``lossless``: the analysis waits for slow ones."""
        for sink in self._sinks:
            self._workers.append(SinkWorker(sink, lossless=lossless, on_error=self._on_change))

    def offer(self, result: FrameResult) -> None:
        """Hand over a result."""
        for worker in (*self._workers, *self.recordings.workers):
            worker.offer(result)

    def finish(self, stopped: threading.Event) -> None:
        """Let each write what it has; where ``stopped`` is set, that is waited for a second only."""
        workers = (*self._workers, *self.recordings.workers)
        for worker in workers:
            worker.finish()
        for worker in workers:
            while not worker.join(0.1):
                if stopped.is_set():
                    worker.join(1.0)
                    break

    def drops(self) -> dict[str, int]:
        """Results that the sinks were too slow to take."""
        return {f"{worker.name} too slow": worker.dropped for worker in self._workers}

    def written(self) -> list[Path]:
        """Files written, or being written, without a failure."""
        ours = [worker.path for worker in self._workers if worker.path is not None and worker.error is None]
        return ours + self.recordings.written()

    def errors(self) -> list[FacestreamError | None]:
        """Why those stopped early that did."""
        return [*(worker.error for worker in self._workers), self.recordings.error]
