"""The 106 points: what each one is, and the fixed shapes and index sets that follow from it.

Order (left and right are the image's): 0-32 jaw from left to right (16 is the chin); 33-37 upper and 38-41
lower left brow; 42-46 upper and 47-50 lower right brow; 51-54 nose ridge; 55-65 nose outline; 66-73 left eye
(66 outer, 70 inner corner), 74 its centre; 75-82 right eye (75 inner, 79 outer corner), 83 its centre; 84-95
outer lip; 96-103 inner lip; 104, 105 pupils. The numbers live in ``face106.json`` beside this file.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.types import FloatArray


def _table() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("face106.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _constant(values: Any, dtype: type[np.generic]) -> NDArray[Any]:
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


_TABLE = _table()

POINTS: Final = 106
"""Number of landmarks."""

MEAN_FACE: Final[FloatArray] = _constant(_TABLE["mean_face"], np.float32)
"""``(106, 2)`` mean shape in the unit square of the network's crop (the published model's own)."""

MEAN_SHAPE_3D: Final[FloatArray] = _constant(_TABLE["mean_shape_3d"], np.float32)
"""``(106, 3)`` upright frontal mean in eye distances: x image-right, y down, z away from the camera."""

MIRROR: Final[NDArray[np.intp]] = _constant(_TABLE["mirror"], np.intp)
"""``(106,)``: after a horizontal flip, point ``i`` of the new face is point ``MIRROR[i]`` of the old one."""

SUBSET_68: Final[NDArray[np.intp]] = _constant(_TABLE["subset68"], np.intp)
"""``(68,)``: which of the 106 is the k-th point of the usual 68-point markup."""

GROUPS: Final[dict[str, slice]] = {name: slice(first, last + 1) for name, (first, last) in _TABLE["groups"].items()}
"""Parts of the face by name (``jaw``, ``brow_left``, … ``pupils``) as slices into the 106 points."""

LEFT_OUTER_CORNER: Final = 66
RIGHT_OUTER_CORNER: Final = 79
_LEFT_EYE_CORNERS: Final = [66, 70]
_RIGHT_EYE_CORNERS: Final = [75, 79]
NOSE_TIP: Final = 54
MOUTH_CORNERS: Final = (84, 90)

_KEYPOINTS: Final[FloatArray] = np.zeros((5, POINTS), np.float32)
"""``(5, 106)``: each of the detector's keypoints as a mean of landmarks."""
for _row, _sources in enumerate(
    (_LEFT_EYE_CORNERS, _RIGHT_EYE_CORNERS, [NOSE_TIP], [MOUTH_CORNERS[0]], [MOUTH_CORNERS[1]])
):
    _KEYPOINTS[_row, _sources] = 1 / len(_sources)

CONTOURS: Final[tuple[tuple[NDArray[np.intp], bool], ...]] = tuple(
    (_constant(indices, np.intp), closed)
    for indices, closed in (
        (list(range(33)), False),
        (list(range(33, 42)), True),
        (list(range(42, 51)), True),
        ([51, 52, 53, 54], False),
        (list(range(55, 66)), False),
        (list(range(66, 74)), True),
        (list(range(75, 83)), True),
        (list(range(84, 96)), True),
        (list(range(96, 104)), True),
    )
)
"""Lines to draw: point indices in drawing order, and whether the last joins the first."""


def eye_distance(landmarks: FloatArray) -> FloatArray:
    """Distance between the outer eye corners (66 and 79), the unit of NME and of flicker.

    Args:
        landmarks: ``(..., 106, 2)``.

    Returns:
        ``(...)`` in the unit of the points.
    """
    span = landmarks[..., RIGHT_OUTER_CORNER, :] - landmarks[..., LEFT_OUTER_CORNER, :]
    return np.asarray(np.hypot(span[..., 0], span[..., 1]), np.float32)


def keypoints_from_landmarks(landmarks: FloatArray) -> FloatArray:
    """The detector's five keypoints, read off the 106 points.

    An eye is the middle of its corners, not the pupil: that is what detectors are trained on, and gaze does
    not move it.

    Args:
        landmarks: ``(..., 106, 2)``.

    Returns:
        ``(..., 5, 2)``: left eye, right eye, nose tip, left and right mouth corner.
    """
    return np.asarray(_KEYPOINTS @ landmarks, np.float32)


def flip_landmarks(landmarks: FloatArray, width: float) -> FloatArray:
    """The points of the horizontally mirrored image, in standard order.

    Args:
        landmarks: ``(..., 106, 2)`` in pixels of an image ``width`` pixels wide.
        width: width of the image; pixel centres count, so column x becomes ``width - 1 - x``.

    Returns:
        ``(..., 106, 2)``.
    """
    flipped = landmarks[..., MIRROR, :].copy()
    flipped[..., 0] = np.float32(width - 1) - flipped[..., 0]
    return flipped
