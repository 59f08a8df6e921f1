"""Buttons with signs instead of words, painted by us: crisp at any scale and in the colours of the theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QPainter, QPainterPath, QPainterPathStroker, QPaintEvent, QPalette, QPolygonF
from PyQt5.QtWidgets import QAction, QStyle, QStyleOptionToolButton, QStylePainter, QToolButton

_SIDE = 14  # logical pixels of a sign


def _triangle(*corners: tuple[float, float]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    path.closeSubpath()
    return path


def _both(one: QPainterPath, other: QPainterPath) -> QPainterPath:
    path = QPainterPath(one)
    path.addPath(other)
    return path


def _bars(*bars: tuple[float, float]) -> QPainterPath:
    path = QPainterPath()
    for left, width in bars:
        path.addRect(QRectF(left, 0.08, width, 0.84))
    return path


def _turning_arrow() -> QPainterPath:
    """Most of a ring, with a head that turns clockwise."""
    ring = QPainterPath()
    ring.arcMoveTo(QRectF(0.12, 0.14, 0.76, 0.76), 60)
    ring.arcTo(QRectF(0.12, 0.14, 0.76, 0.76), 60, 285)
    pen = QPainterPathStroker()
    pen.setWidth(0.17)
    return pen.createStroke(ring).united(_triangle((0.56, 0.0), (1.02, 0.16), (0.68, 0.5)))


PLAY: Final = _triangle((0.14, 0.04), (0.96, 0.5), (0.14, 0.96))
PAUSE: Final = _bars((0.16, 0.24), (0.60, 0.24))
REPLAY: Final = _turning_arrow()
NEXT: Final = _both(_triangle((0.38, 0.1), (1.0, 0.5), (0.38, 0.9)), _bars((0.06, 0.18)))
BACK: Final = _both(_triangle((0.62, 0.1), (0.0, 0.5), (0.62, 0.9)), _bars((0.76, 0.18)))


class GlyphButton(QToolButton):
    """A button for a command that shows a sign; its words are in the tool tip and told to readers."""

    def __init__(self, action: QAction, sign: Callable[[], QPainterPath]) -> None:
        """Make a button.

        Args:
            action: what it sets off.
            sign: what it shows now, in a square of side 1.
        """
        super().__init__()
        self._sign = sign
        self.setDefaultAction(action)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName(action.text())
        action.changed.connect(self._follow)

    def _follow(self) -> None:
        self.setAccessibleName(self.defaultAction().text())
        self.update()

    def sizeHint(self) -> QSize:
        """As high as the buttons with words beside it."""
        height = super().sizeHint().height()
        return QSize(max(height + 6, _SIDE + 18), height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button as the style does, with a sign in place of its text."""
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.CC_ToolButton, option)
        group = QPalette.Normal if self.isEnabled() else QPalette.Disabled
        painter.setRenderHint(QPainter.Antialiasing)
        painter.translate((self.width() - _SIDE) / 2, (self.height() - _SIDE) / 2)
        painter.scale(_SIDE, _SIDE)
        painter.fillPath(self._sign(), self.palette().color(group, QPalette.ButtonText))
        painter.end()
