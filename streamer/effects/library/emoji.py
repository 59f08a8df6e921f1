"""Drawn faces over real ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.base import bgr_of, strength
from streamer.effects.blending import blend
from streamer.effects.covering import CoverEffect, Place, bounds
from streamer.effects.region import Mask
from streamer.schema import key
from streamer.types import FloatArray, Image

Expression = Literal["smile", "laugh", "wink", "cool", "love", "surprised", "neutral"]

_SIDE: Final = 1024  # of the drawing; smaller ones are made from it
_RADIUS: Final = 0.47  # of the disc, in sides: the rest keeps its smooth edge inside the drawing
_LIGHT, _DARK, _INK, _RED, _WHITE = (bgr_of(c) for c in ("#ffe27a", "#f2a71b", "#5a3410", "#e0323c", "#ffffff"))


class Emoji(CoverEffect):
    """Puts a drawn face over each real one; it tilts with the head."""

    title: ClassVar[str] = "Emoji"

    strength: float = strength(0.3, "how far it reaches beyond the face")
    expression: Expression = key("smile", "what it looks like")

    def cover(self, picture: Image, place: Place) -> None:
        """Lay the drawing over the face's whole shape."""
        line = place.outline()
        radius = float(np.linalg.norm(line - (place.x, place.y), axis=1).max()) * (1.02 + 0.15 * self.strength)
        side = radius / _RADIUS
        corners = np.array([(place.x, place.y)], np.float32) + radius * np.array(
            [(-1.05, -1.05), (1.05, 1.05)], np.float32
        )
        where = bounds(corners, picture)
        if where is None:
            return
        colours, shape = _drawing(self.expression, _sharpest(side))
        scale = side / len(shape)
        cos, sin = scale * math.cos(math.radians(place.roll)), scale * math.sin(math.radians(place.roll))
        turn = np.array([[cos, -sin], [sin, cos]])
        middle = np.array((place.x - where[1].start, place.y - where[0].start))
        matrix = np.hstack([turn, (middle - turn @ np.full(2, (len(shape) - 1) / 2))[:, None]])
        part = picture[where]
        size = part.shape[1], part.shape[0]
        art = cv2.warpAffine(colours, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(shape, matrix, size, flags=cv2.INTER_LINEAR)
        blend(part, np.asarray(art, np.uint8), np.asarray(mask, np.uint8))


def _sharpest(side: float) -> int:
    """Side of the drawing to scale from: the next larger power of two, so that no line is skipped."""
    return min(_SIDE, 1 << max(4, math.ceil(math.log2(max(side, 1.0)))))


@lru_cache(maxsize=64)
def _drawing(expression: Expression, side: int) -> tuple[Image, Mask]:
    """Colours ``(side, side, 3)`` and opacity ``(side, side)`` of an emoji."""
    if side < _SIDE:
        colours, shape = _drawing(expression, _SIDE)
        return _shrunk(colours, side), _shrunk(shape, side)
    pen = _Pen(_disc())
    _EYES[expression](pen)
    _MOUTHS[expression](pen)
    disc: Mask = np.zeros((side, side), np.uint8)
    cv2.circle(disc, (side // 2, side // 2), round(_RADIUS * side), 255, -1, cv2.LINE_AA)
    return pen.image, disc


def _shrunk(art: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(art, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _disc() -> Image:
    """A yellow ball, lit from above, with a darker rim."""
    ys, xs = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE - 0.5
    depth = np.clip(np.hypot(xs, ys + 0.12) / 0.62, 0, 1)[..., None] ** 2
    rim = np.clip((np.hypot(xs, ys) / _RADIUS - 0.9) / 0.1, 0, 1)[..., None]
    colours = np.array(_LIGHT) + (np.array(_DARK) - _LIGHT) * np.maximum(depth * 0.9, rim)
    return np.asarray(colours.round(), np.uint8)


class _Pen:
    """Draws in a square whose middle is 0, 0 and whose half side is 1, x to the right, y down."""

    def __init__(self, image: Image) -> None:
        self.image = image

    def oval(self, x: float, y: float, width: float, height: float, colour: tuple[int, int, int]) -> None:
        """A filled ellipse around ``x, y``."""
        self.fill(_arc(x, y, width, height, 0, 360), colour)

    def fill(self, points: FloatArray, colour: tuple[int, int, int]) -> None:
        """A filled polygon."""
        cv2.fillPoly(self.image, [_fixed(points)], colour, cv2.LINE_AA, 4)

    def line(self, points: FloatArray, width: float = 0.07) -> None:
        """An inked line with round ends."""
        cv2.polylines(self.image, [_fixed(points)], False, _INK, round(width * _SIDE / 2), cv2.LINE_AA, 4)


def _arc(x: float, y: float, width: float, height: float, first: float, last: float) -> FloatArray:
    """Points on an ellipse; degrees clockwise from the right."""
    angles = np.radians(np.linspace(first, last, 64))
    return np.asarray(np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1), np.float32)


def _fixed(points: FloatArray) -> NDArray[np.int32]:
    return np.asarray(np.round((points + 1) * (_SIDE / 2 * 16)), np.int32)


def _round_eyes(pen: _Pen, size: float = 0.11) -> None:
    for x in (-0.32, 0.32):
        pen.oval(x, -0.2, size, size * 1.5, _INK)
        pen.oval(x - size * 0.3, -0.2 - size * 0.6, size * 0.3, size * 0.35, _WHITE)


def _laughing_eyes(pen: _Pen) -> None:
    for x in (-0.34, 0.34):
        pen.line(_arc(x, -0.12, 0.17, 0.17, 190, 350))


def _wink(pen: _Pen) -> None:
    pen.oval(-0.32, -0.2, 0.11, 0.165, _INK)
    pen.oval(-0.353, -0.266, 0.033, 0.04, _WHITE)
    pen.line(_arc(0.33, -0.14, 0.17, 0.12, 190, 350))


def _glasses(pen: _Pen) -> None:
    pen.line(np.array([(-0.86, -0.3), (0.86, -0.3)], np.float32), 0.09)
    for x in (-0.37, 0.37):
        pen.fill(_arc(x, -0.3, 0.32, 0.34, 0, 180), _INK)
        pen.fill(
            np.array([(x - 0.2, -0.25), (x - 0.1, -0.25), (x - 0.02, -0.05), (x - 0.12, -0.05)], np.float32), _LIGHT
        )


def _hearts(pen: _Pen) -> None:
    t = np.linspace(0, 2 * np.pi, 96)
    heart = np.stack(
        [16 * np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))], axis=1
    )
    for x in (-0.36, 0.36):
        pen.fill(np.asarray(heart * 0.0165 + (x, -0.22), np.float32), _RED)


def _smile(pen: _Pen) -> None:
    pen.line(_arc(0, 0.05, 0.48, 0.42, 20, 160))


def _grin(pen: _Pen) -> None:
    pen.fill(_arc(0, 0.14, 0.52, 0.5, 0, 180), _INK)
    pen.fill(_arc(0, 0.14, 0.46, 0.14, 0, 180), _WHITE)
    pen.oval(0, 0.52, 0.22, 0.1, _RED)


def _gasp(pen: _Pen) -> None:
    pen.oval(0, 0.42, 0.17, 0.23, _INK)


def _straight(pen: _Pen) -> None:
    pen.line(np.array([(-0.36, 0.36), (0.36, 0.36)], np.float32))


_Draw = Callable[[_Pen], None]
_EYES: Final[dict[Expression, _Draw]] = {
    "smile": _round_eyes,
    "laugh": _laughing_eyes,
    "wink": _wink,
    "cool": _glasses,
    "love": _hearts,
    "surprised": lambda pen: _round_eyes(pen, 0.13),
    "neutral": _round_eyes,
}
_MOUTHS: Final[dict[Expression, _Draw]] = {
    "smile": _smile,
    "laugh": _grin,
    "wink": _smile,
    "cool": _smile,
    "love": _grin,
    "surprised": _gasp,
    "neutral": _straight,
}
