"""One training sample: a face turned, hidden, cropped with the errors of trackers and detectors, disturbed.

:func:`draw_face` makes the picture (flip, 3-D turn, things in front); :func:`draw_view` cuts the network's crop
out of it with the errors of the live path; two views of one face with slightly different crops serve the
steadiness loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from streamer.landmarks.geometry import CROP
from streamer.landmarks.topology import MEAN_SHAPE_3D, MIRROR
from streamer.training.datasets import SIDE, FaceSet
from streamer.training.geometry import Array, compose, crop_matrix, crop_roll, transform
from streamer.training.occlusion import occlude
from streamer.training.photometry import disturb
from streamer.training.shape_trend import ShapeTrend
from streamer.training.turning import turn_face
from streamer.types import FloatArray, Image

_PLAIN_CHANCE: Final = 0.25
"""Faces as they were photographed, neither turned nor hidden: most of what a camera shows."""

_TURN_CHANCE: Final = 0.45
_MAX_YAW: Final = 72.0
_MAX_PITCH: Final = 42.0
_BORDERS: Final = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101)


@dataclass(frozen=True)
class FacePicture:
    """A face before cropping.

    Attributes:
        image: ``(160, 160, 3)`` BGR.
        points: ``(106, 2)`` in its pixels, finite (unlabelled points are filled in for geometry only).
        labelled: ``(106,)`` which points may be learned from.
        pose: ``(3,)`` degrees in the picture, NaN when not labelled.
    """

    image: Image
    points: FloatArray
    labelled: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    pose: FloatArray


class View(NamedTuple):
    """A crop as the network sees it.

    Attributes:
        image: ``(96, 96, 3)`` BGR.
        points: ``(106, 2)`` in the unit square of the crop.
        pose: ``(3,)`` degrees in the crop.
        matrix: ``(2, 3)`` from picture to crop pixels.
    """

    image: Image
    points: FloatArray
    pose: FloatArray
    matrix: Array


class CropError(NamedTuple):
    """How far a crop is from the right one: see ``geometry.crop_matrix``."""

    roll: float
    sides: Array


def draw_face(rng: np.random.Generator, faces: FaceSet, index: int, trend: ShapeTrend | None = None) -> FacePicture:
    """A face of the set, perhaps mirrored, turned and partly hidden.

    Args:
        rng: source of chance.
        faces: the set.
        index: which of its faces.
        trend: how shapes change beyond a rigid turn.

    Returns:
        A new picture with its labels.
    """
    image, landmarks, pose = faces.images[index], faces.landmarks[index], faces.pose[index]
    if rng.random() < 0.5:
        image, landmarks, pose = _mirror(image, landmarks, pose)
    labelled = np.isfinite(landmarks[:, :2]).all(axis=1)
    if rng.random() < _PLAIN_CHANCE:
        points = landmarks[:, :2] if labelled.all() else _filled(landmarks, labelled)
        return FacePicture(image, points, labelled, pose)
    complete = bool(np.isfinite(landmarks).all() and np.isfinite(pose).all())
    points = landmarks[:, :2] if labelled.all() else _filled(landmarks, labelled)
    if complete and rng.random() < _TURN_CHANCE:
        pitch, yaw = draw_turn(rng, float(pose[0]), float(pose[2]))
        image, points, turned = turn_face(image, landmarks, pose, pitch, yaw, trend)
        pose = turned.astype(np.float32)
    else:
        image = image.copy()
    occlude(rng, image, points, faces.images[int(rng.integers(len(faces)))])
    return FacePicture(image, points, labelled, pose)


def draw_turn(rng: np.random.Generator, pitch: float, yaw: float) -> tuple[float, float]:
    """Where to turn a face: away from the camera on the side it already shows, for what is unseen cannot be warped.

    Args:
        rng: source of chance.
        pitch: present pitch in degrees.
        yaw: present yaw.

    Returns:
        New pitch and yaw, |pitch| ≤ 42°, |yaw| ≤ 72°.
    """
    side = np.sign(yaw) if abs(yaw) > 8 else rng.choice([-1.0, 1.0])
    if rng.random() < 0.8:
        goal = side * rng.uniform(min(abs(yaw), 60.0) if abs(yaw) > 20 else 20.0, _MAX_YAW)
    else:
        goal = yaw + rng.normal(0, 8)
    lift = pitch + rng.normal(0, 6) if rng.random() < 0.45 else rng.uniform(-_MAX_PITCH, _MAX_PITCH)
    lift = float(np.clip(lift, pitch - 35, pitch + 35))
    return float(np.clip(lift, -_MAX_PITCH, _MAX_PITCH)), float(np.clip(goal, -_MAX_YAW, _MAX_YAW))


def _mirror(image: Image, landmarks: FloatArray, pose: FloatArray) -> tuple[Image, FloatArray, FloatArray]:
    """The mirrored face with its labels."""
    flipped = landmarks[MIRROR].copy()
    flipped[:, 0] = SIDE - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped, pose * np.array([1, -1, -1], np.float32)


def _filled(landmarks: FloatArray, labelled: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    """Unlabelled points guessed by an affine fit of the mean face, so that the crop is framed as usual."""
    mean = np.column_stack([MEAN_SHAPE_3D[:, :2], np.ones(len(MEAN_SHAPE_3D))])
    fit, *_ = np.linalg.lstsq(mean[labelled], landmarks[labelled, :2], rcond=None)
    return np.where(labelled[:, None], landmarks[:, :2], mean @ fit).astype(np.float32)


def draw_error(rng: np.random.Generator) -> CropError:
    """A crop error: mostly a face that moved since the last frame, sometimes a detector's box.

    Roll errors are σ 4° while tracking, and σ 16° up to 45° in six crops of ten; sides are off by shift, size
    and single-edge errors of 2 % while tracking, three to five times that otherwise.
    """
    kind = rng.random()
    roll = float(rng.normal(0, 4.0)) if rng.random() < 0.4 else float(np.clip(rng.normal(0, 16.0), -45, 45))
    if kind < 0.45:
        shift, size, edge = rng.normal(0, 0.025, 2), rng.normal(0, 0.02), rng.normal(0, 0.012, 4)
    elif kind < 0.8:
        shift, size, edge = rng.normal(0, 0.06, 2), rng.normal(0.01, 0.04), rng.normal(0, 0.03, 4)
    else:
        shift, size, edge = rng.normal(0, 0.09, 2), rng.uniform(-0.08, 0.25), rng.normal(0, 0.05, 4)
    sides = np.array([-size, -size, size, size]) + np.tile(shift, 2) + edge
    return CropError(roll, sides.clip(-0.35, 0.35))


def nudge(rng: np.random.Generator, error: CropError) -> CropError:
    """The same crop a moment later: under 3 % of shift and size, about 2° of roll."""
    shift, size, edge = rng.normal(0, 0.015, 2), rng.normal(0, 0.012), rng.normal(0, 0.008, 4)
    sides = error.sides + np.array([-size, -size, size, size]) + np.tile(shift, 2) + edge
    return CropError(error.roll + float(rng.normal(0, 1.5)), sides)


def cut(
    image: Image, points: FloatArray, pose: FloatArray, error: CropError, border: int = cv2.BORDER_REPLICATE
) -> View:
    """Cut the network's crop with a given error, undisturbed.

    Args:
        image: ``(160, 160, 3)`` picture.
        points: ``(106, 2)`` finite, in its pixels.
        pose: ``(3,)`` degrees in the picture.
        error: the crop's error.
        border: OpenCV border mode for what lies outside the picture.
    """
    matrix = crop_matrix(points, error.roll, error.sides)
    crop = cv2.warpAffine(image, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderMode=border)
    turned = pose + np.array([0, crop_roll(matrix), 0], np.float32)
    return View(np.asarray(crop, np.uint8), transform(points, matrix) / np.float32(CROP), turned, matrix)


def draw_view(rng: np.random.Generator, face: FacePicture, error: CropError) -> View:
    """Cut the crop with an error and show it through a random camera."""
    view = cut(face.image, face.points, face.pose, error, _BORDERS[int(rng.choice(3, p=(0.7, 0.2, 0.1)))])
    return view._replace(image=disturb(rng, view.image))


def between(first: View, second: View) -> Array:
    """The affine map ``(2, 3)`` from crop pixels of the second view to those of the first."""
    inverse = np.linalg.inv(np.vstack([second.matrix, [0, 0, 1]]))[:2]
    return compose(first.matrix, inverse)
