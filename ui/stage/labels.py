"""Text over the picture: plates that keep out of each other's way and inside the picture."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from ui import theme

PLATE = QColor(12, 14, 18, 205)
"""Behind numbers, in every theme: the picture is behind it, not the window."""

PLATE_TEXT = QColor("#f2f4f7")

_PAD_X, _PAD_Y, _GAP = 7.0, 2.0, 4.0


class Labels:
    """The labels of one picture; earlier ones have the better places."""

    def __init__(self, painter: QPainter, area: QRectF, ratio: float) -> None:
        """Begin.

        Args:
            painter: with the font to write in; logical pixels.
            area: what labels have to stay in.
            ratio: device pixels per logical pixel.
        """
        self._painter, self._area, self._ratio = painter, area, ratio
        self._font = painter.font().toString()
        self._taken: list[QRectF] = []

    def name(self, text: str, box: QRectF, color: QColor) -> None:
        """A face's name on the upper edge of its box, or wherever there is room beside it."""
        tag = self._tag([text], color, theme.text_on(color))
        width, height = _size(tag)
        above, below = box.top() - height - 2, box.bottom() + 2
        places = [
            (box.left() - 1, above),
            (box.right() + 1 - width, above),
            (box.left() - 1, below),
            (box.right() + 1 - width, below),
            (box.left() + 2, box.top() + 2),
        ]
        self._paint(tag, places)

    def numbers(self, text: str, box: QRectF) -> None:
        """Figures of a face under its box, or wherever there is room beside it."""
        tag = self._tag([text], PLATE, PLATE_TEXT)
        width, height = _size(tag)
        middle = box.center().x() - width / 2
        places = [
            (middle, box.bottom() + _GAP),
            (middle, box.top() - 2 * height - _GAP),
            (box.right() + _GAP, box.bottom() - height),
            (box.left() - _GAP - width, box.bottom() - height),
            (middle, box.bottom() - height - _GAP),
            (box.right() + _GAP, box.top()),
            (box.left() - _GAP - width, box.top()),
            *((middle, box.bottom() + _GAP + row * (height + 2)) for row in (1, 2)),  # in a crowd: further away
            *((middle, box.top() - (2 + row) * (height + 2) - _GAP) for row in (1, 2)),
        ]
        self._paint(tag, places)

    def corner(self, lines: Sequence[str]) -> None:
        """Lines in the upper left corner."""
        self._paint(self._tag(lines, PLATE, PLATE_TEXT), [(self._area.left() + 8, self._area.top() + 8)])

    def word(
        self, text: str, foot: QPointF, side: Qt.AlignmentFlag = Qt.AlignHCenter, limit: float | None = None
    ) -> None:
        """A plate whose lower edge is at ``foot``, which is its middle or the end ``side`` names.

        It is left out where it would reach over ``limit``.
        """
        tag = self._tag([text], PLATE, PLATE_TEXT)
        width, height = _size(tag)
        left = foot.x() - {Qt.AlignHCenter: width / 2, Qt.AlignRight: width, Qt.AlignLeft: 0.0}[side]
        if limit is None or (left >= limit if side == Qt.AlignRight else left + width <= limit):
            self._paint(tag, [(left, foot.y() - height)])

    def _place(self, places: Sequence[tuple[float, float]], width: float, height: float) -> QRectF:
        """The first place that is free, else the one that covers the least."""
        rects = [_inside(QRectF(x, y, width, height), self._area) for x, y in places]
        best = min(rects, key=self._covered)  # the first of equals
        self._taken.append(best)
        return best

    def _covered(self, rect: QRectF) -> float:
        overlaps = (rect.intersected(other) for other in self._taken)
        return sum(overlap.width() * overlap.height() for overlap in overlaps)

    def _tag(self, lines: Sequence[str], background: QColor, color: QColor) -> QImage:
        return _tag(tuple(lines), background.rgba(), color.rgba(), self._font, self._ratio)

    def _paint(self, tag: QImage, places: Sequence[tuple[float, float]]) -> None:
        self._painter.drawImage(self._place(places, *_size(tag)).topLeft(), tag)


def _size(tag: QImage) -> tuple[float, float]:
    ratio = tag.devicePixelRatioF()
    return tag.width() / ratio, tag.height() / ratio


@functools.lru_cache(maxsize=256)
def _tag(lines: tuple[str, ...], background: int, color: int, font: str, ratio: float) -> QImage:
    """Lines on a plate; kept, because setting text costs more than all else on a face, and figures come again."""
    letters = QFont()
    letters.fromString(font)
    metrics = QFontMetricsF(letters)
    width = round(max(metrics.horizontalAdvance(line) for line in lines) + 2 * _PAD_X)
    height = round(metrics.height() * len(lines) + 2 * _PAD_Y)
    tag = QImage(math.ceil(width * ratio), math.ceil(height * ratio), QImage.Format_ARGB32_Premultiplied)
    tag.setDevicePixelRatio(ratio)
    tag.fill(Qt.transparent)
    painter = QPainter(tag)
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setFont(letters)
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor.fromRgba(background))
    painter.drawRoundedRect(QRectF(0, 0, width, height), 4, 4)
    painter.setPen(QColor.fromRgba(color))
    for number, line in enumerate(lines):
        painter.drawText(QPointF(_PAD_X, _PAD_Y + metrics.ascent() + number * metrics.height()), line)
    painter.end()
    return tag


def _inside(place: QRectF, area: QRectF) -> QRectF:
    """``place`` moved the least way so that it lies within ``area``."""
    x = max(area.left(), min(place.x(), area.right() - place.width()))
    y = max(area.top(), min(place.y(), area.bottom() - place.height()))
    return QRectF(round(x), round(y), place.width(), place.height())
