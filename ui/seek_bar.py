"""The line a file's time runs along: click or drag to go somewhere."""

from __future__ import annotations

from typing import cast

from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QSizePolicy, QSlider, QToolTip

from ui import theme

_HANDLE = 6  # radius of the handle in logical pixels
_MARGIN = 9  # left free at both ends: for the handle and the ring of the keyboard around it
_GROOVE = 4.0
_BUSY = "Seeking…"
_PER_SECOND = 1000  # the slider counts in milliseconds


class SeekBar(QSlider):
    """Shows where in a file the picture is.

    Signals:
        sought: the user wants the picture at this time, in seconds; many times a second while dragging.
    """

    sought = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__(Qt.Horizontal)
        self._busy = False
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName("Position")
        self.setSingleStep(_PER_SECOND)
        self.setPageStep(10 * _PER_SECOND)
        self.actionTriggered.connect(self._seek_by_key)

    def show_time(self, position: float, duration: float) -> None:
        """Put the handle at ``position`` seconds of ``duration``, unless the user holds it."""
        if not self.isSliderDown():
            self.setRange(0, round(duration * _PER_SECOND))
            self.setValue(round(position * _PER_SECOND))

    def show_busy(self, busy: bool) -> None:
        """Show whether the frame that was asked for is still being looked for."""
        if busy != self._busy:
            self._busy = busy
            self.setAccessibleDescription("Seeking" if busy else "")
            self.update()

    def _seek_by_key(self, action: int) -> None:
        if action not in (QSlider.SliderMove, QSlider.SliderNoAction):
            self.sought.emit(self.sliderPosition() / _PER_SECOND)

    def _seconds_at(self, x: float) -> float:
        share = (x - _MARGIN) / max(self.width() - 2 * _MARGIN, 1)
        return min(max(share, 0.0), 1.0) * self.maximum() / _PER_SECOND

    def _seek_to_pointer(self, event: QMouseEvent) -> None:
        seconds = self._seconds_at(event.localPos().x())
        self.setValue(round(seconds * _PER_SECOND))
        self.sought.emit(seconds)

    # ---- Qt ----------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """As high as its handle with a ring around it."""
        return QSize(200, 2 * _MARGIN + 2)

    def minimumSizeHint(self) -> QSize:
        """Short enough for the smallest window."""
        return QSize(36, self.sizeHint().height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go where the pointer is, and begin to drag."""
        if event.button() == Qt.LeftButton:
            self.setSliderDown(True)
            self._seek_to_pointer(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if self.isSliderDown():
            self._seek_to_pointer(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if event.button() == Qt.LeftButton:
            self.setSliderDown(False)

    def event(self, event: QEvent) -> bool:
        """Tell the time under the pointer."""
        if event.type() == QEvent.ToolTip and self.isEnabled():
            help_event = cast(QHelpEvent, event)
            QToolTip.showText(help_event.globalPos(), clock(self._seconds_at(help_event.x())), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the groove, what has been played of it, and the handle."""
        colors, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        length = self.width() - 2 * _MARGIN
        reached = length * self.sliderPosition() / max(self.maximum(), 1)
        groove = QRectF(_MARGIN, (self.height() - _GROOVE) / 2, length, _GROOVE)
        painter.setBrush(colors.line)
        painter.drawRoundedRect(groove, _GROOVE / 2, _GROOVE / 2)
        if self.isEnabled():
            groove.setWidth(reached)
            painter.setBrush(colors.accent)
            painter.drawRoundedRect(groove, _GROOVE / 2, _GROOVE / 2)
            middle = QPointF(_MARGIN + reached, self.height() / 2)
            if self._busy:
                self._paint_busy(painter, middle)
            else:
                painter.drawEllipse(middle, _HANDLE, _HANDLE)
            if self.hasFocus():
                painter.setBrush(Qt.NoBrush)
                painter.setPen(colors.text)
                painter.drawEllipse(middle, _HANDLE + 2, _HANDLE + 2)
        painter.end()

    def _paint_busy(self, painter: QPainter, middle: QPointF) -> None:
        """Paint an empty handle with a word beside it, on whichever side there is room."""
        colors, room = theme.current(), self.fontMetrics().horizontalAdvance(_BUSY) + 2 * _MARGIN
        left = middle.x() + _HANDLE if middle.x() + _HANDLE + room < self.width() else middle.x() - _HANDLE - room
        place = QRectF(left, 0, room, self.height())
        painter.setBrush(colors.surface)
        painter.drawRect(place)
        painter.setPen(QPen(colors.accent, 2))
        painter.drawEllipse(middle, _HANDLE - 1, _HANDLE - 1)
        painter.setPen(colors.text)
        painter.drawText(place, Qt.AlignCenter, _BUSY)


def clock(seconds: float, decimals: int = 2) -> str:
    """A time as people write it.

    >>> clock(75.5), clock(3675, 0)
    ('1:15.50', '1:01:15')
    """
    whole = round(seconds * 10**decimals)
    minutes, rest = divmod(whole, 60 * 10**decimals)
    tail = f"{rest / 10**decimals:0{3 + decimals if decimals else 2}.{decimals}f}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"
