"""Glasses that sit on the nose and turn with the head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.art import Art, premultiplied
from streamer.effects.base import Canvas, Phase, PictureEffect, bgr_of, colour, strength
from streamer.effects.head3d import EYES, Head, light_on, trust
from streamer.effects.overlay import Layer
from streamer.effects.region import FaceRegion
from streamer.effects.solid import Solid, sheet, tube
from streamer.schema import key

Points = NDArray[np.floating[Any]]
Style = Literal["round", "square", "aviator", "sunglasses"]


class Glasses(PictureEffect):
    """Glasses on every nose: round, square, aviator or sunglasses."""

    title: ClassVar[str] = "Glasses"
    phase: ClassVar[Phase] = Phase.STICKER

    strength: float = strength(1.0, "how opaque")
    style: Style = key("round", "which glasses")
    colour: str = colour("#2b211c", "colour of the frame")

    def draw(self, canvas: Canvas) -> None:
        """Put the glasses on, smallest head first, so that nearer ones cover farther ones."""
        for face in sorted(canvas.regions, key=lambda region: region.unit):
            self._put_on(canvas, face)

    def _put_on(self, canvas: Canvas, face: FaceRegion) -> None:
        head = Head.of(face).pinned(face, _RESTS)
        corners = 48 if head.scale > _SMALL else 24
        parts = [_side(self.style, self.colour, side, corners) for side in (-1, 1)]
        spanned = np.concatenate([head.project(piece.spread) for p in parts for piece in (p.rim, p.temple)])
        layer = Layer(canvas.picture, spanned, margin=2 + 0.05 * head.scale, finer=2)
        if layer.empty:
            return
        outline = face.outline + np.array(face.rect[:2], np.float32)
        far, near = parts if head.yaw < 0 else parts[::-1]
        far.draw_temple(layer, head)
        far.draw_front(layer, head, far.rim)
        layer.erase(_nose(face, left=head.yaw < 0), soft=0.03 * head.scale)
        near.draw_front(layer, head, near.rim_and_bridge)
        near.draw_temple(layer, head)
        layer.shade(0.07 * head.scale * head.rotation[:2, 1], 0.09 * head.scale, 0.3 * self.strength, outline)
        layer.lay(self.strength, light_on(face))


@dataclass(frozen=True, slots=True)
class _Side:
    """Half a pair of glasses; ``sign`` is -1 for the image-left one."""

    sign: int
    rim: Solid
    rim_and_bridge: Solid
    temple: Solid
    lens: Art

    def draw_front(self, layer: Layer, head: Head, frame: Solid) -> None:
        slope = 2 * _WRAP * _MIDDLE
        corner = np.array((0.0, 0.0, _depth(_MIDDLE) - slope * _MIDDLE))
        layer.paste(self.lens, head.plane(corner, np.array((1.0, 0.0, self.sign * slope)), np.array((0.0, 1.0, 0.0))))
        frame.draw(layer, head)

    def draw_temple(self, layer: Layer, head: Head) -> None:
        """The head itself hides the temple on its other side, gradually as it turns away."""
        towards_camera = -float(head.rotation[2] @ np.array((self.sign * 0.96, 0.0, -0.28)))
        seen = trust(-towards_camera, -0.22, -0.08)
        if seen:
            self.temple.draw(layer, head, opacity=seen)


_RESTS: Final = (*EYES, 51, 52, 55, 65)  # the eye corners and the bridge of the nose
_MIDDLE: Final = 0.375  # from the nose to the middle of a lens, in head units
_SMALL: Final = 40.0  # pixels per head unit up to which rims need few corners
_WRAP: Final = 0.13  # how the front bends around the face, per squared unit
_FRONT: Final = -0.27  # depth of the bridge


def _depth(x: Any) -> Any:
    return _FRONT + _WRAP * x * x


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a style looks like: half sizes of a lens, exponents of its superellipse, thickness, tint."""

    width: float
    height: float
    middle: float
    roundness: float
    thickness: float
    lens: tuple[float, float, float]
    opacity: tuple[float, float]  # at the top and at the bottom
    taper: float = 0.0  # how much narrower the bottom is
    lean: float = 0.0  # how far the bottom leans outwards
    metal: bool = False
    bar: bool = False  # a second bridge above


_SHAPES: Final[dict[str, _Shape]] = {
    "round": _Shape(0.275, 0.275, -0.33, 2.0, 0.026, (235, 225, 215), (0.10, 0.05), metal=True),
    "square": _Shape(0.305, 0.225, -0.355, 3.6, 0.038, (235, 225, 215), (0.10, 0.05), 0.06),
    "aviator": _Shape(0.325, 0.285, -0.31, 2.35, 0.02, (30, 48, 40), (0.94, 0.62), 0.2, 0.42, metal=True, bar=True),
    "sunglasses": _Shape(0.325, 0.24, -0.345, 2.9, 0.05, (26, 20, 18), (0.97, 0.86), 0.2, 0.1),
}


def _outline(shape: _Shape, sign: int, corners: int) -> Points:
    """``(corners, 2)`` around a lens in head units."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    power = 2 / shape.roundness
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** power * shape.width
    y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** power * shape.height
    x = x * (1 - shape.taper * (y / shape.height + 1) / 2)
    x += shape.lean * np.maximum(y, 0) * (1 - y / (1.6 * shape.height))
    return np.stack([sign * (_MIDDLE + x), shape.middle + y], axis=1)


@lru_cache(maxsize=32)
def _side(style: str, frame: str, sign: int, corners: int) -> _Side:
    shape, tint = _SHAPES[style], _frame_colour(style, frame)
    gloss = 0.9 if shape.metal else 0.45
    line = _outline(shape, sign, corners)
    path = np.column_stack([line, _depth(line[:, 0])])
    upper = np.clip((shape.middle - line[:, 1]) / shape.height, 0, 1)
    radius = shape.thickness / 2 * (1 + (0.0 if shape.metal else 0.55) * upper)
    rim = tube(path, radius, tint, closed=True, sides=6 if corners > 24 else 4, gloss=gloss)
    return _Side(sign, rim, rim + _bridge(shape, tint, gloss), _temple(shape, sign, tint, gloss), _lens(style, sign))


def _temple(shape: _Shape, sign: int, tint: Points, gloss: float) -> Solid:
    """From the hinge back over the ear, where hair may hide it: it fades there."""
    hinge = np.array((_MIDDLE + shape.width + 0.01, shape.middle - 0.42 * shape.height, 0.0))
    hinge[2] = _depth(hinge[0])
    knots = np.array((hinge, (0.80, hinge[1] - 0.005, hinge[2] + 0.12), (0.85, -0.44, 0.3), (0.86, -0.40, 0.72)))
    t = np.linspace(0, 1, 13)
    path = np.stack([np.interp(t, (0, 0.15, 0.6, 1), knots[:, axis]) for axis in range(3)], axis=1) * (sign, 1, 1)
    half = (0.016 if shape.metal else 0.034) * np.linspace(1, 0.75, len(t))
    up, out = np.array((0.0, 1.0, 0.0)), np.array((sign * 1.0, 0.0, 0.0))
    alpha = np.clip((1 - t[:-1]) / 0.3, 0, 1)
    rows = [path - half[:, None] * up + 0.01 * out, path + half[:, None] * up + 0.01 * out]
    return sheet(np.stack(rows), tint, alpha=alpha, gloss=gloss * 0.5, lining=0.9)


def _bridge(shape: _Shape, tint: Points, gloss: float) -> Solid:
    inner = _MIDDLE - shape.width
    x = np.linspace(-inner - 0.015, inner + 0.015, 9)
    level = shape.middle - 0.32 * shape.height

    def arch(y: float, rise: float) -> Solid:
        path = np.column_stack([x, y - rise * (1 - (x / x[0]) ** 2), _depth(x) - 0.05 * (1 - (x / x[0]) ** 2)])
        return tube(path, shape.thickness / 2 * (1.0 if shape.metal else 1.25), tint, gloss=gloss)

    if not shape.bar:
        return arch(level, 0.05)
    return arch(level, 0.03) + arch(shape.middle - 0.9 * shape.height, 0.0)


def _frame_colour(style: str, frame: str) -> Points:
    tint = np.array(bgr_of(frame), np.float64)
    return tint * 1.0 if style in ("square", "sunglasses") else tint * 0.9 + 12


_FINE: Final = 400  # pixels of a lens per head unit


@lru_cache(maxsize=16)
def _lens(style: str, sign: int) -> Art:
    """A lens with its tint, darker above, and the glint of a window."""
    shape = _SHAPES[style]
    line = _outline(shape, sign, 96)
    low, high = line.min(0) - 0.02, line.max(0) + 0.02
    columns, rows = (int(v) for v in np.ceil((high - low) * _FINE))
    down, right = np.mgrid[0:rows, 0:columns] / np.array((rows, columns)).reshape(2, 1, 1)
    opacity = shape.opacity[0] + (shape.opacity[1] - shape.opacity[0]) * down
    slant = right + 0.55 * down
    glint = np.exp(-(((slant - 0.55) / 0.07) ** 4)) + 0.6 * np.exp(-(((slant - 0.74) / 0.028) ** 4))
    glint *= 0.17 * np.clip(1.15 - 1.1 * down, 0, 1)
    bgr = np.array(shape.lens) * (1 - glint[..., None]) + 255.0 * glint[..., None]
    inside = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(inside, [np.round((line - low) * _FINE * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    alpha = (opacity + (1 - opacity) * glint) * inside
    pixels = np.dstack([np.broadcast_to(bgr, (rows, columns, 3)), alpha])
    return Art(premultiplied(np.round(pixels).astype(np.uint8)), (low[0], low[1], high[0], high[1]))


def _nose(face: FaceRegion, *, left: bool) -> Points:
    """What the nose hides of the farther lens: from its ridge to its nearer side, in pixels of the picture.

    Args:
        face: whose nose.
        left: the farther lens is the image-left one.
    """
    side = [65, 64, 63, 62, 61] if left else [55, 56, 57, 58, 59]
    return face.points[[51, 52, 53, 54, *side[::-1]]] + np.array(face.rect[:2], np.float32)
