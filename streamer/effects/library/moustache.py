"""A moustache that grows under the nose and moves with the lip."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from streamer.effects.art import Art, Brush, smooth_line
from streamer.effects.base import Canvas, Phase, PictureEffect, bgr_of, colour, strength
from streamer.effects.head3d import Head, light_on, trust
from streamer.effects.overlay import Layer
from streamer.effects.region import FaceRegion
from streamer.schema import key

Points = NDArray[np.floating[Any]]


class Moustache(PictureEffect):
    """A moustache under every nose: handlebar, chevron or pencil."""

    title: ClassVar[str] = "Moustache"
    phase: ClassVar[Phase] = Phase.STICKER

    strength: float = strength(1.0, "how opaque")
    style: Literal["handlebar", "chevron", "pencil"] = key("handlebar", "which moustache")
    colour: str = colour("#3b2417", "colour of the hair")

    def draw(self, canvas: Canvas) -> None:
        """Draw them, smallest head first, so that nearer ones cover farther ones."""
        for face in sorted(canvas.regions, key=lambda region: region.unit):
            self._grow(canvas, face)

    def _grow(self, canvas: Canvas, face: FaceRegion) -> None:
        head = Head.of(face).pinned(face, _LIP)
        halves = [_half(self.style, self.colour, sign) for sign in (-1, 1)]
        planes = [_plane(head, sign) for sign in (-1, 1)]
        corners = [half.corners() @ plane[:, :2].T + plane[:, 2] for half, plane in zip(halves, planes, strict=True)]
        layer = Layer(canvas.picture, np.concatenate(corners))
        for at in (0, 1) if head.yaw < 0 else (1, 0):  # the farther half first
            # beyond the edge of the face a half would show its back
            facing = (-1, 1)[at] * float(np.linalg.det(planes[at][:, :2])) / head.scale**2
            layer.paste(halves[at], planes[at], trust(-facing, -0.12, 0.0))
        outline = face.outline + np.array(face.rect[:2], np.float32)
        layer.shade(0.03 * head.scale * head.rotation[:2, 1], 0.06 * head.scale, 0.35 * self.strength, outline)
        layer.lay(self.strength, light_on(face))


_LIP: Final = [*range(58, 63), 86, 87, 88]  # the bottom of the nose and the middle of the upper lip
_ROOT: Final = np.array((0.0, 0.20, -0.27))  # in head units
_SLOPE: Final = 0.5  # how far the lip goes back on its way to the cheeks
_FINE: Final = 500  # pixels per head unit


def _plane(head: Head, sign: int) -> Points:
    """The map ``(2, 3)`` of one half's art into the picture: x outwards from the middle, y down."""
    return head.plane(_ROOT, np.array((sign * 1.0, 0.0, _SLOPE)), np.array((0.0, 1.0, 0.12)))


_STROKES: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    # how hair lies: the line of one half from the middle outwards, x, y, and how thick it is there
    "handlebar": (
        (-0.02, 0.03, 0.06),
        (0.12, 0.04, 0.075),
        (0.26, 0.10, 0.06),
        (0.40, 0.12, 0.035),
        (0.50, 0.05, 0.02),
        (0.54, -0.06, 0.008),
    ),
    "chevron": (
        (-0.02, 0.045, 0.085),
        (0.12, 0.05, 0.09),
        (0.24, 0.09, 0.08),
        (0.33, 0.15, 0.055),
        (0.38, 0.22, 0.015),
    ),
    "pencil": ((0.025, 0.055, 0.02), (0.12, 0.062, 0.026), (0.22, 0.092, 0.022), (0.32, 0.14, 0.008)),
}


@lru_cache(maxsize=16)
def _half(style: str, hair: str, sign: int) -> Art:
    """One half, hair by hair along its line."""
    tint, chance = np.array(bgr_of(hair), np.float64), np.random.default_rng(20 + sign)
    brush = Brush((-0.06, -0.18, 0.64, 0.36), _FINE)
    knots = np.array(_STROKES[style])
    count = 2200 if style != "pencil" else 900
    at = np.sort(chance.uniform(0, 1, count) ** 1.15)[::-1]
    off = np.clip(chance.normal(0, 0.45, count), -1, 1)
    length = chance.uniform(0.10, 0.22, count) if style == "handlebar" else chance.uniform(0.05, 0.11, count)
    line, further = smooth_line(knots, at), smooth_line(knots, np.minimum(at + length / 0.6, 1.0))
    roots = np.stack([line[:, 0], line[:, 1] + off * line[:, 2]], axis=1)
    tips = np.stack([further[:, 0], further[:, 1] + off * further[:, 2] * 1.05], axis=1)
    if style != "handlebar":  # short hair falls over the lip
        tips = roots + (tips - roots) * 0.6 + np.stack([np.zeros(count), 0.55 * length], axis=1)
    middle = (smooth_line(knots, np.minimum(at + length / 1.2, 1.0))[:, :2] - (line[:, :2] + further[:, :2]) / 2) / 1.5
    order = np.argsort(-np.abs(off) + chance.normal(0, 0.35, count))
    light = chance.uniform(0.6, 1.25, count) + 0.3 * np.clip(-off, 0, 1)
    colours = np.clip(tint * light[:, None] + 14 * np.maximum(light - 0.9, 0)[:, None], 0, 255)
    brush.hairs(roots[order], tips[order], middle[order], 0.0085, colours[order])
    return brush.done()
