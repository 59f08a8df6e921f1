"""The rims of glasses where they cross the cheeks: thin, of nearly the skin's colour, and not to be smoothed away."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from streamer.effects.masks import Closeup
from streamer.effects.ramps import ramp
from streamer.effects.region import FaceRegion, Mask
from streamer.types import FloatArray

_WORN: Final = (0.01, 0.035)  # of the light there: what most noses have of bright lines across, what bridges have
_ROOT: Final = np.linspace(-0.18, 0.22, 22, dtype=np.float32)  # units below the top of the ridge of the nose
_ACROSS: Final = np.linspace(-0.09, 0.09, 9, dtype=np.float32)
_STEP: Final = 3  # rows to each side that a line stands out from
_THIN: Final = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))  # pixels of a closeup: what is wider is no rim
_SIDES: Final = np.ones((5, 5), np.uint8)  # and what lies so near beside it belongs to it
_FADING: Final = (5, 5)  # pixels of its smaller picture over which the place for rims fades out


def glasses_worn(face: FaceRegion) -> float:
    """How surely a bright line crosses the root of the nose, 0..1: wire, or light on plastic."""
    right, down = face.right * np.float32(face.unit), face.down * np.float32(face.unit)
    at = face.points[51] + _ROOT[:, None, None] * down + _ACROSS[:, None] * right
    seen = cv2.remap(face.picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rows = cv2.reduce(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY), 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[:, 0]
    lines = rows[_STEP:-_STEP] - (rows[: -2 * _STEP] + rows[2 * _STEP :]) / 2
    bright = cv2.norm(np.maximum(lines, 0)) / math.sqrt(len(lines))
    return ramp(bright / max(float(rows.mean()), 16.0), *_WORN)


def bright_lines(face: FaceRegion, seen: Closeup, grey: cv2.typing.MatLike) -> Mask:
    """By how many levels thin bright lines stand out where rims may cross the cheeks, ``(h, w)`` as ``seen.picture``.

    Args:
        face: the region.
        seen: a look at it.
        grey: ``(h, w)`` the luminance of ``seen.picture``.
    """
    lines = cv2.morphologyEx(cv2.blur(grey, (3, 3)), cv2.MORPH_TOPHAT, _THIN)
    moves = _MOVES @ np.array((face.right, face.down)) * np.float32(face.unit)
    line = seen.place(np.asarray(face.points[_AROUND_EYES] + moves, np.float32))
    mask: Mask = np.zeros(seen.small.shape[:2], np.uint8)
    cv2.fillPoly(mask, [(line * 16 + np.float32(0.5)).astype(np.int32)], 255, cv2.LINE_AA, 4)
    place = cv2.resize(cv2.blur(mask, _FADING), seen.picture.shape[1::-1])
    return np.asarray(cv2.multiply(cv2.dilate(lines, _SIDES), place, scale=1 / 255), np.uint8)


_AROUND_EYES: Final = [33, 35, 37, 42, 44, 46, 79, 81, 75, 52, 70, 72, 66]
"""Landmarks on the brows, around the eyes and on the ridge of the nose, whose light is no rim's."""
_MOVES: FloatArray = np.array(
    [(0, -0.12)] * 6 + [(0.2, 0), (0, 0.5), (0, 0.38), (0, 0.1), (0, 0.38), (0, 0.5), (-0.2, 0)], np.float32
)  # from there, across and down, in units
