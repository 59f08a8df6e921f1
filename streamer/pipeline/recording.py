"""Recordings that people start and stop while a camera runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from streamer.errors import FacestreamError, OutputError
from streamer.pipeline.fanout import SinkWorker
from streamer.pipeline.status import RecordingStatus
from streamer.sinks.base import refuse_source


class Recordings:
    """The recordings of one camera, one at a time.

    Thread contract: everything may be called from any thread and returns at once, except ``join``.

    Attributes:
        error: why the latest recording stopped early, or could not begin; ``None`` otherwise.
    """

    def __init__(self, source: str, on_change: Callable[[], None]) -> None:
        """Nothing is recorded yet.

        Args:
            source: what is being recorded: a file must not be recorded onto itself.
            on_change: called when a file is complete, and when it failed.
        """
        self._source, self._on_change = source, on_change
        self._all: tuple[RecordingWorker, ...] = ()
        self._refused: FacestreamError | None = None

    @property
    def error(self) -> FacestreamError | None:
        """See above."""
        return self._refused or (self._all[-1].error if self._all else None)

    @property
    def workers(self) -> tuple[SinkWorker, ...]:
        """All recordings so far, the latest last; the others take no more results."""
        return self._all

    def start(self, path: Path, crf: int, *, lossless: bool) -> None:
        """Record in place of what is being recorded.

        Args:
            path: the file, overwritten with the first frame.
            crf: H.264 constant rate factor.
            lossless: let the analysis wait for the encoder instead of leaving frames out.
        """
        self.stop()
        self._refused = None
        self._all += (RecordingWorker(path, self._source, crf, lossless=lossless, on_change=self._on_change),)

    def refuse(self) -> None:
        """Tell that nothing comes any more."""
        self._refused = OutputError("there is nothing to record; start the source first")

    def stop(self) -> None:
        """End the recording, if one runs; its file is finished behind."""
        if self._all:
            self._all[-1].finish()

    def join(self, deadline: float) -> None:
        """Wait for the files to be complete, until ``time.monotonic()`` is ``deadline``."""
        for worker in self._all:
            worker.join(max(0.0, deadline - time.monotonic()))

    def status(self) -> RecordingStatus | None:
        """What people see of the latest one; ``None`` once it is complete or has failed."""
        return self._all[-1].status() if self._all else None

    def written(self) -> list[Path]:
        """Files with frames, finished or under way, without a failure."""
        return [worker.path for worker in self._all if worker.frames and worker.error is None]


class RecordingWorker(SinkWorker):
    """Records from its start to ``finish``; the file is opened and closed by its own thread, which may wait for a disk.

    Attributes:
        frames: frames written.
    """

    path: Path

    def __init__(self, path: Path, source: str, crf: int, *, lossless: bool, on_change: Callable[[], None]) -> None:
        """Begin; returns at once.

        Args:
            path: the file, overwritten with the first frame.
            source: what is being recorded: a file must not be recorded onto itself.
            crf: H.264 constant rate factor.
            lossless: let the analysis wait for the encoder instead of leaving frames out.
            on_change: called when the file is complete, and when it failed.
        """
        self._source, self._crf = source, crf
        self._first = self._last = 0.0
        self.frames = 0
        self._finishing = False
        self._start("recorder", path, lossless, on_change)

    def finish(self) -> None:
        """No more results will come; returns at once, ``join`` waits."""
        self._finishing = True
        super().finish()

    def status(self) -> RecordingStatus | None:
        """What people see of it; ``None`` once it is complete or has failed."""
        if not self.alive:
            return None
        return RecordingStatus(self.path, self._last - self._first, self.frames, self._finishing)

    def _drive(self) -> None:
        from streamer.sinks.recorder import Recorder

        refuse_source(self.path, self._source)
        with closing(Recorder(self.path, crf=self._crf)) as recorder:
            while (result := self._slot.take()) is not None:
                recorder.write(result)
                self._last = result.frame.pts
                self._first = self._first if self.frames else self._last
                self.frames += 1
        self._on_error()
