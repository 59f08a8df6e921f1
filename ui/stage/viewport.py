"""Where the picture lies on the stage: fit, fill or 1:1, zoom, pan and mirror. Pure geometry, without widgets."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PyQt5.QtCore import QPointF, QRectF, QSizeF

if TYPE_CHECKING:
    from streamer.types import FloatArray

STEP: Final = 1.25
"""Factor of one notch of the wheel."""

_LARGEST = 32.0  # device pixels per frame pixel: what one can still find one's way in


class Fit(enum.Enum):
    """How large the picture is before the user zooms."""

    FIT = "fit"
    FILL = "fill"
    ACTUAL = "actual"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the frame lies on the stage.

    Attributes:
        scale: logical screen pixels per frame pixel.
        area: the rectangle the whole frame covers, in logical pixels; may reach over the stage.
        mirrored: whether the frame's left is on the right.
    """

    scale: float
    area: QRectF
    mirrored: bool = False

    def to_stage(self, points: FloatArray) -> FloatArray:
        """Map ``(n, 2)`` points from frame pixels, whose centres have whole coordinates, to logical screen pixels."""
        mapped = (points + 0.5) * self.scale
        if self.mirrored:
            mapped[:, 0] = self.area.width() - mapped[:, 0]
        mapped += (self.area.x(), self.area.y())
        return mapped

    def to_rect(self, box: FloatArray) -> QRectF:
        """Map an ``xyxy`` box to logical screen pixels."""
        (x1, y1), (x2, y2) = self.to_stage(box.reshape(2, 2)).tolist()
        return QRectF(x1, y1, x2 - x1, y2 - y1).normalized()

    def direction(self, x: float, y: float) -> tuple[float, float]:
        """A direction in the frame as one sees it on the stage."""
        return (-x, y) if self.mirrored else (x, y)


@dataclass(frozen=True, slots=True)
class Viewport:
    """How the user wants to see the picture; independent of the size of frame and stage.

    Attributes:
        fit: how large the picture is at ``zoom`` 1.
        zoom: further magnification.
        x: what of the frame's width is in the middle of the stage, 0..1, in the picture as shown.
        y: the same of its height.
        mirrored: show the picture as in a mirror.
    """

    fit: Fit = Fit.FIT
    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5
    mirrored: bool = False

    def place(self, frame: QSizeF, stage: QSizeF, ratio: float = 1.0) -> Placement:
        """Place a frame on a stage.

        Args:
            frame: size in frame pixels.
            stage: size in logical pixels.
            ratio: device pixels per logical pixel.
        """
        scale = self._base(frame, stage, ratio) * self.zoom
        width, height = max(1 / ratio, frame.width() * scale), max(1 / ratio, frame.height() * scale)
        left = _edge(stage.width(), width, self.x)
        top = _edge(stage.height(), height, self.y)
        # On whole device pixels, so that 1:1 is sharp.
        left, top = round(left * ratio) / ratio, round(top * ratio) / ratio
        return Placement(scale, QRectF(left, top, width, height), self.mirrored)

    def zoomed(self, factor: float, about: QPointF, frame: QSizeF, stage: QSizeF, ratio: float = 1.0) -> Viewport:
        """Magnify, keeping what is under ``about`` (logical pixels) where it is."""
        base = self._base(frame, stage, ratio)
        smallest = min(replace(self, fit=fit)._base(frame, stage, ratio) for fit in Fit)
        zoom = min(max(self.zoom * factor, smallest / base), max(self.zoom, _LARGEST / ratio / base))
        before = self.place(frame, stage, ratio).area
        u = (about.x() - before.x()) / before.width()
        v = (about.y() - before.y()) / before.height()
        size = frame * (base * zoom)
        left, top = about.x() - u * size.width(), about.y() - v * size.height()
        return self._centred(zoom, left, top, size, stage)

    def panned(self, by: QPointF, frame: QSizeF, stage: QSizeF, ratio: float = 1.0) -> Viewport:
        """Move the picture by logical pixels, as far as there is more of it."""
        area = self.place(frame, stage, ratio).area
        return self._centred(self.zoom, area.x() + by.x(), area.y() + by.y(), area.size(), stage)

    def _centred(self, zoom: float, left: float, top: float, size: QSizeF, stage: QSizeF) -> Viewport:
        x = _middle(stage.width(), size.width(), left)
        y = _middle(stage.height(), size.height(), top)
        return replace(self, zoom=zoom, x=x, y=y)

    def _base(self, frame: QSizeF, stage: QSizeF, ratio: float) -> float:
        if self.fit is Fit.ACTUAL:
            return 1 / ratio
        across, down = stage.width() / frame.width(), stage.height() / frame.height()
        return max(across, down) if self.fit is Fit.FILL else min(across, down)


def _edge(stage: float, picture: float, middle: float) -> float:
    """Where a picture begins: in the middle when there is room, else so that no margin shows."""
    if picture <= stage:
        return (stage - picture) / 2
    return min(0.0, max(stage - picture, stage / 2 - middle * picture))


def _middle(stage: float, picture: float, edge: float) -> float:
    """What part of the picture is in the middle of the stage when it begins at ``edge``; the inverse of ``_edge``."""
    if picture <= stage:
        return 0.5
    return (stage / 2 - min(0.0, max(stage - picture, edge))) / picture
