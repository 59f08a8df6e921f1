"""Turns a photographed face in 3-D: labels and picture of the same face under another yaw and pitch.

The labelled points carry depth. A mesh over them, over cheeks and forehead, over a rim of hair and neck and over
a distant frame is rotated about the head's centre, and every triangle of the picture follows its corners, far
ones painted first (face profiling after Zhu et al., "Face alignment across large poses", CVPR 2016). Points that
turn out of sight keep the place the rigid head gives them, corrected by what real labels of that pose show.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from streamer.landmarks.topology import MEAN_SHAPE_3D, MIRROR, POINTS
from streamer.training.datasets import SIDE
from streamer.training.geometry import Array, eye_angle, in_plane, pose_of, rotation
from streamer.training.shape_trend import ShapeTrend
from streamer.types import FloatArray, Image

_BOX_SCALE: Final = 1.35
_PIVOT: Final = np.array([0.0, 0.0, 0.45])
"""Centre of rotation in eye distances: between the ears."""

_LEFT_OUT: Final = (74, 83, 104, 105)
"""Eye centres and pupils move inside the eye and would fold the mesh."""

# Points the 106 lack: (their sources among the 106, offset from the sources' mean in eye distances), left half.
_CHEEKS: Final = (((5, 57), (0.0, 0.0, -0.12)), ((3, 72), (0.0, 0.03, -0.12)), ((8, 84), (0.0, 0.0, -0.06)))
_FOREHEAD: Final = (((33, 37), (0.1, -0.42, 0.10)), ((33, 38), (-0.1, -0.25, 0.12)), ((0, 33), (-0.05, -0.12, 0.1)))
_RIM: Final = (
    ((0,), (-0.28, 0.0, 0.45)),
    ((4,), (-0.28, 0.0, 0.45)),
    ((8,), (-0.25, 0.1, 0.40)),
    ((12,), (-0.15, 0.25, 0.35)),
    ((33, 33), (-0.35, -0.55, 0.55)),
    ((33, 37), (-0.05, -0.85, 0.50)),
)
_MIDDLE: Final = (((37, 42), (0.0, -0.45, 0.05)), ((37, 42), (0.0, -0.95, 0.45)), ((16,), (0.0, 0.32, 0.35)))
_FRAME_DEPTH: Final = 6.0
"""How far behind the head the surroundings lie, in eye distances: always painted first."""


class Turned(NamedTuple):
    """A face after turning.

    Attributes:
        image: ``(160, 160, 3)`` upright picture, cut as the originals are.
        points: ``(106, 2)`` in its pixels.
        pose: ``(3,)`` degrees.
    """

    image: Image
    points: FloatArray
    pose: Array


def _extras() -> tuple[Array, Array]:
    """Weights ``(e, 106)`` and offsets ``(e, 3)`` of the points added to the 106, mirrored to the right half."""
    weights, offsets = [], []
    for sources, offset in (*_CHEEKS, *_FOREHEAD, *_RIM):
        for indices, sign in ((list(sources), 1), (MIRROR[list(sources)].tolist(), -1)):
            weights.append(np.bincount(indices, minlength=POINTS) / len(indices))
            offsets.append((sign * offset[0], offset[1], offset[2]))
    for sources, offset in _MIDDLE:
        weights.append(np.bincount(list(sources), minlength=POINTS) / len(sources))
        offsets.append(offset)
    return np.array(weights), np.array(offsets)


def _frame(low: float, high: float, count: int = 5) -> Array:
    """``(4·(count−1), 2)`` points along the edge of a square."""
    steps = np.linspace(low, high, count)[:-1]
    back = low + high - steps
    first, last = np.full_like(steps, low), np.full_like(steps, high)
    return np.column_stack([np.concatenate([steps, last, back, first]), np.concatenate([first, steps, last, back])])


_WEIGHTS, _OFFSETS = _extras()
_KEPT: Final = np.setdiff1d(np.arange(POINTS), _LEFT_OUT)
_FRAME: Final = _frame(-1.0 * SIDE, 2.0 * SIDE)
_ROWS: Final = np.arange(SIDE, dtype=np.float32)[:, None]
_COLUMNS: Final = np.arange(SIDE, dtype=np.float32)[None, :]


def _triangulate() -> NDArray[np.intp]:
    """``(t, 3)`` triangles over kept points, extras and frame, found on the mean face."""
    mean = MEAN_SHAPE_3D.astype(np.float64)
    extras = _WEIGHTS @ mean + _OFFSETS
    flat = np.concatenate([mean[_KEPT, :2], extras[:, :2], _frame(-4.0, 4.0)])
    return np.asarray(Delaunay(flat).simplices, np.intp)


_TRIANGLES: Final = _triangulate()


def fit_head(landmarks: FloatArray) -> tuple[float, Array, Array]:
    """Similarity from the mean 3-D shape to a face (Umeyama 1991).

    Args:
        landmarks: ``(106, 3)``.

    Returns:
        scale (pixels per eye distance), rotation ``(3, 3)`` and translation ``(3,)``.
    """
    mean = MEAN_SHAPE_3D.astype(np.float64)
    centre, goal = mean.mean(axis=0), landmarks.astype(np.float64).mean(axis=0)
    source, target = mean - centre, landmarks - goal
    left, values, right = np.linalg.svd(target.T @ source)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    matrix = left @ np.diag(sign) @ right
    scale = float((values * sign).sum() / (source**2).sum())
    return scale, matrix, goal - scale * matrix @ centre


def turn_face(
    image: Image,
    landmarks: FloatArray,
    pose: FloatArray,
    pitch: float,
    yaw: float,
    trend: ShapeTrend | None = None,
) -> Turned:
    """Show a face under another pitch and yaw.

    Args:
        image: ``(160, 160, 3)`` upright picture.
        landmarks: ``(106, 3)`` with depth, all finite.
        pose: ``(3,)`` its pose in degrees.
        pitch: wanted pitch in degrees, before the picture is made upright again.
        yaw: wanted yaw in degrees.
        trend: how shapes change beyond a rigid turn; ``None``: not at all.

    Returns:
        The turned face, upright by its eye line.
    """
    scale, axes, origin = fit_head(landmarks)
    points = landmarks.astype(np.float64)
    extras = _WEIGHTS @ points + scale * _OFFSETS @ axes.T
    pivot = origin + scale * axes @ _PIVOT
    goal = rotation(np.array([pitch, pose[1], yaw]))
    turn = goal @ rotation(pose.astype(np.float64)).T
    level = in_plane(-eye_angle(((points - pivot) @ turn.T).astype(np.float32)))
    turn = level @ turn
    moved = (points - pivot) @ turn.T + pivot
    turned_extras = (extras - pivot) @ turn.T + pivot
    final = pose_of(level @ goal)
    if trend is not None:
        change = scale * trend.change(pose.astype(np.float64), final)
        moved[:, :2] += change
        turned_extras[:, :2] += _WEIGHTS @ change
    zoom, shift = _recut(moved[:, :2])
    frame = np.column_stack([_FRAME, np.full(len(_FRAME), pivot[2] + _FRAME_DEPTH * scale)])
    before = np.concatenate([points[_KEPT], extras, frame])
    after = np.concatenate([moved[_KEPT], turned_extras, (frame - pivot) @ level.T + pivot])
    after[:, :2] = after[:, :2] * zoom + shift
    return Turned(
        _paint(image, before[:, :2], after),
        (moved[:, :2] * zoom + shift).astype(np.float32),
        final,
    )


def _recut(points: Array) -> tuple[float, Array]:
    """Zoom and shift that cut the usual square around turned points."""
    low, high = points.min(axis=0), points.max(axis=0)
    zoom = SIDE / (_BOX_SCALE * float((high - low).max()))
    return zoom, SIDE / 2 - (low + high) / 2 * zoom


def _paint(image: Image, before: Array, after: Array) -> Image:
    """Warp triangle by triangle: where each picture point comes from is looked up, then read in one go.

    Args:
        image: source picture.
        before: ``(v, 2)`` corners in it.
        after: ``(v, 3)`` corners in the new picture, with depth.

    Returns:
        ``(160, 160, 3)``.
    """
    depth = after[_TRIANGLES, 2].mean(axis=1)
    target = after[_TRIANGLES][:, :, :2]
    owner = np.zeros((SIDE, SIDE), np.int16)
    corners = np.round(target * 16).clip(-(2**20), 2**20).astype(np.int32)
    for index in np.argsort(-depth).tolist():
        cv2.fillConvexPoly(owner, corners[index], index, lineType=cv2.LINE_8, shift=4)
    maps = _affine(target, before[_TRIANGLES])
    across, down, offset = (np.take(maps[:, part], owner) for part in range(3))
    lookup = (across * _COLUMNS + down * _ROWS + offset).view(np.float32).reshape(SIDE, SIDE, 2)
    no_second_map: Any = None
    painted = cv2.remap(image, lookup, no_second_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(painted, np.uint8)


def _affine(target: Array, source: Array) -> NDArray[np.complex64]:
    """Maps ``(t, 3)`` from target to source triangles; those seen edge-on get a harmless one.

    Source x and y are one complex number: per picture point, one look-up instead of two.
    """
    system = np.concatenate([target, np.ones((len(target), 3, 1))], axis=2)
    flat = np.abs(np.linalg.det(system)) < 1e-3
    system[flat] = np.eye(3)
    solved = np.linalg.solve(system, source)
    return np.asarray(solved[:, :, 0] + 1j * solved[:, :, 1], np.complex64)
