"""Smoother skin."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import blend, bounds, shrunk
from streamer.effects.masks import skin_mask
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray, Image

_FINE: Final = 64.0  # pixels of a face's unit in the picture that edges are looked for in; pores are smaller than one
_COARSE: Final = 32.0  # the same of the picture that is averaged
_WINDOW: Final = 5  # pixels of the coarse picture, twice: spots are smaller, the shape of a cheek is larger
_EDGE: Final = 130.0  # variance, in levels squared, of an edge that is half kept
_COLOUR: Final = 50.0  # what a change of blueness counts beside one of lightness: rims of glasses, hardly any wrinkle
_SPOT: Final = (12.0, 40.0)  # levels off the average: evened out up to the first, left as it is from the second
_LIGHT: Final = 120.0  # level of the skin that these are for; on darker skin they are less in proportion
_DARKEST: Final = 0.35  # of it, down to here: the camera's noise does not grow less
_SMALLEST: Final = 2  # pixels


class Skin(FaceEffect):
    """Evens out spots and wrinkles; pores stay at low strength, folds and all edges always."""

    title: ClassVar[str] = "Skin smoothing"
    phase: ClassVar[Phase] = Phase.SKIN

    strength: float = strength(0.5)

    def paint(self, face: FaceRegion) -> None:
        """Move the skin towards the average around each place, by as much as it is flat there and near to it.

        Made from small copies, so the finest detail is what is missing in them: it goes in proportion to the
        strength, what is larger goes sooner.
        """
        mask = skin_mask(face)
        part = bounds(mask)
        picture, mask = face.picture[part], mask[part]
        if min(mask.shape) < _SMALLEST:
            return
        size = mask.shape[::-1]
        scale = min(1.0, _FINE / face.unit)
        fine = shrunk(picture, size[0] * scale, size[1] * scale)
        smooth, weight = _evened(fine, mask, min(1.0, _COARSE / (face.unit * scale)))
        # The blend below leaves 1 - strength of everything; of what is larger than pores its square is to stay.
        overshoot = 1 - self.strength
        target = cv2.addWeighted(fine, -overshoot, smooth, 1 + overshoot, 0.0, dtype=cv2.CV_8U)
        weight = np.asarray(cv2.multiply(cv2.resize(weight, size), mask, scale=1 / 255), np.uint8)
        blend(picture, np.asarray(cv2.resize(target, size), np.uint8), weight, self.strength)


def _evened(fine: Image, mask: Mask, scale: float) -> tuple[Image, Mask]:
    """The average around each pixel and how much of it to take.

    As a guided filter averages (He, Sun and Tang 2010), every place counts by how flat it is. Only skin counts, so
    that nothing leaks in from hair, lips and background.
    """
    height, width = fine.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    skin = np.asarray(cv2.resize(mask, (width, height)), np.uint8)
    flat, light = _flatness(fine, skin)
    counts = cv2.multiply(cv2.resize(flat, size), cv2.resize(skin, size).astype(np.float32) + np.float32(1e-3))
    coarse = cv2.resize(fine, size).astype(np.float32)
    total = _blurred(cv2.multiply(coarse, cv2.merge((counts, counts, counts))))
    counts = _blurred(counts)
    average = cv2.divide(total, cv2.merge((counts, counts, counts)), dtype=cv2.CV_8U)
    smooth = np.asarray(cv2.resize(average, (width, height)), np.uint8)
    spots = np.clip((_SPOT[1] - _LEVELS / light) / (_SPOT[1] - _SPOT[0]), 0, 1).astype(np.float32)
    near = cv2.LUT(cv2.cvtColor(cv2.absdiff(smooth, fine), cv2.COLOR_BGR2GRAY), spots)
    return smooth, np.asarray(cv2.multiply(flat, near, scale=255, dtype=cv2.CV_8U), np.uint8)


def _blurred(values: cv2.typing.MatLike) -> cv2.typing.MatLike:
    return cv2.blur(cv2.blur(values, (_WINDOW, _WINDOW)), (_WINDOW, _WINDOW))


def _flatness(picture: Image, skin: Mask) -> tuple[FloatArray, float]:
    """1 on even skin, towards 0 on edges; and how light the skin is: contrasts on dark skin are that much smaller."""
    grey, _, blue = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb))
    light = min(1.0, max(_DARKEST, cv2.mean(grey, mask=skin)[0] / _LIGHT))
    edges = _LEVELS**2 * np.float32(1 / (_EDGE * light**2))
    contrast = cv2.add(cv2.LUT(_detail(grey), edges), cv2.LUT(_detail(blue), edges * np.float32(_COLOUR)))
    contrast = cv2.blur(contrast, (3, 3))
    return np.asarray(1 / (1 + contrast * contrast), np.float32), light


def _detail(channel: cv2.typing.MatLike) -> cv2.typing.MatLike:
    return cv2.absdiff(channel, cv2.blur(channel, (3, 3)))


_LEVELS = np.arange(256, dtype=np.float32)
