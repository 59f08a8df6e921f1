"""Controls that Qt's style sheets cannot draw without picture files: switches, folds, colours, lists with an arrow."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PyQt5.QtWidgets import QAbstractButton, QComboBox, QSizePolicy, QStyledItemDelegate, QWidget

from ui import theme

_GAP = 8  # between the switch and its text
_EDGE = 4  # around both, where the keyboard's frame runs


class Switch(QAbstractButton):
    """A checkable button in the shape of a sliding switch, as high as the letters beside it.

    On and off are told by the side of the knob and by a tick in it, not by colour alone.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setCheckable(True)
        self.setText(text)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAttribute(Qt.WA_Hover)

    def sizeHint(self) -> QSize:
        """Room for the switch and its text."""
        metrics = self.fontMetrics()
        text = metrics.horizontalAdvance(self.text())
        return QSize(2 * _EDGE + self._track().toRect().width() + _GAP + text + 2, metrics.height() + 2 * _EDGE + 2)

    def minimumSizeHint(self) -> QSize:
        """As ``sizeHint``: nothing may be cut."""
        return self.sizeHint()

    def _track(self) -> QRectF:
        height = self.fontMetrics().height()
        return QRectF(_EDGE, (self.height() - height) / 2, 1.8 * height, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint."""
        colors, track, on = theme.current(), self._track(), self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(colors.accent, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        radius = track.height() / 2
        painter.setPen(QPen(colors.accent if on else colors.muted, 1.5))
        painter.setBrush(colors.accent if on else colors.raised)
        painter.drawRoundedRect(track.adjusted(1, 1, -1, -1), radius, radius)
        centre = QPointF(track.right() - radius if on else track.left() + radius, track.center().y())
        painter.setPen(Qt.NoPen)
        painter.setBrush(colors.on_accent if on else colors.muted)
        painter.drawEllipse(centre, radius - 4, radius - 4)
        if on:
            size = (radius - 4) / 2
            tick = [QPointF(-size, 0), QPointF(-size / 4, size * 0.8), QPointF(size, -size * 0.8)]
            painter.setPen(QPen(colors.accent, 1.6, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
            painter.setBrush(Qt.NoBrush)
            painter.drawPolyline(QPolygonF([centre + point for point in tick]))
        painter.setPen(self.palette().color(QPalette.WindowText))
        place = self.rect().adjusted(round(track.right()) + _GAP, 0, 0, 0)
        painter.drawText(place, int(Qt.AlignVCenter | Qt.AlignLeft), self.text())
        painter.end()


class Fold(QAbstractButton):
    """A checkable button that shows and hides what is below it; its arrow points down while that is open."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setObjectName("heading")
        self.setCheckable(True)
        self.setText(text)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Expanding if text else QSizePolicy.Fixed, QSizePolicy.Fixed)

    def sizeHint(self) -> QSize:
        """Room for the arrow and the text."""
        metrics = self.fontMetrics()
        side = metrics.height() + 2 * _EDGE + 2
        text = self.text()
        return QSize(side + (_GAP + metrics.horizontalAdvance(text) + _EDGE if text else 0), side)

    def minimumSizeHint(self) -> QSize:
        """As ``sizeHint``: nothing may be cut."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint."""
        colors, side = theme.current(), self.height()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(colors.accent, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        size = self.fontMetrics().height() / 4
        tips = [QPointF(-size / 2, -size), QPointF(size / 2, 0), QPointF(-size / 2, size)]
        painter.save()
        painter.translate(side / 2, self.height() / 2)
        painter.rotate(90 if self.isChecked() else 0)
        painter.setPen(QPen(colors.muted, 1.6, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
        painter.drawPolyline(QPolygonF(tips))
        painter.restore()
        painter.setPen(self.palette().color(QPalette.WindowText))
        place = self.rect().adjusted(side + _GAP // 2, 0, 0, 0)
        painter.drawText(place, int(Qt.AlignVCenter | Qt.AlignLeft), self.text())
        painter.end()


class Swatch(QAbstractButton):
    """A button that shows a colour."""

    def __init__(self) -> None:
        super().__init__()
        self._color = QColor()
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)

    def show_color(self, color: QColor) -> None:
        """Show a colour; one that is none shows as nothing."""
        self._color = color
        self.update()

    def sizeHint(self) -> QSize:
        """Half as wide again as a line is high."""
        side = self.fontMetrics().height() + 2 * _EDGE + 4
        return QSize(3 * side // 2, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint."""
        colors, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        focused = self.hasFocus()
        painter.setPen(QPen(colors.accent if focused else colors.muted, 2 if focused else 1))
        painter.setBrush(self._color if self._color.isValid() else colors.surface)
        edge = 1.0 if focused else 1.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), 5, 5)
        if focused:
            painter.setPen(QPen(colors.surface, 2))  # so that the frame shows whatever the colour is
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 3, -3, -3), 4, 4)
        painter.end()


class ComboBox(QComboBox):
    """A list that opens, with an arrow that says so."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(QStyledItemDelegate(self))  # Qt's own for combo boxes leaves the entries no room

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the arrow over what Qt paints."""
        super().paintEvent(event)
        size = self.fontMetrics().height() / 4
        centre = QPointF(self.width() - 10 - size, self.height() / 2)
        tips = [QPointF(-size, -size / 2), QPointF(0, size / 2), QPointF(size, -size / 2)]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(theme.current().muted, 1.6, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
        painter.drawPolyline(QPolygonF([centre + tip for tip in tips]))
        painter.end()
