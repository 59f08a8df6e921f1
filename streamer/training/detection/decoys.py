"""Things that are no faces, drawn into the picture: discs, balls, badges, letters.

A detector that learns from pasted faces takes their round outline for the sign of a face: of TinyMog's surest false
finds at 10 to 60 px most were balls, badges, watches and the letter O. What is pasted alike but shows no face makes
the outline mean nothing.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from streamer.training.datasets import SIDE
from streamer.types import Image

_TEXTS: Final = tuple("OOOQCGDSBaeodpqbg0368925&@")
_FONTS: Final = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_EDGES: Final = (2.0, 5.0, 12.0, 30.0)
_MIDDLE: Final = (SIDE // 2, SIDE // 2)


def draw_decoy(rng: np.random.Generator, texture: Image) -> tuple[Image, Image]:
    """Make something to paste.

    Args:
        rng: source of chance.
        texture: BGR, any size: a piece of a photograph that shows no face.

    Returns:
        BGR ``(SIDE, SIDE, 3)`` and its opacity ``(SIDE, SIDE)``.
    """
    kind = rng.random()
    if kind < 0.25:
        return _letter(rng)
    if kind < 0.6:
        return np.asarray(cv2.resize(texture, (SIDE, SIDE)), np.uint8), disc(rng)
    return _badge(rng), disc(rng)


def disc(rng: np.random.Generator) -> Image:
    """Opacity of a disc, sharp or soft at its edge; for faces, too: no detector shall learn a crop's corners."""
    return _DISCS[int(rng.integers(len(_DISCS)))]


def _letter(rng: np.random.Generator) -> tuple[Image, Image]:
    """A letter or digit of one colour."""
    text, font, thick = str(rng.choice(_TEXTS)), int(rng.choice(_FONTS)), int(rng.integers(4, 26))
    (width, height), _ = cv2.getTextSize(text, font, 1, 1)
    scale = 0.7 * SIDE / max(width, height)
    corner = (int(SIDE - scale * width) // 2, int(SIDE + scale * height) // 2)
    opacity = np.zeros((SIDE, SIDE), np.uint8)
    cv2.putText(opacity, text, corner, font, scale, 255, thick, cv2.LINE_AA)
    return np.full((SIDE, SIDE, 3), rng.integers(0, 256, 3), np.uint8), opacity


def _badge(rng: np.random.Generator) -> Image:
    """Rings, spots and a letter on a shaded ground: a ball, a logo, a clock, a wheel, a knuckle."""
    shade = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1), SIDE)[:, None, None]
    badge = (np.full((SIDE, SIDE, 3), _colour(rng)) * shade).astype(np.uint8)
    for _ in range(int(rng.integers(0, 4))):
        radius, thick = int(rng.integers(15, SIDE // 2)), int(rng.integers(2, 20))
        cv2.circle(badge, _MIDDLE, radius, _colour(rng), -1 if rng.random() < 0.3 else thick, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 8))):
        where, axes = rng.integers(20, SIDE - 20, 2), rng.integers(4, 28, 2)
        cv2.ellipse(badge, where.tolist(), axes.tolist(), rng.uniform(0, 180), 0, 360, _colour(rng), -1, cv2.LINE_AA)
    if rng.random() < 0.4:
        letter, opacity = _letter(rng)
        badge = np.where(opacity[:, :, None] > 127, letter, badge)
    return badge


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Any colour, or every other time one of skin."""
    if rng.random() < 0.5:
        red = rng.uniform(70, 250)
        return int(red * rng.uniform(0.5, 0.75)), int(red * rng.uniform(0.65, 0.85)), int(red)
    blue, green, red = rng.integers(0, 256, 3).tolist()
    return blue, green, red


def _disc(edge: float) -> Image:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return np.asarray(((SIDE / 2 - np.hypot(x, y)) / edge * 255).clip(0, 255), np.uint8)


_DISCS: Final = tuple(_disc(edge) for edge in _EDGES)
