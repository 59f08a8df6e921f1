"""Tells that a recording runs, and for how long: a dot with words, so that colour alone tells nothing."""

from __future__ import annotations

from PyQt5.QtCore import QEvent
from PyQt5.QtWidgets import QLabel, QWidget

from streamer.pipeline.status import CameraStatus
from ui import theme
from ui.seek_bar import clock


class RecordingLight(QLabel):
    """Is there while something is recorded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recordingLight")
        self._shown = True
        self._told = ""
        self.hide()

    def allow(self, shown: bool) -> None:
        """Let it be seen, or not even while something is recorded."""
        self._shown = shown
        self.setVisible(shown and bool(self._told))

    def show_status(self, status: CameraStatus) -> None:
        """Show how long the recording is."""
        recording = status.recording
        told = "" if recording is None else "Saving…" if recording.finishing else f"REC {clock(recording.seconds, 0)}"
        if told != self._told:
            self._told = told
            self._write()
            self.setAccessibleName(f"Recording: {told}")
            self.adjustSize()
        self.setVisible(self._shown and bool(told))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours that are worn now."""
        super().changeEvent(event)
        if event.type() == QEvent.StyleChange:
            self._write()

    def _write(self) -> None:
        dot = f'<span style="color:{theme.current().bad.name()}">●</span>'
        self.setText(f"{dot}&nbsp;{self._told}" if self._told else "")
