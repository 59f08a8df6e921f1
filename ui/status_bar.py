"""The line at the bottom: state, resolution, rates, latency, drops by cause."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt5.QtCore import QEvent, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from streamer.pipeline.status import CameraState, CameraStatus
from ui import theme
from ui.flow_layout import FlowLayout
from ui.playback_commands import has_time
from ui.widgets import ElidedLabel, make_button, make_label

_LIGHTS = {
    CameraState.IDLE: ("○", "muted", "Idle"),
    CameraState.CONNECTING: ("◌", "warning", "Connecting"),
    CameraState.RUNNING: ("●", "good", "Running"),
    CameraState.ENDED: ("■", "muted", "Ended"),
    CameraState.FAILED: ("▲", "bad", "Failed"),
    CameraState.CLOSED: ("■", "muted", "Stopped"),
}
"""Sign, colour of the theme and word for each state; the sign differs too, so that nothing is told by colour alone."""

_NONE = "–"


class StatusBar(QFrame):
    """Shows a ``CameraStatus`` in figures, and what covers faces.

    Signals:
        covers_wanted: the user wants to see what covers faces.
    """

    covers_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusBar")
        self._figures = FlowLayout(across=20, down=4)  # a second line, where letters are large or the window is narrow
        self._figures.setContentsMargins(16, 6, 16, 6)
        self.setLayout(self._figures)
        self._light = "", "muted", ""
        self._state = QLabel()
        self._state.setAccessibleName("State")
        self._state.setMinimumWidth(self._state.fontMetrics().horizontalAdvance("●  Connecting"))
        self._figures.addWidget(self._state)
        self._covers = make_button("", self.covers_wanted.emit, name="link", tip="Go to what covers faces")
        self._covers.hide()
        self._figures.addWidget(self._covers)
        self._size = self._figure("size", "0000 × 0000")
        self._source_fps = self._figure("source", "000.0 fps")
        self._analysed_fps = self._figure("analysed", "000.0 fps")
        self._latency = self._figure("latency p50 / p95", "0000 / 0000 ms")
        self._drops = self._figure("dropped", None)

    def show_status(self, status: CameraStatus) -> None:
        """Show the figures of a status."""
        self._light = _light(status)
        self._show_light()
        running = status.state is CameraState.RUNNING
        p50, p95 = status.latency_ms
        self._size.setText(f"{status.size[0]} × {status.size[1]}" if status.size else _NONE)
        self._source_fps.setText(f"{status.source_fps:.1f} fps" if running else _NONE)
        self._analysed_fps.setText(f"{status.analysed_fps:.1f} fps" if running else _NONE)
        self._latency.setText(f"{p50:.0f} / {p95:.0f} ms" if running else _NONE)
        self._drops.setText(describe_drops(status.drops))

    def show_covers(self, covers: tuple[str, ...]) -> None:
        """Show what covers faces, by its titles."""
        self._covers.setText(f"Faces covered: {', '.join(covers)}")
        self._covers.setVisible(bool(covers))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours that are worn now."""
        super().changeEvent(event)
        if event.type() == QEvent.StyleChange:
            self._show_light()

    def _show_light(self) -> None:
        sign, role, word = self._light
        color: QColor = getattr(theme.current(), role)
        self._state.setText(f'<span style="color:{color.name()}">{sign}</span>&nbsp;&nbsp;{word}')

    def _figure(self, caption: str, widest: str | None) -> QLabel:
        """Add a caption with a value beside it, wide enough for ``widest`` so that nothing jumps."""
        value = ElidedLabel("value", _NONE) if widest is None else make_label("value", _NONE)
        value.setAccessibleName(caption)
        if widest is not None:
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance(widest))
        figure = QWidget()
        row = QHBoxLayout(figure)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(7)
        row.addWidget(make_label("caption", caption))
        row.addWidget(value)
        self._figures.addWidget(figure)
        return value


def _light(status: CameraStatus) -> tuple[str, str, str]:
    """Sign, colour and word for what goes on: a file that stands still runs for the camera, but not for people."""
    if status.on_show and status.playback.live is False and not has_time(status.playback):
        return "■", "muted", "Picture"
    if status.state is CameraState.RUNNING and status.playback.at_end:
        return "■", "muted", "At the end"
    if status.state is CameraState.RUNNING and status.playback.paused:
        return "‖", "muted", "Paused"
    return _LIGHTS[status.state]


def describe_drops(drops: Mapping[str, int]) -> str:
    """Lost frames in words: how many, and of which cause."""
    causes = [f"{count} {cause}" for cause, count in drops.items() if count]
    return ", ".join(causes) or "0"
