"""The marks on a face: dots, crosses, numbers and lines of its landmarks, from small images made once.

A mark is stamped from one of a few images that differ by fractions of a pixel, so that it glides instead of hopping, at
the cost of a plain copy.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QPolygonF

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamer.types import FloatArray

HALO = QColor(0, 0, 0, 110)
"""Around lines and dots, so that they show on bright skin."""

_SHADOW = QColor(0, 0, 0, 170)
_PHASES = 4  # places of a mark within a pixel, across and down


def paint_dots(painter: QPainter, points: FloatArray, color: QColor, diameter: float, ratio: float) -> None:
    """A filled dot with a dark rim on each of ``(n, 2)`` points."""
    _stamp(painter, points, _dots(color.rgba(), diameter, ratio), ratio)


def paint_rings(painter: QPainter, points: FloatArray, color: QColor, diameter: float, ratio: float) -> None:
    """An open ring around each of ``(n, 2)`` points."""
    _stamp(painter, points, _rings(color.rgba(), diameter, ratio), ratio)


def paint_crosses(painter: QPainter, points: FloatArray, color: QColor, size: float, ratio: float) -> None:
    """A small cross on each of ``(n, 2)`` points."""
    _stamp(painter, points, _crosses(color.rgba(), size, ratio), ratio)


def paint_indices(painter: QPainter, points: FloatArray, font: QFont, ratio: float) -> None:
    """The number of each of ``(n, 2)`` points, on its lower right."""
    painter.save()
    painter.resetTransform()
    images = _numbers(len(points), font.family(), font.pointSizeF(), ratio)
    for (x, y), image in zip((points * ratio + (2, 1)).astype(int).tolist(), images, strict=True):
        painter.drawImage(x, y, image)
    painter.restore()


def polygon(points: FloatArray) -> QPolygonF:
    """``(n, 2)`` points as Qt wants them."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def contours(points: FloatArray, lines: Sequence[tuple[NDArray[np.intp], bool]]) -> QPainterPath:
    """The lines through a face's points as one path.

    Args:
        points: ``(n, 2)`` landmarks.
        lines: indices into them in drawing order, and whether the last joins the first.
    """
    path = QPainterPath()
    for indices, closed in lines:
        path.addPolygon(polygon(points[indices]))
        if closed:
            path.closeSubpath()
    return path


def paint_lines(painter: QPainter, path: QPainterPath, color: QColor) -> None:
    """Hairlines over a shadow of themselves: Qt draws lines of width 1 four times faster than wider ones."""
    painter.setBrush(Qt.NoBrush)
    painter.setPen(QPen(_SHADOW, 1))
    painter.drawPath(path.translated(1, 1))
    painter.setPen(QPen(color, 1))
    painter.drawPath(path)


# ---- stamps --------------------------------------------------------------------------------------------------------


def _stamp(painter: QPainter, points: FloatArray, stamps: Sequence[QImage], ratio: float) -> None:
    """Copy a mark to each point, in device pixels."""
    places = points * ratio
    whole = np.floor(places)
    across, down = ((places - whole) * _PHASES).astype(int).T
    half = stamps[0].width() // 2
    painter.save()
    painter.resetTransform()
    for (x, y), phase in zip((whole - half).astype(int).tolist(), (down * _PHASES + across).tolist(), strict=True):
        painter.drawImage(x, y, stamps[phase])
    painter.restore()


@functools.lru_cache(maxsize=64)
def _dots(rgba: int, diameter: float, ratio: float) -> list[QImage]:
    def draw(painter: QPainter) -> None:
        painter.setPen(QPen(HALO, 1))
        painter.setBrush(QColor.fromRgba(rgba))
        painter.drawEllipse(QPointF(0, 0), diameter / 2 + 0.25, diameter / 2 + 0.25)

    return _phases(diameter + 4, ratio, draw)


@functools.lru_cache(maxsize=64)
def _rings(rgba: int, diameter: float, ratio: float) -> list[QImage]:
    def draw(painter: QPainter) -> None:
        painter.setBrush(Qt.NoBrush)
        for pen in (QPen(HALO, 3.5), QPen(QColor.fromRgba(rgba), 2)):
            painter.setPen(pen)
            painter.drawEllipse(QPointF(0, 0), diameter / 2, diameter / 2)

    return _phases(diameter + 6, ratio, draw)


@functools.lru_cache(maxsize=64)
def _crosses(rgba: int, size: float, ratio: float) -> list[QImage]:
    def draw(painter: QPainter) -> None:
        for pen in (QPen(HALO, 2.4), QPen(QColor.fromRgba(rgba), 1)):
            painter.setPen(pen)
            painter.drawLine(QPointF(-size / 2, -size / 2), QPointF(size / 2, size / 2))
            painter.drawLine(QPointF(-size / 2, size / 2), QPointF(size / 2, -size / 2))

    return _phases(size + 4, ratio, draw)


def _phases(side: float, ratio: float, draw: Callable[[QPainter], None]) -> list[QImage]:
    """Images of odd side in device pixels: what ``draw`` draws about the middle, moved by fractions of a pixel."""
    pixels = math.ceil(side * ratio) | 1
    images = []
    for down in range(_PHASES):
        for across in range(_PHASES):
            image = QImage(pixels, pixels, QImage.Format_ARGB32_Premultiplied)
            image.fill(Qt.transparent)
            painter = QPainter(image)
            painter.setRenderHint(QPainter.Antialiasing)
            painter.translate(pixels // 2 + (across + 0.5) / _PHASES, pixels // 2 + (down + 0.5) / _PHASES)
            painter.scale(ratio, ratio)
            draw(painter)
            painter.end()
            images.append(image)
    return images


@functools.lru_cache(maxsize=4)
def _numbers(count: int, family: str, points: float, ratio: float) -> list[QImage]:
    """The numbers from 0 on, small and white on a shadow."""
    font = QFont(family)
    font.setPointSizeF(max(5.0, points * 0.62))
    metrics = QFontMetricsF(font)
    images = []
    for number in range(count):
        width = math.ceil((metrics.horizontalAdvance(str(number)) + 3) * ratio)
        image = QImage(width, math.ceil(metrics.height() * ratio), QImage.Format_ARGB32_Premultiplied)
        image.fill(Qt.transparent)
        painter = QPainter(image)
        painter.scale(ratio, ratio)
        painter.setFont(font)
        for color, shift in ((QColor(0, 0, 0, 220), 1.0), (QColor("white"), 0.0)):
            painter.setPen(color)
            painter.drawText(QPointF(1 + shift, metrics.ascent() + shift), str(number))
        painter.end()
        images.append(image)
    return images
