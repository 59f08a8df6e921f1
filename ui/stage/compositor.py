"""Composes the stage's pictures on a thread of its own, so that the GUI thread has only to copy them.

Thread contract: ``submit`` and ``close`` are called on the GUI thread; the newest scene wins, and none waits.
``composed`` is queued to the GUI thread. What goes wrong while composing is raised there, where the application
reports it.
"""

from __future__ import annotations

import threading
import time

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from streamer.pipeline.mailbox import Mailbox
from ui.stage.scene import Scene

_PATIENCE = 1.0  # seconds for the last picture at the end
_INTERVAL = 1 / 60  # seconds between pictures on average: no screen needs more, and the analysis needs the time


class Compositor(QObject):
    """Turns scenes into images.

    Signals:
        composed: the ``Scene`` and its ``QImage``.
    """

    composed = pyqtSignal(object, QImage)
    _failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scenes: Mailbox[Scene] = Mailbox(newest_wins=True)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed.connect(self._raise)

    def submit(self, scene: Scene) -> None:
        """Compose a scene soon, unless a newer one comes before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="compositor", daemon=True)
            self._thread.start()
        self._scenes.put(scene)

    def close(self) -> None:
        """End the thread; safe to call twice, and nothing is composed afterwards."""
        self._closing.set()
        self._scenes.close()
        self._scenes.clear()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        from ui.stage.compose import compose  # heavy to load, and not before the window is on the screen

        due = 0.0
        while (scene := self._scenes.take()) is not None:
            due = max(due + _INTERVAL, time.monotonic())  # one that comes late lets the next one come early
            try:
                image = compose(scene)
            except Exception as error:  # noqa: BLE001 raised again on the GUI thread
                self._failed.emit(error)
            else:
                self.composed.emit(scene, image)
            self._closing.wait(max(0.0, due - time.monotonic()))

    def _raise(self, error: Exception) -> None:
        raise error
