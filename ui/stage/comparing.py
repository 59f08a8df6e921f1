"""Before and after: what of the effects is taken away to compare, and the line between the two on the stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PyQt5.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt5.QtGui import QColor, QPainter, QPen, QPolygonF

from ui.stage.labels import PLATE, PLATE_TEXT, Labels

if TYPE_CHECKING:
    from streamer.types import FrameResult, Image
    from ui.stage.scene import Scene
    from ui.stage.viewport import Placement

REACH: Final = 8.0
"""Logical pixels on either side of the line in which it is taken hold of."""

_KNOB = 13.0  # radius of the handle
_GAP = 10.0  # between the line, or the picture's edge, and a label
_SHADOW = QColor(0, 0, 0, 130)


@dataclass(frozen=True, slots=True)
class Compare:
    """How the picture is compared with what it was.

    Attributes:
        before: all of it is shown as it was.
        split: what is left of this part of the visible picture's width, 0..1, is shown as it was; ``None``: nothing.
    """

    before: bool = False
    split: float | None = None


NOTHING_COMPARED: Final = Compare()


def pictures(scene: Scene) -> tuple[Image, Image]:
    """What is on the left and on the right of the line; the same picture where there is none. May take its time."""
    compare, result = scene.compare, scene.result
    if not scene.live or (compare.split is None and not compare.before):
        return result.picture, result.picture
    before = before_effects(result)
    return before, before if compare.before else result.picture


def before_effects(result: FrameResult) -> Image:
    """A frame as it was before its effects; what hides faces still does."""
    return result.frame.image if result.shown is None else result.shown.before


def visible_area(placement: Placement, stage: QSizeF) -> QRectF:
    """The part of the stage with picture on it."""
    return placement.area.intersected(QRectF(0, 0, stage.width(), stage.height()))


def line_at(placement: Placement, stage: QSizeF, split: float) -> float:
    """Where the line is on the stage, in logical pixels."""
    area = visible_area(placement, stage)
    return area.left() + split * area.width()


def split_at(placement: Placement, stage: QSizeF, x: float) -> float:
    """The split whose line is at ``x``, or as near as the picture allows; the inverse of ``line_at``."""
    area = visible_area(placement, stage)
    return min(max((x - area.left()) / max(area.width(), 1.0), 0.0), 1.0)


def paint_compare(painter: QPainter, scene: Scene, placement: Placement, labels: Labels) -> None:
    """Paint the line with its handle, and say which side is which, where there are effects to compare."""
    compare, area = scene.compare, visible_area(placement, scene.size)
    if scene.result.shown is None:
        return
    if compare.before:
        labels.word("Before", QPointF(area.center().x(), area.bottom() - _GAP))
    elif compare.split is not None:
        x = round(line_at(placement, scene.size, compare.split) * scene.ratio) / scene.ratio
        _paint_line(painter, x, area)
        labels.word("Before", QPointF(x - _GAP, area.bottom() - _GAP), Qt.AlignRight, area.left())
        labels.word("After", QPointF(x + _GAP, area.bottom() - _GAP), Qt.AlignLeft, area.right())


def _paint_line(painter: QPainter, x: float, area: QRectF) -> None:
    painter.setRenderHint(QPainter.Antialiasing, False)
    painter.fillRect(QRectF(x - 2, area.top(), 4, area.height()), _SHADOW)
    painter.fillRect(QRectF(x - 1, area.top(), 2, area.height()), PLATE_TEXT)
    painter.setRenderHint(QPainter.Antialiasing)
    middle = QPointF(x, area.center().y())
    painter.setPen(QPen(PLATE_TEXT, 2))
    painter.setBrush(PLATE)
    painter.drawEllipse(middle, _KNOB, _KNOB)
    painter.setPen(Qt.NoPen)
    painter.setBrush(PLATE_TEXT)
    for side in (-1, 1):
        tip = [QPointF(side * 9, 0), QPointF(side * 4, -4.5), QPointF(side * 4, 4.5)]
        painter.drawPolygon(QPolygonF([middle + corner for corner in tip]))
