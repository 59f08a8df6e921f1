"""The application's icon, drawn here: a face of landmarks in the colours of the tracks."""

from __future__ import annotations

import math
from typing import Final

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QIcon, QPainter, QPainterPath, QPen, QPixmap

from ui import theme

SIZES: Final = (16, 24, 32, 48, 64, 128, 256)
"""Sides in pixels that desktops ask for."""


def icon() -> QIcon:
    """The icon in every size."""
    made = QIcon()
    for side in SIZES:
        made.addPixmap(draw(side))
    return made


def draw(side: int) -> QPixmap:
    """The icon ``side`` pixels across: corners of a box, and dots along jaw, eyes and mouth."""
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.Antialiasing)
    painter.scale(side / 64, side / 64)
    painter.setPen(Qt.NoPen)
    painter.setBrush(theme.DARK.surface)
    painter.drawRoundedRect(QRectF(1, 1, 62, 62), 14, 14)
    painter.setBrush(Qt.NoBrush)
    painter.setPen(QPen(theme.TRACKS[1], 4, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
    painter.drawPath(_corners(QRectF(10, 10, 44, 44), 9))
    painter.setPen(Qt.NoPen)
    painter.setBrush(theme.TRACKS[0])
    for point in _face():
        painter.drawEllipse(point, 2.1, 2.1)
    painter.end()
    return pixmap


def _corners(box: QRectF, arm: float) -> QPainterPath:
    path = QPainterPath()
    for corner, dx, dy in (
        (box.topLeft(), arm, arm),
        (box.topRight(), -arm, arm),
        (box.bottomRight(), -arm, -arm),
        (box.bottomLeft(), arm, -arm),
    ):
        path.moveTo(corner + QPointF(dx, 0))
        path.lineTo(corner)
        path.lineTo(corner + QPointF(0, dy))
    return path


def _face() -> list[QPointF]:
    jaw = [(32 - 14 * math.cos(a), 26 + 20 * math.sin(a)) for a in (math.pi * k / 8 for k in range(9))]
    mouth = [(32 - 5.5 * math.cos(a), 36.5 + 3 * math.sin(a)) for a in (math.pi * k / 3 for k in range(4))]
    return [QPointF(x, y) for x, y in (*jaw, *mouth, (26.0, 22.0), (38.0, 22.0), (32.0, 29.0))]
