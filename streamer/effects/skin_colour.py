"""Which pixels of a face have the colour of its skin: told from the face itself, whatever its colour and its light.

A smooth surface (a quadratic across the face) is fitted to each colour channel where the face is surely bare, so that
a light from one side, or a coloured one, is followed. A pixel counts as skin as far as it is near that surface. All of
it is a continuous function of the picture and the landmarks: the mask of a steady face is steady.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from streamer.effects.region import Mask
from streamer.types import FloatArray, Image

# What holds the surface of lightness level, so that it bends little, and that of chroma, which light hardly changes.
_BEND: Final = np.diag(np.array((0.0, 0.03, 0.03, 0.15, 0.15, 0.15), np.float32))
_TINT: Final = np.diag(np.array((0.0, 0.2, 0.2, 0.6, 0.6, 0.6), np.float32))
_BARE: Final = -0.285  # units below the tip of the nose: halfway between where hair ends and where beards begin
_HAIR: Final = (0.525, 0.335)  # units from there: hair or a beard from the first on, skin up to the second
_COVERED: Final = np.float32(0.05)  # what pixels count for the surface there: it must not follow hair
_DARK: Final = (0.52, 0.7)  # of the skin's lightness: hair up to the first, skin from the second
_LIGHT: Final = (1.75, 1.4)  # of it: something else from the first, skin up to the second
_CHROMA: Final = (0.95, 0.45)  # of the skin's saturation: something else from the first, skin up to the second
_SATURATION: Final = (18.0, 40.0)  # levels: grey pictures count as the first, coloured light as the second
_REDNESS: Final = np.float32(0.5)  # what counts of a pixel's being redder than the skin: cheeks and spots are skin
_CLOTH: Final = (-0.4, -0.2)  # units below the tip of the nose: masks may cover what is below the second
_PALE: Final = (0.3, 0.6)  # of the skin's saturation that lacks there: skin up to the first, a mask from the second
_VIVID: Final = np.float32(0.35)  # what is lighter by up to so much should be as much more colourful: cloth is not
_STRICT: Final = np.float32(0.8)  # how much more a difference in colour counts where there may be a mask
_ALIKE: Final = np.float32(14.0)  # levels: samples of the same skin are about as far apart
_REDDER: Final = np.float32(15)  # levels of red that make a sample count e times as much: skin is redder than cloth
_ROUGH: Final = (1.5, 0.006)  # times what the skin has, and more, of its lightness: skin's texture, or the camera's
# What texture beyond that takes from a pixel's lightness: times it, at most; twice as much where hair may be.
_HAIRY: Final = (np.float32(16), np.float32(0.28))
_WEAK: Final = np.eye(6, dtype=np.float32) / 4  # pixels that the level itself counts as
_WINDOW: Final = (5, 5)  # pixels in which texture is averaged


class Kinds(NamedTuple):
    """Which of a face's samples are which.

    Attributes:
        bare: where skin is bare most of the time.
        brows: those of them that lie between the brows.
        forehead: where it is unless there is a hat or a fringe.
        lower: where it is unless there is a mask or a beard.
    """

    bare: slice
    brows: slice
    forehead: slice
    lower: slice


def skin_likelihood(
    small: Image,
    detail: Mask,
    inside: Mask,
    samples: FloatArray,
    kinds: Kinds,
    nose: FloatArray,
    right: Sequence[float],
    unit: float,
) -> Mask:
    """How likely each pixel is bare skin, by its colour and its texture.

    Args:
        small: BGR uint8 ``(h, w, 3)``; a face of 26 px is plenty.
        detail: ``(h, w)`` uint8: by how many levels what is too fine for ``small`` differs from it.
        inside: ``(h, w)`` uint8: where skin may be.
        samples: ``(n, 2)`` points whose colours tell the skin's, in pixels.
        kinds: which is which.
        nose: ``(2,)`` the tip of the nose, in pixels.
        right: unit vector along the face's horizontal.
        unit: the face's size in pixels.

    Returns:
        ``(h, w)`` uint8, 0..255; never more than ``inside``.
    """
    sharp = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)
    soft = cv2.blur(sharp, (3, 3))
    seen: FloatArray = np.empty((4, *inside.shape), np.float32)
    seen[:3] = soft.transpose(2, 0, 1)
    rough = np.asarray(cv2.boxFilter(detail, cv2.CV_32F, _WINDOW) / (seen[0] + np.float32(4)), np.float32)
    at = samples[None, :, 0], samples[None, :, 1]
    found, reached, usual = (
        cv2.remap(values, *at, cv2.INTER_LINEAR)[0].astype(np.float32) for values in (soft, inside, rough)
    )
    if not reached[kinds.bare].any():
        return np.zeros_like(inside)
    found -= _NEUTRAL
    level = _commonest(found, reached, kinds)
    y, x = (_powers(length, unit) for length in inside.shape)
    down = _below(x[1], y[1], nose, right, unit)
    middle = np.minimum(np.maximum(_line(np.abs(down - _BARE), *_HAIR), _COVERED), 1)
    rough -= np.float32(_ROUGH[0] * np.sort(usual)[len(usual) // 2] + _ROUGH[1])
    rough *= _HAIRY[0] * (2 - middle)
    np.minimum(np.maximum(rough, 0), _HAIRY[1] * (2 - middle), out=seen[3])
    seen[0] = sharp[..., 0]  # chroma is coarse in most video, and noisy; lightness is neither
    seen[1:3] -= 128
    prior = inside * np.float32(1 / 255)
    doubt = _mask_likelihood(found[kinds.lower], level, down)
    skin = _surface(seen, prior * middle, level, doubt, x, y)
    return np.asarray(_nearness(seen, skin, level, doubt) * prior * 255 + np.float32(0.5), np.uint8)


def _mask_likelihood(lower: FloatArray, level: FloatArray, down: FloatArray) -> FloatArray:
    """How surely a mask in nearly the skin's colour covers each pixel, ``(h, w)`` or ``(1, 1)`` if nowhere.

    Args:
        lower: ``(n, 3)`` colours around the mouth.
        level: ``(3,)`` the skin's.
        down: ``(h, w)`` how far pixels are below the tip of the nose.
    """
    expected = level[1] * np.minimum(lower[:, 0] / max(float(level[0]), 1.0), 1 + _VIVID)
    lacking = float(np.sort(expected - lower[:, 1])[len(lower) // 2]) / _saturation(level)
    sure = min(max((lacking - _PALE[0]) / (_PALE[1] - _PALE[0]), 0.0), 1.0)
    if not sure:
        return np.zeros((1, 1), np.float32)
    return np.minimum(np.maximum(_line(down, *_CLOTH), 0), 1) * np.float32(sure)


def _saturation(level: FloatArray) -> float:
    return min(max(math.hypot(float(level[1]), float(level[2])), _SATURATION[0]), _SATURATION[1])


@lru_cache(maxsize=256)
def _powers(length: int, unit: float) -> FloatArray:
    """Powers 0 to 4 ``(5, length)`` of where pixels are from the middle of so many, in units."""
    powers = ((np.arange(length) - (length - 1) / 2) / unit) ** np.arange(5)[:, None]
    powers.setflags(write=False)
    return powers.astype(np.float32)


def _below(x: FloatArray, y: FloatArray, nose: FloatArray, right: Sequence[float], unit: float) -> FloatArray:
    """How far each pixel is below the tip of the nose ``(h, w)``, in units, along the face."""
    (cosine, sine), (left, top) = right, nose.tolist()
    start = ((len(y) - 1) / 2 - top) * cosine - ((len(x) - 1) / 2 - left) * sine
    return (y * np.float32(cosine) + np.float32(start / unit))[:, None] - x * np.float32(sine)


def _commonest(colours: FloatArray, counts: FloatArray, kinds: Kinds) -> FloatArray:
    """The colour most of some have, ``(3,)``, whatever the others are: lenses, hair, or a mask, which is less red.

    The forehead counts as far as it is like what lies between the brows: hats and hair are not.
    """
    scaled = colours / _ALIKE
    products = scaled @ scaled.T
    half = products.diagonal() / 2
    alike = np.exp(products - half - half[:, None])
    red = colours[:, 1]
    counts = counts * np.exp((red - red[kinds.bare].max()) / _REDDER)
    counts[kinds.forehead] *= np.sqrt(alike[kinds.forehead, kinds.brows].max(axis=1))
    counts[kinds.lower] = 0
    common = counts * (alike @ counts) ** 6
    return np.asarray(common @ colours / common.sum(), np.float32)


def _surface(
    seen: FloatArray, counts: FloatArray, level: FloatArray, doubt: FloatArray, x: FloatArray, y: FloatArray
) -> FloatArray:
    """The smooth surface ``(3, h, w)`` through what is near a colour; that colour where hardly anything counts.

    It is quadratic: all that fitting it takes is sums of the pixels, times powers of x and y. Every other pixel of
    every other row tells as much about it as all of them would.

    Args:
        seen: ``(4, h, w)`` lightness, two chroma, and what texture takes from the lightness.
        counts: ``(h, w)`` 0..1 how much each pixel may count.
        level: ``(3,)`` the colour.
        doubt: ``(h, w)`` or ``(1, 1)`` how surely it is not skin's.
        x: ``(5, w)`` powers of x from 0 to 4.
        y: ``(5, h)`` of y.
    """
    few, across, down = np.ascontiguousarray(seen[:, ::2, ::2]), x[:, ::2].T, y[:, ::2]
    weight = _nearness(few, level, level, doubt[::2, ::2]) * counts[::2, ::2]
    moments = down @ weight @ across
    sums = down[:3] @ (few[:3] * weight) @ across[:, :3] - level[:, None, None] * moments[:3, :3]
    terms = moments[_ALONG[:, None] + _ALONG, _ACROSS[:, None] + _ACROSS]
    wanted, held = sums.reshape(3, 9) @ _TERMS.T, moments[0, 0]
    light = cv2.solve(terms + (_BEND * held + _WEAK), wanted[:1].T, flags=cv2.DECOMP_CHOLESKY)[1]
    chroma = cv2.solve(terms + (_TINT * held + _WEAK), wanted[1:].T, flags=cv2.DECOMP_CHOLESKY)[1]
    factors = (np.hstack([light, chroma]).T @ _TERMS).reshape(3, 3, 3)
    factors[:, 0, 0] += level
    return np.asarray(y[:3].T @ factors @ x[:3], np.float32)


def _nearness(seen: FloatArray, skin: FloatArray, level: FloatArray, doubt: FloatArray) -> FloatArray:
    """1 where a colour is that of the skin, in light or shade, 0 where it is clearly not, between in proportion."""
    light, red, blue, hairy = seen
    ratio = light / np.maximum(skin[0], 1)
    shade = np.minimum(ratio, 1 + _VIVID * doubt)
    red, blue = red - skin[1] * shade, blue - skin[2] * shade
    red = np.minimum(red, red * _REDNESS)
    apart = np.sqrt(red * red + blue * blue)
    saturation = _saturation(level)
    lit = np.minimum(_line(ratio - hairy, *_DARK), _line(ratio, *_LIGHT))
    slope = (1 + _STRICT * doubt) * np.float32(1 / ((_CHROMA[0] - _CHROMA[1]) * saturation))
    near = np.minimum(lit, np.float32(_CHROMA[0] / (_CHROMA[0] - _CHROMA[1])) - apart * slope)
    return np.asarray(np.minimum(np.maximum(near, 0), 1), np.float32)


def _line(values: FloatArray, zero: float, one: float) -> FloatArray:
    """The straight line through 0 at ``zero`` and 1 at ``one``."""
    return values * np.float32(1 / (one - zero)) - np.float32(zero / (one - zero))


_NEUTRAL = np.array((0, 128, 128), np.float32)
_ACROSS, _ALONG = np.array((0, 1, 0, 2, 1, 0)), np.array((0, 0, 1, 0, 1, 2))  # powers of x and of y in each term
_TERMS = np.zeros((6, 9), np.float32)  # where each term is among 3 x 3 products of powers
_TERMS[np.arange(6), 3 * _ALONG + _ACROSS] = 1
