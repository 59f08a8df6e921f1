"""Ears of an animal on top of the head, with its nose and whiskers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from streamer.effects.art import Art, Brush, smooth_line
from streamer.effects.base import Canvas, Phase, PictureEffect, bgr_of, colour, strength
from streamer.effects.head3d import STEADY, Head, light_on, trust
from streamer.effects.overlay import Layer
from streamer.effects.region import FaceRegion
from streamer.effects.solid import Solid, sheet, tube
from streamer.landmarks.topology import NOSE_TIP
from streamer.schema import key

Points = NDArray[np.floating[Any]]


class Ears(PictureEffect):
    """Ears of a cat, a bunny or a bear on every head, with nose and whiskers."""

    title: ClassVar[str] = "Animal ears"
    phase: ClassVar[Phase] = Phase.STICKER

    strength: float = strength(1.0, "how opaque")
    style: Literal["cat", "bunny", "bear"] = key("cat", "which animal")
    colour: str = colour("#3a3230", "colour of the fur")
    nose: bool = key(True, "also draw the nose and the whiskers", title="Nose and whiskers")

    def draw(self, canvas: Canvas) -> None:
        """Draw them, smallest head first, so that nearer ones cover farther ones."""
        for face in sorted(canvas.regions, key=lambda region: region.unit):
            head, light = Head.of(face), light_on(face)
            self._ears(canvas, face, head.pinned(face, STEADY)).lay(self.strength, light)
            if self.nose:
                self._nose(canvas, face, head).lay(self.strength, light)

    def _ears(self, canvas: Canvas, face: FaceRegion, head: Head) -> Layer:
        planes = [_plane(head, _ANIMALS[self.style], sign) for sign in (-1, 1)]
        ears = [_ear(self.style, self.colour, sign) for sign in (-1, 1)]
        corners = [ear.corners() @ plane[:, :2].T + plane[:, 2] for ear, plane in zip(ears, planes, strict=True)]
        layer = Layer(canvas.picture, np.concatenate(corners))
        for at in (0, 1) if head.yaw < 0 else (1, 0):  # the farther one first
            # seen from its edge, an ear of paper would show
            facing = (-1, 1)[at] * float(np.linalg.det(planes[at][:, :2])) / head.scale**2
            layer.paste(ears[at], planes[at], trust(-facing, -0.35, -0.12))
        return layer

    def _nose(self, canvas: Canvas, face: FaceRegion, head: Head) -> Layer:
        on_nose = head.pinned(face, [53, NOSE_TIP, *range(57, 64)])
        nose, whiskers = _tip(self.style), [_whiskers(sign) for sign in (-1, 1)]
        drawn = np.concatenate([nose.corners, *(half.corners for half in whiskers)])
        layer = Layer(canvas.picture, on_nose.project(drawn.reshape(-1, 3)), margin=3, finer=2)
        for sign, half in zip((-1, 1), whiskers, strict=True):
            # the face hides the roots of the whiskers on its farther side
            seen = trust(-sign * head.yaw, 25.0, 45.0)
            if seen:
                half.draw(layer, on_nose, opacity=seen)
        nose.draw(layer, on_nose)
        # On pale skin and before a white wall it is their shadow that shows the whiskers.
        around = on_nose.project(_SHADED)[:, :2]
        layer.shade(0.015 * head.scale * head.rotation[:2, 1], 0.06 * head.scale, 0.7 * self.strength, around)
        return layer


@dataclass(frozen=True, slots=True)
class _Animal:
    """Where an ear grows, and its shape, in head units; ``edge`` is half its width from the root to the tip."""

    root: tuple[float, float, float]
    height: float
    edge: tuple[float, ...]
    splay: float  # degrees outwards
    lining: tuple[float, float, float]


_ANIMALS: Final[dict[str, _Animal]] = {
    "cat": _Animal((0.49, -1.36, 0.42), 0.80, (0.40, 0.395, 0.35, 0.28, 0.20, 0.11, 0.0), 22.0, (160, 150, 236)),
    "bunny": _Animal((0.34, -1.50, 0.46), 1.75, (0.17, 0.24, 0.27, 0.27, 0.24, 0.17, 0.0), 10.0, (185, 175, 242)),
    "bear": _Animal((0.66, -1.30, 0.45), 0.52, (0.34, 0.36, 0.36, 0.345, 0.30, 0.22, 0.0), 34.0, (125, 150, 190)),
}
_FINE: Final = 220  # pixels of an ear per head unit
_OUTWARDS: Final = 0.4  # how far ears turn to the sides


def _plane(head: Head, animal: _Animal, sign: int) -> Points:
    """The map ``(2, 3)`` of an ear's art into the picture: x outwards, y down, (0, 0) at its root."""
    angle = np.radians(animal.splay)
    across = np.array((sign * np.cos(angle), np.sin(angle), _OUTWARDS))
    along = np.array((-sign * np.sin(angle), np.cos(angle), -0.1))
    return head.plane(np.array(animal.root) * (sign, 1, 1), across, along)


@lru_cache(maxsize=16)
def _ear(style: str, fur: str, sign: int) -> Art:
    """One ear as seen from the front, hair by hair; both halves differ, so that the ears are no mirror images."""
    animal, tint = _ANIMALS[style], np.array(bgr_of(fur), np.float64)
    chance = np.random.default_rng(8 + sign)
    brush = Brush((-0.62, -animal.height - 0.15, 0.62, 0.22), _FINE)
    outline = _outline(animal, 1.0, 0.08)
    brush.fill(outline, tint * 0.75)
    _coat(brush, animal, tint, chance)
    inside = _outline(animal, 0.66, -0.02) * (1.0, 0.86) - (0.0, 0.03 * animal.height)
    brush.fill(inside, np.array(animal.lining) * 0.62, soft=0.03)
    brush.fill(inside * (0.8, 0.92) - (0.0, 0.05 * animal.height), np.array(animal.lining), 0.85, soft=0.05)
    _tufts(brush, animal, tint, chance)
    brush.fade(-0.06, 0.16)
    return brush.done()


def _edge(animal: _Animal, up: Points) -> Points:
    """Half the width of an ear at heights from 0 to 1."""
    return smooth_line(np.array(animal.edge)[:, None], np.clip(up, 0, 1))[:, 0]


def _outline(animal: _Animal, part: float, below: float) -> Points:
    """``(n, 2)`` around an ear, narrowed to a part of its width."""
    up = np.linspace(0, 1, 30)
    side = np.stack([part * _edge(animal, up), -animal.height * up], axis=1)
    foot = np.array(((side[0, 0], below), (-side[0, 0], below)))
    return np.concatenate([foot[1:], (side * (-1, 1)), side[::-1], foot[:1]])


def _coat(brush: Brush, animal: _Animal, tint: Points, chance: np.random.Generator) -> None:
    """Short hair all over, from the tip down, longer over the edges; lighter on the side of the light."""
    count = int(2200 * animal.height)
    up = np.sort(chance.uniform(-0.08, 0.985, count))[::-1]
    across = chance.choice((-1, 1), count) * np.sqrt(chance.uniform(0.12, 1.0, count))
    roots = np.stack([across * _edge(animal, up) * 0.985, -animal.height * up], axis=1)
    lean = across * chance.uniform(0.2, 1.0, count)
    length = chance.uniform(0.05, 0.10, count) * (1 - 0.3 * up)
    tips = roots + np.stack([0.55 * lean, -1.1 + 0.35 * np.abs(lean)], axis=1) * length[:, None]
    bends = np.stack([np.zeros(count), chance.normal(0, 0.006, count)], axis=1)
    light = chance.uniform(0.72, 1.12, count) + 0.16 * np.abs(across) ** 3 + 0.12 * up
    brush.hairs(roots, tips, bends, 0.017, np.clip(tint * light[:, None] + 10 * light[:, None], 0, 255))


def _tufts(brush: Brush, animal: _Animal, tint: Points, chance: np.random.Generator) -> None:
    """Long pale hair from the inner edge and the root over the bare skin."""
    count = 150
    up = np.sort(chance.uniform(0.0, 0.5, count) ** 1.3)[::-1]
    side = chance.choice((-1, 1), count)
    inset = chance.uniform(0.5, 0.72, count) * np.where(up < 0.08, chance.uniform(0.0, 1.0, count), 1.0)
    roots = np.stack([side * inset * _edge(animal, up), -animal.height * up + 0.02], axis=1)
    reach = chance.uniform(0.12, 0.26, count)
    tips = roots + np.stack([-side * reach * 0.55 * inset, -reach], axis=1)
    pale = tint + (235 - tint) * chance.uniform(0.3, 0.62, (count, 1))
    brush.hairs(roots, tips, np.stack([side * 0.02, np.zeros(count)], axis=1), 0.013, pale)


@lru_cache(maxsize=4)
def _tip(style: str) -> Solid:
    """The animal's nose over the tip of one's own."""
    tint = np.array({"cat": (168, 150, 238), "bunny": (176, 164, 242), "bear": (74, 66, 72)}[style], np.float64)
    half = {"cat": 0.14, "bunny": 0.13, "bear": 0.165}[style]
    polar, around = np.linspace(0.02, np.pi / 2, 7)[:, None], np.linspace(-np.pi, np.pi, 24, endpoint=False)[None, :]
    below = np.maximum(np.cos(around), 0)  # 0 at the top: a triangle with round corners, its point below
    dip = np.maximum(np.cos(around + np.pi), 0) ** 6  # and a dip above: a heart
    radius = half * (1 - 0.18 * below**0.8 + 0.16 * np.abs(np.sin(around)) ** 3 - 0.22 * dip)
    x, y = radius * np.sin(polar) * np.sin(around), 0.78 * radius * np.sin(polar) * np.cos(around)
    z = np.broadcast_to(-0.07 * np.cos(polar), x.shape)
    return sheet(np.stack([x, y + 0.055, z - 0.42], axis=-1), tint, gloss=0.4, closed=True)


_SHADED: Final = np.array(((-1.2, -0.25, 0.0), (1.2, -0.25, 0.0), (1.2, 0.5, 0.0), (-1.2, 0.5, 0.0)))
"""Corners around the whiskers, in head units."""


@lru_cache(maxsize=2)
def _whiskers(sign: int) -> Solid:
    """Three on a side: they grow out of the cheek, bend down and thin out."""
    t = np.linspace(0, 1, 9)
    hairs = []
    for row, (rise, reach) in enumerate(((-0.16, 0.78), (-0.02, 0.86), (0.12, 0.76))):
        x = 0.26 + 0.03 * row + reach * t
        y = 0.10 + 0.055 * row + rise * t + 0.12 * t**2
        z = -0.16 + 0.34 * t
        path = np.stack([sign * x, y, z], axis=1)
        hairs.append(tube(path, 0.011 * (1 - 0.8 * t), (238, 236, 234), sides=4, alpha=np.clip(1.15 - t[:-1], 0, 0.95)))
    return hairs[0] + hairs[1] + hairs[2]
