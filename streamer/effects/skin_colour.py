"""Which pixels of a face have the colour of its skin: told from the face itself, whatever its colour and its light.

A smooth surface (a quadratic across the face) is fitted to each colour channel where the face is surely bare, so that
a light from one side, or a coloured one, is followed. A pixel counts as skin as far as it is near that surface. All of
it is a continuous function of the picture and the landmarks: the mask of a steady face is steady.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from streamer.effects.region import Mask
from streamer.types import FloatArray, Image

_ROUNDS: Final = 1  # of fitting, each without what the one before found not to be skin
_BEND: Final = (0.0, 0.02, 0.04, 0.15, 0.15, 0.15)  # what holds the surface of lightness level: it is to bend little
_TINT: Final = (0.0, 0.2, 0.2, 0.6, 0.6, 0.6)  # and that of chroma, which light hardly changes across a face
_FRINGE: Final = (-0.8, -0.62)  # units below the tip of the nose: hair may begin above the second
_BEARD: Final = (0.25, 0.05)  # a beard below the second
_COVERED: Final = np.float32(0.05)  # what pixels count for the surface there: it must not follow hair
_DARK: Final = (0.52, 0.7)  # of the skin's lightness: hair up to the first, skin from the second
_LIGHT: Final = (1.75, 1.4)  # of it: something else from the first, skin up to the second
_CHROMA: Final = (0.95, 0.45)  # of the skin's saturation: something else from the first, skin up to the second
_SATURATION: Final = (
    18.0,
    40.0,
)  # levels: pale faces and grey pictures count as the first, coloured light as the second
_REDNESS: Final = np.float32(0.5)  # what counts of a pixel's being redder than the skin: cheeks and spots are skin
_ALIKE: Final = np.float32(14.0)  # levels: samples of the same skin are about as far apart
_REDDER: Final = np.float32(12.0)  # levels of red that make a sample count e times as much: skin is redder than cloth
_ROUGH: Final = (1.5, 0.012)  # times what the skin has, and more, of its lightness: skin's texture, or the camera's
_HAIRY: Final = (8.0, 0.28)  # what texture beyond that takes from a pixel's lightness: times it, at most (there twice)
_WINDOW: Final = (5, 5)  # pixels in which texture is averaged


def skin_likelihood(
    small: Image, detail: Mask, inside: Mask, bare: FloatArray, right: FloatArray, nose: FloatArray
) -> Mask:
    """How likely each pixel is bare skin, by its colour and its texture.

    Args:
        small: BGR uint8 ``(h, w, 3)``; a face of 26 px is plenty.
        detail: ``(h, w)`` uint8: by how many levels what is too fine for ``small`` differs from it.
        inside: ``(h, w)`` uint8: where skin may be.
        bare: ``(n, 2)`` points where it most likely is bare, in pixels.
        right: ``(2,)`` the face's horizontal, its size long, in pixels.
        nose: ``(2,)`` the tip of the nose, in pixels.

    Returns:
        ``(h, w)`` uint8, 0..255; never more than ``inside``.
    """
    likely: Mask = np.zeros(inside.shape, np.uint8)
    sharp = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)
    soft = cv2.blur(sharp, (3, 3))
    rough = cv2.blur(detail.astype(np.float32), _WINDOW) / (soft[..., 0] + np.float32(4))
    at = bare[None, :, 0], bare[None, :, 1]
    found, reached, usual = (cv2.remap(values, *at, cv2.INTER_LINEAR)[0] for values in (soft, inside, rough))
    if not reached.any():
        return likely
    level = _commonest(found - _NEUTRAL, reached.astype(np.float32))
    places = np.flatnonzero(inside)
    colour = (soft.reshape(-1, 3)[places] - _NEUTRAL).T.copy()
    colour[0] = sharp.reshape(-1, 3)[places, 0]  # chroma is coarse in most video, and noisy; lightness is neither
    excess = rough.reshape(-1)[places] - np.float32(_ROUGH[0] * np.sort(usual)[len(usual) // 2] + _ROUGH[1])
    hairy = np.minimum(np.maximum(excess * np.float32(_HAIRY[0]), 0), np.float32(_HAIRY[1]))
    prior = inside.reshape(-1)[places] * np.float32(1 / 255)
    near = _likely(np.vstack([colour, hairy]), level, prior, *_along(right, nose, places, small.shape[1]))
    likely.reshape(-1)[places] = near * prior * 255 + np.float32(0.5)
    return likely


def _along(right: FloatArray, nose: FloatArray, places: np.typing.NDArray[np.intp], width: int) -> list[FloatArray]:
    """Coordinates across the face and down it from the tip of the nose, in its size."""
    a, b = right / np.float32(right @ right)
    x, y = (places % width).astype(np.float32) - nose[0], (places // width).astype(np.float32) - nose[1]
    return [x * a + y * b, y * a - x * b]


def _likely(seen: FloatArray, level: FloatArray, prior: FloatArray, across: FloatArray, down: FloatArray) -> FloatArray:
    """How near pixels are to the surface through those that are near it.

    Args:
        seen: ``(4, n)`` lightness, two chroma, and what texture takes from the lightness; changed.
        level: ``(3,)`` the commonest colour.
        prior: ``(n,)`` 0..1 how far skin may be there.
        across: ``(n,)`` in units.
        down: ``(n,)`` in units.
    """
    basis = np.stack([np.ones_like(across), across, down, across * across, across * down, down * down])
    middle = np.minimum(np.maximum(np.minimum(_line(down, *_BEARD), _line(down, *_FRINGE)), _COVERED), 1)
    counts = prior * middle
    seen[3] *= 2 - middle
    difference = seen[:3] - level[:, None]
    near = _nearness(seen, level, level)
    for _ in range(_ROUNDS):
        near = _nearness(seen, _surface(basis, difference, near * counts) + level[:, None], level)
    return near


def _commonest(colours: FloatArray, counts: FloatArray) -> FloatArray:
    """The colour most of some have, ``(3,)``, whatever the others are: lenses, hair, or a mask, which is less red."""
    scaled = colours / _ALIKE
    products = scaled @ scaled.T
    half = products.diagonal() / 2
    counts = counts * np.exp((colours[:, 1] - colours[:, 1].max()) / _REDDER)
    common = counts * (np.exp(products - half - half[:, None]) @ counts) ** 6
    return np.asarray(common @ colours / common.sum(), np.float32)


def _surface(basis: FloatArray, values: FloatArray, weight: FloatArray) -> FloatArray:
    """The smooth surface through weighted values, at all of their places; 0 where hardly anything counts."""
    weighted = basis * weight
    normal = weighted @ basis.T + _RIDGE * weight.sum() + np.eye(6, dtype=np.float32)
    factors = np.linalg.solve(normal, (values @ weighted.T)[..., None])[..., 0]
    return np.asarray(factors @ basis, np.float32)


def _nearness(seen: FloatArray, skin: FloatArray, level: FloatArray) -> FloatArray:
    """1 where a colour is that of the skin, in light or shade, 0 where it is clearly not, between in proportion."""
    ratio = np.asarray(seen[0] / np.maximum(skin[0], 1), np.float32)
    shade = np.minimum(ratio, 1)
    red, blue = seen[1] - skin[1] * shade, seen[2] - skin[2] * shade
    red = np.minimum(red, red * _REDNESS)
    apart = np.sqrt(red * red + blue * blue)
    saturation = min(max(math.hypot(float(level[1]), float(level[2])), _SATURATION[0]), _SATURATION[1])
    lit = np.minimum(_line(ratio - seen[3], *_DARK), _line(ratio, *_LIGHT))
    return np.maximum(np.minimum(np.minimum(lit, _line(apart, _CHROMA[0] * saturation, _CHROMA[1] * saturation)), 1), 0)


def _line(values: FloatArray, zero: float, one: float) -> FloatArray:
    """The straight line through 0 at ``zero`` and 1 at ``one``."""
    return values * np.float32(1 / (one - zero)) - np.float32(zero / (one - zero))


_RIDGE = np.stack([np.diag(np.array(held, np.float32)) for held in (_BEND, _TINT, _TINT)])
_NEUTRAL = np.array((0, 128, 128), np.float32)
