"""Colours laid over skin and lips so that their texture and light stay."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from streamer.effects.base import bgr_of
from streamer.effects.blending import blend, soft_light
from streamer.effects.makeup import grey_of
from streamer.effects.region import Mask
from streamer.types import Image

_LEVELS: Final = np.arange(256, dtype=np.float32)
_LIGHTER: Final = 0.6  # of what it darkens by, a tint lightens by: more would glow on a face in the dark
_HIGHLIGHT: Final = 1.25  # brighter than this many times the part's mean is a reflection, not the part's colour
_INDOORS: Final = 0.8  # how bright white is on a face, compared with the swatch a colour was picked from


def brightness(grey: Mask, mask: Mask) -> float:
    """The luminance of a part where it is lit: its mean and half a deviation, so that dark lines count less."""
    mean, deviation = cv2.meanStdDev(grey, mask=mask)
    return float(mean[0, 0] + 0.5 * deviation[0, 0])


def relief(grey: Mask, mean: float) -> Mask:
    """Where a surface catches light: 0 in its furrows, 255 where it is brighter than its mean."""
    table = np.clip((_LEVELS / max(mean, 8.0) - 0.6) / 0.5, 0, 1) * 255
    return np.asarray(cv2.LUT(grey, table.astype(np.uint8)), np.uint8)


def pigment(
    colour: str, mean: float, *, cover: float, contrast: float = 1.0, shine: float = 1.0, vivid: float = 1.0
) -> Image:
    """The colour that make-up has at each luminance of what lies under it: its own hue, the skin's texture.

    Args:
        colour: ``#rrggbb``.
        mean: luminance of the bare part, 0..255.
        cover: 0: as light or dark as the part was; 1: as the colour is.
        contrast: exponent of the texture.
        shine: how much of the highlights stays, white; above 1 they grow.
        vivid: 0..1, how much of the colour's saturation there is.

    Returns:
        ``(256, 1, 3)`` BGR uint8, for :func:`paint`.
    """
    steps = round(4 * max(mean, 8.0)), round(100 * vivid)
    return _pigment(colour, steps[0] / 4, cover, contrast, shine, steps[1] / 100)


@lru_cache(maxsize=256)
def _pigment(colour: str, mean: float, cover: float, contrast: float, shine: float, vivid: float) -> Image:
    bgr = np.array(bgr_of(colour), np.float32) + 4  # 4: black has a hue to scale, too
    own = float(bgr @ (0.114, 0.587, 0.299))
    bgr = own + vivid * (bgr - own)
    tone = mean ** (1 - cover) * (_INDOORS * own) ** cover
    bright = _LEVELS / mean
    diffuse = tone * np.minimum(bright, _HIGHLIGHT) ** contrast
    light = shine * np.maximum(_LEVELS - _HIGHLIGHT * mean, 0)
    table = np.asarray(np.clip(np.outer(diffuse / own, bgr) + light[:, None], 0, 255), np.uint8)[:, None]
    table.setflags(write=False)
    return table


def paint(picture: Image, mask: Mask, pigments: Image, amount: float) -> None:
    """Colour a part, in place.

    Args:
        picture: BGR ``(h, w, 3)``.
        mask: ``(h, w)``.
        pigments: from :func:`pigment`.
        amount: 0..1.
    """
    blend(picture, np.asarray(cv2.applyColorMap(grey_of(picture), pigments), np.uint8), mask, amount)


def tint(picture: Image, mask: Mask, colour: str, amount: float) -> None:
    """Lay sheer colour over skin, in place: soft light, so that pores and shadows show through on any skin.

    Args:
        picture: BGR ``(h, w, 3)``; stays bit-identical where the mask is 0.
        mask: ``(h, w)``.
        colour: ``#rrggbb``.
        amount: 0..1.
    """
    # How far each of the colour's channels is from the middle.
    push = np.array([2 * value / 255 - 1 for value in bgr_of(colour)], np.float32) * np.float32(amount)
    soft_light(picture, mask, np.where(push > 0, np.float32(_LIGHTER) * push, push))
