"""Keeps what is on the stage: snapshots, a copy on the clipboard, recordings.

Thread contract: everything public is called on the GUI thread and returns at once; composing, encoding and the disk
are left to a thread of its own, whose results come back as signals.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QGuiApplication, QImage

from streamer.errors import FacestreamError
from streamer.pipeline.status import CameraState, CameraStatus
from ui.actions import Actions
from ui.session import Session
from ui.stage.scene import Scene
from ui.stage.view import VideoView

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.pipeline.camera import Camera

_STILLS = ("capture.snapshot", "capture.plain", "capture.shown", "capture.copy")


class Capture(QObject):
    """Carries out the commands of the area ``capture``.

    Signals:
        done: a sentence, and the ``Path`` of what was saved or ``None``.
        failed: a sentence about what could not be done.
    """

    done = pyqtSignal(str, object)
    failed = pyqtSignal(str)
    _copied = pyqtSignal(QImage)
    _raised = pyqtSignal(object)

    def __init__(self, actions: Actions, session: Session, view: VideoView) -> None:
        super().__init__(view)
        self._actions, self._session, self._view = actions, session, view
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="capture")
        self._beginning: Future[None] | None = None
        self._recorded: tuple[Camera, Path] | None = None
        actions.on("capture.snapshot", partial(self._snapshot, "drawn"))
        actions.on("capture.plain", partial(self._snapshot, "plain"))
        actions.on("capture.shown", partial(self._snapshot, "shown"))
        actions.on("capture.copy", self._copy)
        actions.on("capture.record", self._record)
        session.status_changed.connect(self.show_status)
        session.frame_ready.connect(lambda _: self._allow_stills(True))  # at once: a key pressed now must not be lost
        # Queued by Qt itself where another thread emits: this object lives on the GUI thread.
        self._copied.connect(self._put_on_clipboard)
        self._raised.connect(self._tell_error)
        self.show_status(session.status)

    def close(self) -> None:
        """Finish what is under way; safe to call twice, and nothing can be captured afterwards."""
        self._thread.shutdown(wait=True)

    # ---- stills ------------------------------------------------------------------------------------------------

    def _snapshot(self, kind: str) -> None:
        if (scene := self._view.scene()) is not None:
            self._work(self._save, kind, scene, self._session.config)

    def _allow_stills(self, allowed: bool) -> None:
        for name in _STILLS:
            self._actions[name].setEnabled(allowed)

    def _copy(self) -> None:
        if (scene := self._view.scene()) is not None:
            self._work(self._compose_copy, scene)

    def _save(self, kind: str, scene: Scene, config: Config) -> None:
        """On the thread."""
        from streamer.sinks.places import snapshot_path
        from streamer.sinks.snapshot import save_snapshot
        from ui.stage.stills import STILLS

        path = save_snapshot(STILLS[kind](scene), snapshot_path(config), overlays=False)
        self.done.emit(f"Snapshot saved: {path}", path)

    def _compose_copy(self, scene: Scene) -> None:
        """On the thread."""
        from ui.stage.stills import compose_frame

        self._copied.emit(compose_frame(scene))

    def _put_on_clipboard(self, image: QImage) -> None:
        clipboard = QGuiApplication.clipboard()
        assert clipboard is not None
        clipboard.setImage(image)
        self.done.emit(f"The picture is on the clipboard ({image.width()} × {image.height()}).", None)

    # ---- recordings --------------------------------------------------------------------------------------------

    def _record(self, wanted: bool) -> None:
        """Start or stop; also called when the switch only follows what goes on, where there is nothing to do."""
        camera, recording = self._session.camera, self._session.status.recording
        if camera is None or wanted == (recording is not None and not recording.finishing):
            return
        if wanted:
            self._beginning = self._work(_begin_recording, camera, self._session.config)
        else:
            camera.stop_recording()

    def show_status(self, status: CameraStatus) -> None:
        """Let the commands and the switch say what is so, and tell of a file that is complete."""
        self._allow_stills(self._view.scene() is not None)
        record, recording = self._actions["capture.record"], status.recording
        record.setEnabled(status.state is CameraState.RUNNING)
        if self._beginning is None or self._beginning.done():
            record.setChecked(recording is not None and not recording.finishing)
        camera = self._session.camera
        if self._recorded is not None and (recording is None or recording.path != self._recorded[1]):
            self._tell_recorded(*self._recorded)
        self._recorded = (camera, recording.path) if recording is not None and camera is not None else None

    def _tell_recorded(self, camera: Camera, path: Path) -> None:
        if path in camera.written():
            self.done.emit(f"Recording saved: {path}", path)
        elif warnings := camera.status().warnings:
            self.failed.emit(str(warnings[-1]))
        else:
            self.failed.emit("Nothing was recorded: no new picture came while the recording ran.")

    # ---- the thread --------------------------------------------------------------------------------------------

    def _work(self, task: Callable[..., None], *arguments: object) -> Future[None]:
        future = self._thread.submit(task, *arguments)
        future.add_done_callback(self._report)
        return future

    def _report(self, future: Future[None]) -> None:
        if (error := future.exception()) is not None:
            self._raised.emit(error)

    def _tell_error(self, error: BaseException) -> None:
        """Tell what a user can mend; the rest is raised here, where the application reports it."""
        if not isinstance(error, FacestreamError):
            raise error
        self.failed.emit(str(error))


def _begin_recording(camera: Camera, config: Config) -> None:
    """Find a name that is free, which asks the disk, and begin."""
    from streamer.sinks.places import recording_path

    camera.start_recording(recording_path(config))
