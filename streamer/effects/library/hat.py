"""A hat that sits on the head and turns with it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from streamer.effects.base import Canvas, Phase, PictureEffect, bgr_of, colour, strength
from streamer.effects.head3d import STEADY, Head, light_on
from streamer.effects.overlay import Layer
from streamer.effects.region import FaceRegion
from streamer.effects.solid import Solid, sheet
from streamer.schema import key

Points = NDArray[np.floating[Any]]


class Hat(PictureEffect):
    """A hat on every head: a top hat, a party hat or a cap."""

    title: ClassVar[str] = "Hat"
    phase: ClassVar[Phase] = Phase.STICKER

    strength: float = strength(1.0, "how opaque")
    style: Literal["top_hat", "party", "cap"] = key("top_hat", "which hat")
    colour: str = colour("#9c1c34", "colour of the band, the stripes or the cap")

    def draw(self, canvas: Canvas) -> None:
        """Put the hat on, smallest head first, so that nearer ones cover farther ones."""
        for face in sorted(canvas.regions, key=lambda region: region.unit):
            self._put_on(canvas, face)

    def _put_on(self, canvas: Canvas, face: FaceRegion) -> None:
        head = Head.of(face).pinned(face, STEADY)
        hat = _build(self.style, self.colour, _AROUND if head.scale > _SMALL else _FEW)
        places = np.concatenate([head.project(piece.spread) for piece in hat])
        layer = Layer(canvas.picture, places, margin=2 + 0.05 * head.scale, finer=2)
        behind = [(piece.middles - _SKULL) @ head.rotation[2] > 0 for piece in hat]
        for piece, hidden in zip(hat, behind, strict=True):
            piece.draw(layer, head, hidden)
        layer.erase(_skull(head), soft=0.04 * head.scale)
        for piece, hidden in zip(hat, behind, strict=True):
            piece.draw(layer, head, ~hidden)
        forehead = face.outline + np.array(face.rect[:2], np.float32)
        layer.shade(0.09 * head.scale * head.rotation[:2, 1], 0.16 * head.scale, 0.4 * self.strength, forehead)
        layer.lay(self.strength, light_on(face))


_SKULL: Final = np.array((0.0, -0.62, 0.72))  # centre of the head above the jaw, in head units
_HALF: Final = np.array((0.84, 1.08, 0.95))  # half its width, height and depth
_AROUND: Final = 60  # corners of a ring: a multiple of 12, for stripes and panels
_FEW: Final = 24  # and of a small one
_SMALL: Final = 40.0  # pixels per head unit up to which it is small
_BAND: Final = np.array((0.0, -0.94, 0.66))  # middle of the ring where a hat sits
_LEAN: Final = 0.16  # how much higher it sits in front than behind, per unit of depth


def _skull(head: Head) -> Points:
    """Outline ``(n, 2)`` of the head's ellipsoid in the picture."""
    linear = head.scale * head.rotation[:2] * _HALF
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    values, vectors = np.linalg.eigh(linear @ linear.T)
    shape = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1) @ shape.T + head.project(_SKULL)[:2])


def _ring(width: float, depth: float, height: float, angles: Points) -> Points:
    """Points around the head: ``height`` above the band, leaning back as hats sit; angle 0 faces the camera."""
    x, z = width * np.sin(angles), -depth * np.cos(angles)
    return np.stack([_BAND[0] + x, _BAND[1] - height + _LEAN * z, _BAND[2] + z - _LEAN * -height], axis=-1)


def _turns(around: int) -> Points:
    """Where a ring's corners are, in radians, to the right for who looks at its outside."""
    return np.linspace(-np.pi, np.pi, around, endpoint=False)


def _lathe(
    profile: Points, colours: Points, around: int, *, gloss: float = 0.0, lining: float = 0.0, twist: float = 0.0
) -> Solid:
    """A surface around the head.

    Args:
        profile: ``(rows, 2)`` half the width and the height above the band, from the top down.
        colours: ``(rows - 1, 3)``, or ``(rows - 1, around, 3)`` BGR.
        around: corners of a ring.
        gloss: see :class:`Solid`.
        lining: see :class:`Solid`.
        twist: radians from the first row to the last.
    """
    turn = np.linspace(0, twist, len(profile))
    rows = [_ring(r, r * _DEEPER, h, _turns(around) + t) for (r, h), t in zip(profile, turn, strict=True)]
    if colours.ndim == 2:
        colours = colours[:, None]
    return sheet(np.stack(rows), colours, gloss=gloss, lining=lining, closed=True)


_DEEPER: Final = 1.1  # a head is deeper than wide


@lru_cache(maxsize=16)
def _build(style: str, colour: str, around: int) -> tuple[Solid, ...]:
    """The pieces of a hat, those that can only be in front last."""
    tint = np.array(bgr_of(colour), np.float64)
    return {"top_hat": _top_hat, "party": _party_hat, "cap": _cap}[style](tint, around)


def _top_hat(band: Points, around: int) -> tuple[Solid, ...]:
    felt = np.array((40.0, 35.0, 35.0))
    heights = np.concatenate([np.linspace(1.32, 1.27, 3), np.linspace(1.15, 0.32, 4), (0.31, 0.02)])
    waist = 0.87 + 0.09 * ((heights - 0.55) / 0.75) ** 2
    waist[:2] -= 0.05, 0.015
    colours = np.where((heights[1:] < 0.315)[:, None], band, felt)
    crown = _lathe(np.stack([waist, heights], 1), colours, around, gloss=0.2)
    lid = _lathe(
        np.array(((0.001, 1.335), (0.45, 1.335), (waist[0], 1.32))), np.stack([felt, felt]) * 1.1, around, gloss=0.1
    )
    return (crown + lid + _brim(0.89, 1.42, felt, around),)


def _brim(inner: float, outer: float, felt: Points, around: int) -> Solid:
    """A brim whose sides curl up."""
    turns, rows = _turns(around), []
    for part in np.linspace(0, 1, 4):
        radius = inner + (outer - inner) * part
        ring = _ring(radius, radius * 1.06, 0.02, turns)
        ring[:, 1] -= 0.24 * part**2 * np.abs(np.sin(turns)) ** 2.5 - 0.07 * part * np.cos(turns) ** 2
        ring[:, 0] *= 1 - 0.05 * part * np.abs(np.sin(turns))
        rows.append(ring)
    above = sheet(np.stack(rows), felt * 1.15, gloss=0.2, lining=0.75, closed=True)
    edge = np.stack([rows[-1] - (0, 0.018, 0), rows[-1] + (0, 0.018, 0)])
    return above + sheet(edge, felt * 1.7, gloss=0.35, closed=True)


def _party_hat(tint: Points, around: int) -> tuple[Solid, ...]:
    heights = np.linspace(1.95, 0.38, 11)
    profile = np.stack([0.03 + 0.64 * (heights[0] - heights) / 1.57, heights], 1)
    stripe = (np.arange(around) // (around // 12)) % 2 == 0
    colours = np.broadcast_to(np.where(stripe[:, None], tint, _PAPER), (len(heights) - 1, around, 3))
    cone = _lathe(profile, colours, around, gloss=0.25, lining=0.5, twist=1.1)
    rim = _lathe(
        np.array(((0.66, 0.42), (0.72, 0.38), (0.705, 0.32))),
        np.stack([_GOLD, _GOLD * 0.85]),
        around,
        gloss=0.5,
        lining=0.6,
    )
    tip = _ring(0.0, 0.0, 1.97, np.zeros(1))[0]
    return (cone + rim + _pompom(tip, 0.17),)


def _pompom(centre: Points, radius: float) -> Solid:
    """A ball of paper strips: every patch sticks out differently."""
    chance = np.random.default_rng(4)
    polar, around = np.linspace(0.02, np.pi - 0.02, 10), np.linspace(-np.pi, np.pi, 20, endpoint=False)
    reach = radius * chance.uniform(0.82, 1.18, (10, 20))
    ball = np.stack(
        [
            np.sin(polar)[:, None] * np.sin(around),
            -np.cos(polar)[:, None] * np.ones(20),
            -np.sin(polar)[:, None] * np.cos(around),
        ],
        axis=-1,
    )
    return sheet(
        centre + ball * reach[..., None], _GOLD * chance.uniform(0.8, 1.15, (9, 20, 1)), gloss=0.2, closed=True
    )


def _cap(tint: Points, around: int) -> tuple[Solid, ...]:
    angles = np.linspace(0.02, np.pi / 2, 10)
    profile = np.stack([0.99 * np.sin(angles) ** 0.75, 1.0 * np.cos(angles) ** 0.95 - 0.02], 1)
    seam = np.arange(around) % (around // 6) == 0
    panels = np.broadcast_to(np.where(seam[:, None], tint * 0.8, tint), (len(angles) - 1, around, 3))
    dome = _lathe(profile, panels, around, gloss=0.05, lining=0.4)
    button = _lathe(
        np.array(((0.001, 1.04), (0.05, 1.035), (0.075, 0.98))), np.stack([tint, tint]) * 0.85, around, gloss=0.1
    )
    return dome + button, _visor(tint)


def _visor(tint: Points) -> Solid:
    """A peak over the forehead, lower at its sides."""
    turns = np.linspace(-1.12, 1.12, 29)
    swell = np.cos(turns / 1.12 * np.pi / 2) ** 0.6
    rows = []
    for part in np.linspace(1, 0, 9):
        ring = _ring(0.99, 0.99 * _DEEPER, 0.04, turns)
        ring += part * swell[:, None] * (0.0, 0.32, -0.74)
        ring[:, 1] += 0.2 * part * swell * (ring[:, 0] / 0.9) ** 2
        rows.append(ring)
    stitches = np.where(np.arange(8) % 3 == 1, 0.93, 1.0)[:, None, None] * np.ones((8, 28, 1))
    peak = sheet(np.stack(rows), tint * 0.9 * stitches, gloss=0.05, lining=0.55)
    edge = np.stack([rows[0] - (0, 0.012, 0), rows[0] + (0, 0.03, 0)])
    return peak + sheet(edge, tint * 0.75, gloss=0.05, lining=0.9)


_PAPER: Final = np.array((235.0, 245.0, 250.0))
_GOLD: Final = np.array((60.0, 190.0, 235.0))
