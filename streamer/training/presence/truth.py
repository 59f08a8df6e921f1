"""Where the faces of a picture are, and how a crop is labelled by where it lies against them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.landmarks import geometry
from streamer.types import FloatArray

_SMALLEST_FACE: Final = 26.0
"""Faces with smaller crops (pixels) are neither one nor the other."""

_SIZE: Final = 2.43
_CENTRE: Final = 0.7
"""A proper crop's size in distances from eyes to mouth, and where on that way its centre lies."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Where ``m`` faces are in an image.

    Attributes:
        centres: ``(m, 2)`` of their proper crops, image pixels.
        sizes: ``(m,)`` geometric mean of the proper crops' sides.
        rolls: ``(m,)`` degrees; NaN where not known.
        certain: ``(m,)``; False: perhaps a face, so that crops there get no label.
        masked: ``(m,)``; True: annotated as wearing a mask.
    """

    centres: FloatArray
    sizes: FloatArray
    rolls: FloatArray
    certain: NDArray[np.bool_]
    masked: NDArray[np.bool_]


def truth_of_photograph(entry: dict[str, Any]) -> Truth:
    """An annotation's faces; certain are those with keypoints. Boxes alone are drawn too differently: some end at the
    brows.
    """
    known = [face for face in entry["faces"] if face.get("keypoints")]
    vague = [face["box"] for face in entry["faces"] if not face.get("keypoints")] + (entry.get("ignore") or [])
    sure = truth_of_keypoints(np.array([face["keypoints"] for face in known], np.float32).reshape(-1, 5, 2))
    unsure = truth_of_crops(geometry.crops_from_boxes(np.array(vague, np.float32).reshape(-1, 4), None))
    nowhere = np.zeros(len(vague), np.bool_)
    return Truth(
        np.concatenate([sure.centres, unsure.centres]),
        np.concatenate([sure.sizes, unsure.sizes]),
        np.concatenate([sure.rolls, np.full(len(vague), np.nan, np.float32)]),
        np.concatenate([sure.sizes >= _SMALLEST_FACE, nowhere]),
        np.concatenate([np.array([face.get("mask") is True for face in known], np.bool_), nowhere]),
    )


def truth_of_keypoints(keypoints: FloatArray) -> Truth:
    """Proper crops guessed from ``(n, 5, 2)``; the proportions are medians over ``faces/``."""
    eyes, mouth = keypoints[:, :2].mean(axis=1), keypoints[:, 3:].mean(axis=1)
    sizes = np.float32(_SIZE) * np.linalg.norm(mouth - eyes, axis=1).astype(np.float32)
    rolls = np.rad2deg(geometry.roll_from_keypoints(keypoints))
    return _certain(eyes + np.float32(_CENTRE) * (mouth - eyes), sizes, rolls)


def truth_of_crops(matrices: FloatArray) -> Truth:
    """Take crops as the truth: centre, size and roll of ``(n, 2, 3)`` matrices, all certain."""
    return _certain(*_place(matrices))


def mirrored(truth: Truth, width: int) -> Truth:
    """The faces of a picture so wide, flipped from left to right."""
    centres = truth.centres.copy()
    centres[:, 0] = width - centres[:, 0]
    return replace(truth, centres=centres, rolls=-truth.rolls)


def judge(matrices: FloatArray, truth: Truth) -> NDArray[np.int64]:
    """Label crops by where they lie against the known faces.

    Args:
        matrices: ``(n, 2, 3)`` image to crop.
        truth: the faces.

    Returns:
        ``(n,)``: 1 well-framed face, -1 none (more than half a face away, under half or over 2.2 times its
        size, or turned by over 80 degrees), 0 in between.
    """
    if not len(truth.sizes):
        return np.full(len(matrices), -1)
    centres, sizes, rolls = _place(matrices)
    offset = np.linalg.norm(centres[:, None] - truth.centres, axis=2) / truth.sizes
    ratio = sizes[:, None] / truth.sizes
    turned = np.abs((rolls[:, None] - np.nan_to_num(truth.rolls) + 180) % 360 - 180)
    good = (offset < 0.22) & (ratio > 0.7) & (ratio < 1.45) & (turned < 40) & truth.certain
    wrong_way = (turned > 80) & np.isfinite(truth.rolls) & truth.certain
    bad = (offset > 0.5) | (ratio > 2.2) | (ratio < 0.5) | wrong_way
    return np.where(good.any(axis=1), 1, np.where(bad.all(axis=1), -1, 0))


def nearest(matrices: FloatArray, truth: Truth) -> NDArray[np.intp]:
    """The known face whose centre, in its sizes, is nearest to each crop's: ``(n,)``; there must be one.

    Args:
        matrices: ``(n, 2, 3)`` image to crop.
        truth: the faces.
    """
    centres, _, _ = _place(matrices)
    apart = np.linalg.norm(centres[:, None] - truth.centres, axis=2) / truth.sizes
    return np.asarray(apart.argmin(axis=1), np.intp)


def _certain(centres: FloatArray, sizes: FloatArray, rolls: FloatArray) -> Truth:
    return Truth(centres, sizes, rolls, np.ones(len(sizes), np.bool_), np.zeros(len(sizes), np.bool_))


def _place(matrices: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre ``(n, 2)``, size ``(n,)`` and roll in degrees ``(n,)`` of crops."""
    middle = np.full((len(matrices), 1, 2), geometry.CROP / 2, np.float32)
    centres = geometry.to_image(middle, matrices)[:, 0]
    area = np.abs(np.linalg.det(matrices[:, :, :2]))
    return centres, (geometry.CROP / np.sqrt(area)).astype(np.float32), geometry.roll_of_crops(matrices)
