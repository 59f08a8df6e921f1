"""The head as a drawn picture."""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from streamer.effects.base import FaceEffect, Phase, strength
from streamer.effects.blending import blend
from streamer.effects.makeup import grey_of, skin_chroma, skin_light
from streamer.effects.region import FaceRegion, Mask
from streamer.schema import key
from streamer.types import Image


class Cartoon(FaceEffect):
    """Turns the head into a drawing: flat colours and ink lines."""

    title: ClassVar[str] = "Cartoon"
    phase: ClassVar[Phase] = Phase.STYLE

    strength: float = strength(1.0)
    lines: float = key(0.85, "how dark the lines are", title="Ink lines", ge=0, le=1, step=0.05)

    def paint(self, face: FaceRegion) -> None:
        """Flatten the colours, then draw over them: edges with ink, fine light lines such as wire glasses with white.

        The lines are the extended difference of Gaussians (Winnemöller, Kyprianidis & Olsen, XDoG, Computers & Graphics
        2012), relative to the light as eyes see it; its soft threshold keeps them steady where a hard one flickers.
        """
        mask = _head(face)
        small, factor = _shrunk(face)
        smooth = _smoothed(small)
        drawn = _enlarged(_flat(smooth, *_light(face)), factor, face)
        # the thresholds come after enlarging, so that lines are crisp on large faces too
        white = _strokes(_enlarged(_fine_lights(small, smooth), factor, face), _PALE, 255 * _CHALK)
        cv2.add(drawn, cv2.multiply(cv2.bitwise_not(drawn), cv2.merge((white, white, white)), scale=1 / 255), dst=drawn)
        contrast = _enlarged(_contrast(small, face.unit / factor), factor, face)
        paper = cv2.bitwise_not(_strokes(contrast, _DARK, 255 * self.lines))
        inked = cv2.multiply(drawn, cv2.merge((paper, paper, paper)), scale=1 / 255)
        blend(face.picture, np.asarray(inked, np.uint8), mask, self.strength)


_LEVELS: Final = 5.0  # tones between black and white
_SOFTNESS: Final = 0.35  # of the steps between tones: 0 hard, 1 none
_DETAIL: Final = 50.0  # eye distance in pixels that is kept where colours are flattened: small faces are not shrunk
_ROUNDS: Final = 3  # of smoothing
_SKIN: Final = 150.0  # how light the drawn skin is meant to be, whatever light there is
_GAINS: Final = (1.0, 1.5)  # by how much all is made lighter at least and at most for it
_COLOURFUL: Final = 62.0  # and how far its channels are apart, in levels
_RICHER: Final = (1.25, 2.2)
_THICKNESS: Final = 0.014  # half a line's width in eye distances
_GLIMMER: Final = 24.0  # grey levels added to the light: in the dark, contrast is noise
_DARK: Final = (0.018, 0.075)  # how much darker than around a line's middle is, of the light: just seen, black
_PALE: Final = (0.03, 0.12)  # and how much lighter than what is left by smoothing: just seen, white
_CHALK: Final = 0.5  # how white that is
_MOST: Final = 0.15  # the largest contrast that is told from larger ones


def _head(face: FaceRegion) -> Mask:
    """Face and hair as far as the region goes; it ends softly before the region does, except at the picture's edge."""
    middle = face.outline.mean(0)
    wide = middle + (face.outline - middle) * 1.1 - face.down * 0.1 * face.unit
    return face.fill(np.asarray(wide, np.float32), feather=0.12)


def _shrunk(face: FaceRegion) -> tuple[Image, int]:
    """The region, halved while the face is large enough, and how many pixels went into one, per side.

    What goes together depends on the place in the whole picture, not in the region, whose edges follow the face: the
    drawing would tremble with them.
    """
    factor = 1
    while face.unit / (2 * factor) >= _DETAIL:
        factor *= 2
    if factor == 1:
        return face.picture, 1
    x1, y1, x2, y2 = face.rect
    edges = y1 % factor, -y2 % factor, x1 % factor, -x2 % factor
    whole = cv2.copyMakeBorder(face.picture, *edges, cv2.BORDER_REPLICATE)
    soft = cv2.blur(whole, (factor + 1, factor + 1))
    size = whole.shape[1] // factor, whole.shape[0] // factor
    return np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_AREA), np.uint8), factor


def _enlarged(small: Image | Mask, factor: int, face: FaceRegion) -> Image:
    """Back to the region's size."""
    if factor == 1:
        return small
    (x1, y1, _, _), (width, height) = face.rect, face.size
    whole = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    left, top = x1 % factor, y1 % factor
    return np.ascontiguousarray(whole[top : top + height, left : left + width], np.uint8)


def _light(face: FaceRegion) -> tuple[float, float]:
    """How much lighter and more colourful the drawing is made, so that it is one in dim and in grey light, too."""
    lighter = _SKIN / max(skin_light(face), 20.0)
    richer = _COLOURFUL / max(skin_chroma(face), 12.0)
    return min(max(lighter, _GAINS[0]), _GAINS[1]), min(max(richer, _RICHER[0]), _RICHER[1])


def _smoothed(small: Image) -> Image:
    for _ in range(_ROUNDS):
        small = np.asarray(cv2.bilateralFilter(small, 5, 38, 4), np.uint8)
    return small


def _flat(smooth: Image, lighter: float, richer: float) -> Image:
    """Stronger colours in soft steps of brightness."""
    light, red, blue = cv2.split(cv2.cvtColor(smooth, cv2.COLOR_BGR2YCrCb))
    chroma = np.clip(np.round(128 + richer * (np.arange(256) - 128.0)), 0, 255).astype(np.uint8)
    stronger = cv2.merge((cv2.LUT(light, _soft_steps(lighter)), cv2.LUT(red, chroma), cv2.LUT(blue, chroma)))
    return np.asarray(cv2.cvtColor(stronger, cv2.COLOR_YCrCb2BGR), np.uint8)


def _contrast(small: Image, unit: float) -> Mask:
    """How much darker than around a pixel is, as a part of the light there: ``(h, w)``, 255 for ``_MOST``."""
    # the camera's noise must not reach the lines: they would tremble
    grey = cv2.bilateralFilter(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 5, 18, 3).astype(np.float32)
    sigma = max(0.7, _THICKNESS * unit)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), factor * sigma) for factor in (1.0, 1.6))
    darker = cv2.divide(cv2.subtract(coarse, fine), coarse + np.float32(_GLIMMER), scale=255 / _MOST)
    return np.asarray(np.clip(darker, 0, 255), np.uint8)


def _fine_lights(small: Image, smooth: Image) -> Mask:
    """What smoothing has taken away that was lighter than around it, likewise: edges stay where they are."""
    plain, flat = (grey_of(each).astype(np.float32) for each in (small, smooth))
    taken = cv2.GaussianBlur(cv2.subtract(plain, flat), (3, 3), 0)  # single hairs and pixels hardly show
    return np.asarray(np.clip(cv2.divide(taken, flat + np.float32(_GLIMMER), scale=255 / _MOST), 0, 255), np.uint8)


def _strokes(contrast: Mask, thresholds: tuple[float, float], full: float) -> Mask:
    """How much of a line's colour there is, up to ``full``, softly from the one contrast to the other."""
    way = np.clip((np.arange(256) / 255 * _MOST - thresholds[0]) / (thresholds[1] - thresholds[0]), 0, 1)
    return np.asarray(cv2.LUT(contrast, np.round(full * way * way * (3 - 2 * way)).astype(np.uint8)), np.uint8)


def _soft_steps(lighter: float) -> Mask:
    """Brightness 0..255 in soft steps: a staircase rounded so far that noise cannot switch a pixel.

    Args:
        lighter: gain of the dark tones, at least 1; light ones keep below white.
    """
    tone = np.arange(256) / 255
    tone = (1 - (1 - tone) ** lighter) * _LEVELS
    step, rest = np.floor(tone), tone - np.floor(tone)
    rounded = 0.5 + 0.5 * np.tanh((rest - 0.5) / (0.5 * _SOFTNESS)) / np.tanh(1 / _SOFTNESS)
    return np.asarray(np.round(np.clip((step + rounded) / _LEVELS, 0, 1) * 255), np.uint8)
