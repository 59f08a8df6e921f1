"""Files, folders and addresses that are dropped on the window."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QMimeData, QObject, Qt, QUrl, pyqtSignal
from PyQt5.QtGui import QDropEvent
from PyQt5.QtWidgets import QWidget

from ui.widgets import make_label


def dropped_sources(mime: QMimeData | None) -> list[str]:
    """What was dropped, as ``streamer.sources.open_source`` takes it; empty when it is nothing to look at."""
    if mime is None:
        return []
    if mime.hasUrls():
        return [url.toLocalFile() or url.toString() for url in mime.urls()]
    text = mime.text().strip()
    if "\n" in text or not ("://" in text or text.startswith("/")):
        return []
    return [QUrl(text).toLocalFile() or text]


class DropTarget(QObject):
    """Takes drops on a window, and says over the stage that it will.

    Signals:
        dropped: the source to show.
        told: a sentence about what was left out.
    """

    dropped = pyqtSignal(str)
    told = pyqtSignal(str)

    def __init__(self, window: QWidget, stage: QWidget) -> None:
        super().__init__(window)
        self._stage = stage
        self._hint = make_label("dropHint", "Drop it here to show it")
        self._hint.setParent(stage)
        self._hint.setAttribute(Qt.WA_TransparentForMouseEvents)
        self._hint.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        stage.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what can be shown."""
        if event.type() in (QEvent.DragEnter, QEvent.DragMove) and isinstance(event, QDropEvent):
            if dropped_sources(event.mimeData()):
                self._show_hint()
                event.acceptProposedAction()
            return True
        if event.type() in (QEvent.DragLeave, QEvent.Enter, QEvent.MouseMove):
            self._hint.hide()  # the pointer is back: a program that ended while it dragged never told
        if event.type() == QEvent.Drop and isinstance(event, QDropEvent):
            self._hint.hide()
            self._take(dropped_sources(event.mimeData()))
            event.acceptProposedAction()
            return True
        return super().eventFilter(watched, event)

    def _show_hint(self) -> None:
        self._hint.adjustSize()
        self._hint.move(self._stage.rect().center() - self._hint.rect().center())
        self._hint.show()

    def _take(self, sources: list[str]) -> None:
        if len(sources) > 1:
            self.told.emit(f"{len(sources)} files were dropped; the first is shown. Drop a folder to see its pictures.")
        if sources:
            self.dropped.emit(sources[0])
