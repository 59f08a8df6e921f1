"""The session: what the window commands and observes; one source at a time, as one camera after another.

Thread contract: everything public is called on the GUI thread and returns at once. A camera's worker threads only
set off a queued signal. Closing an old camera and preparing a new one may wait for a device, a disk or an import,
so both happen, in order, on the session's own thread. ``close`` alone may wait, up to 2 s, after the window has gone.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from streamer.errors import FacestreamError
from streamer.pipeline.status import CameraState, CameraStatus
from ui.exposure import covers, is_covered

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.pipeline.camera import Camera
    from streamer.types import FrameResult


@dataclass(frozen=True, slots=True)
class Run:
    """A camera that has not been started, and what it writes to.

    Attributes:
        camera: shows one source, once.
        outputs: closed after the camera, which finishes the files.
        webcam: whether the source is one, whose picture people expect to see mirrored.
    """

    camera: Camera
    outputs: ExitStack
    webcam: bool = False

    def close(self) -> None:
        """Stop the camera and finish its files; safe to call twice."""
        self.camera.close()
        self.outputs.close()


_POLL = 250  # ms between readings of the figures: steady enough to read, cheap enough to forget


class Session(QObject):
    """Runs the source the user wants to see.

    Signals:
        frame_ready: a new ``FrameResult``; frames the window is too slow for are left out.
        status_changed: a new ``CameraStatus``, at every change of state and a few times a second.
        source_changed: another run begins; tells whether it is of a webcam.
        configured: the ``Config`` that applies from now on.
    """

    frame_ready = pyqtSignal(object)
    status_changed = pyqtSignal(object)
    source_changed = pyqtSignal(bool)
    configured = pyqtSignal(object)
    _news = pyqtSignal()
    _prepared = pyqtSignal(object)
    _failed = pyqtSignal(object)

    def __init__(
        self, source: str, config: Config, prepare: Callable[[str, Config], Run], parent: QObject | None = None
    ) -> None:
        """Prepare; nothing runs before ``start``.

        Args:
            source: what to show first.
            config: settings of the first run; ``configure`` changes them.
            prepare: makes the run of a source; called on the session's thread, may raise ``FacestreamError``.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._source = source
        self._config = self._asked = config
        self._hiding: tuple[Config, bool] | None = None
        self._prepare = prepare
        self._run: Run | None = None
        self._result: FrameResult | None = None
        self._status = _bare_status(CameraState.IDLE, "")
        self._announced = self._closed = False
        self._wanted: Future[Run] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="session")
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL)
        self._poll.timeout.connect(self._refresh)
        # Signals from other threads are queued by Qt itself: the session lives on the GUI thread.
        self._news.connect(self._on_news)
        self._prepared.connect(self._adopt)
        self._failed.connect(_raise)

    @property
    def source(self) -> str:
        """What was to be shown last, as it was given: possibly with a password."""
        return self._source

    @property
    def status(self) -> CameraStatus:
        """The latest status, as last signalled."""
        return self._status

    @property
    def result(self) -> FrameResult | None:
        """The latest result, as last signalled; ``None`` before the first one of a source."""
        return self._result

    @property
    def camera(self) -> Camera | None:
        """The camera of the current source, also after it has ended; ``None`` before the first one."""
        return None if self._run is None else self._run.camera

    @property
    def config(self) -> Config:
        """The settings of the current run and the next ones."""
        return self._config

    def configure(self, config: Config) -> None:
        """Change the settings: of what runs now, at once, and of every later run."""
        if config != self._config:
            self._config = config
            if self._run is not None:
                self._run.camera.configure(config)
            self.configured.emit(config)

    def exposes(self, result: FrameResult) -> bool:
        """Whether a frame shows faces that are to be hidden by now; such a frame is not told of any more."""
        if self._hiding is None or self._hiding[0] is not self._config:  # read once: a look may name files
            self._hiding = self._config, bool(covers(self._config))
        return self._hiding[1] and not is_covered(result)

    def start(self, source: str | None = None) -> None:
        """Show ``source``, or the last one again, in place of what runs now."""
        self._source = source or self._source
        self._abandon()
        old, self._run = self._run, None
        self._publish(_bare_status(CameraState.CONNECTING, "starting"))
        self._asked = self._config
        self._wanted = self._thread.submit(self._replace, old, self._source, self._config)
        self._wanted.add_done_callback(self._prepared.emit)

    def stop(self) -> None:
        """End what runs now; the last frame stays."""
        self._poll.stop()
        self._abandon()
        if self._run is not None:
            self._thread.submit(self._close_run, self._run)
        self._publish(_bare_status(CameraState.CLOSED, "stopped", self._status))

    def close(self) -> None:
        """End everything and wait for it, up to 2 s; safe to call twice, and the session is of no use afterwards."""
        if self._closed:
            return
        self._closed = True
        self._poll.stop()
        self._abandon()
        if self._run is not None:
            self._thread.submit(self._close_run, self._run)
            self._run.camera.close()  # at once, also while the thread still waits for an earlier camera
        self._thread.shutdown(wait=True)

    # ---- the session's thread ----------------------------------------------------------------------------------

    def _replace(self, old: Run | None, source: str, config: Config) -> Run:
        if old is not None:
            self._close_run(old)
            del old
            gc.collect()  # a camera and its networks refer to each other: 20 MB that Python is in no hurry to release
        return self._prepare(source, config)

    def _close_run(self, run: Run) -> None:
        try:
            run.close()
        except Exception as error:  # noqa: BLE001 raised again on the GUI thread; a future would keep it to itself
            self._failed.emit(error)

    def _announce(self) -> None:
        """Called by worker threads; one event at a time is under way, however busy the window is."""
        if not self._announced:
            self._announced = True
            self._news.emit()

    # ---- the GUI thread ----------------------------------------------------------------------------------------

    def _adopt(self, prepared: Future[Run]) -> None:
        if prepared is not self._wanted:
            return  # the user has asked for something else in the meantime
        self._wanted = None
        error = prepared.exception()
        if error is not None:
            self._publish(_bare_status(CameraState.FAILED, "failed", error=_as_sentence(error)))
            if not isinstance(error, FacestreamError):
                raise error
            return
        self._run = prepared.result()
        self._result = None
        self.source_changed.emit(self._run.webcam)
        self._run.camera.on_change(self._announce)
        self._run.camera.start()
        if self._config is not self._asked:  # changed while the run was being prepared
            self._run.camera.configure(self._config)
        self._poll.start()
        self._refresh()

    def _on_news(self) -> None:
        self._announced = False  # before taking, so that a result put from here on announces itself
        result = None if self._run is None else self._run.camera.viewer.take(0)
        if result is not None and not self.exposes(result) and self._status.state is not CameraState.CLOSED:
            self._result = result
            self.frame_ready.emit(result)
        if result is None or self._status.state is not CameraState.RUNNING:
            self._refresh()

    def _abandon(self) -> None:
        """Forget a run that is still being prepared, and release it when it is there."""
        if self._wanted is not None:
            self._wanted.add_done_callback(_close_unused)
            self._wanted = None

    def _refresh(self) -> None:
        last = self._status
        if self._run is None or self._closed or (last.state.final and last.recording is None):
            return
        status = self._run.camera.status()
        if status.state.final:
            if not last.state.final:
                self._thread.submit(self._close_run, self._run)
            if status.recording is None:  # else its file is still being finished, and has yet to be told of
                self._poll.stop()
        self._publish(status)

    def _publish(self, status: CameraStatus) -> None:
        self._status = status
        self.status_changed.emit(status)


def _raise(error: Exception) -> None:
    """Raise on the GUI thread, where the application reports it, what a worker met."""
    raise error


def _as_sentence(error: BaseException) -> FacestreamError:
    """What kept a run from being prepared, as it is told to people."""
    if isinstance(error, FacestreamError):
        return error
    told = FacestreamError(f"internal error: {type(error).__name__}: {error}; please report it with the details")
    told.__cause__ = error
    return told


def _close_unused(prepared: Future[Run]) -> None:
    """Release a run nobody wants any more; it was never started."""
    if not prepared.cancelled() and prepared.exception() is None:
        prepared.result().close()


def _bare_status(
    state: CameraState, activity: str, last: CameraStatus | None = None, error: FacestreamError | None = None
) -> CameraStatus:
    """A status for the moments without a running camera, with the last figures where there are some."""
    return CameraStatus(
        state=state,
        source=last.source if last else "",
        error=error,
        activity=activity,
        size=last.size if last else None,
        source_fps=0.0,
        analysed_fps=0.0,
        latency_ms=(0.0, 0.0),
        drops=last.drops if last else {},
        frames=last.frames if last else 0,
        faces=0,
        warnings=(),
    )
