"""One training sample: crops or a mosaic of photographs, faces hidden, further faces pasted, a camera's flaws."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from streamer.detectors.postprocess import turn_boxes
from streamer.landmarks.topology import MEAN_SHAPE_3D, keypoints_from_landmarks
from streamer.training.datasets import SIDE, FaceSet
from streamer.training.detection.assign import Hints
from streamer.training.detection.camera import disturb
from streamer.training.detection.cut import Sample, cut, draw_matrix, draw_scale, join, place
from streamer.training.detection.data import PhotoSet
from streamer.training.detection.decoys import disc, draw_decoy
from streamer.training.detection.teacher import Lesson
from streamer.training.geometry import Array, transform
from streamer.training.occlusion import occlude, patch
from streamer.types import FloatArray, Image

_MOSAIC: Final = 0.25
_MOSAIC_SCALE: Final = 0.75
_PASTE: Final = 0.35
_PASTED: Final = 4
_DISTRACT: Final = 0.4
_SMALLEST_PASTED: Final = 10.0
"""In pixels."""
_LARGEST_PASTED: Final = 0.45
"""In sides of the sample."""
_OCCLUDE: Final = 0.5
"""Chance that a face is shown to ``occlude``, which hides two in five."""
_OCCLUDE_SIDE: Final = 20.0
_WINDOW: Final = 2.4
"""Side of the part of the picture in which a face is hidden, in sides of its box."""
_FOREHEAD: Final = 0.37
"""Share of the landmarks' height by which a face box reaches above the brows: RetinaFace's median on 399 crops."""
_MEAN_POINTS: Final[FloatArray] = MEAN_SHAPE_3D[:, :2].astype(np.float32)


def draw_sample(
    rng: np.random.Generator, photos: PhotoSet, lessons: list[Lesson], chance: Array, faces: FaceSet | None, side: int
) -> Sample:
    """Make a sample.

    Args:
        rng: source of chance.
        photos: training photographs.
        lessons: the teacher's, one a photograph.
        chance: ``(len(photos),)`` of each to be drawn.
        faces: face crops to paste; ``None``: none.
        side: of the square sample, in pixels.
    """
    if rng.random() < _MOSAIC:
        sample = _mosaic(rng, photos, lessons, chance, side)
    else:
        sample = _crop(rng, photos, lessons, chance, (side, side), side)
    sample = replace(sample, image=np.ascontiguousarray(sample.image))
    for box, keypoints in zip(sample.boxes, sample.keypoints, strict=True):
        if rng.random() < _OCCLUDE and np.sqrt((box[2:] - box[:2]).prod()) >= _OCCLUDE_SIDE:
            _hide(rng, sample.image, box, keypoints, faces)
    if faces is not None:
        for _ in _times(rng, _PASTE):
            sample = _paste(rng, sample, faces)
    for _ in _times(rng, _DISTRACT):
        sample = _distract(rng, sample)
    return replace(sample, image=disturb(rng, sample.image))


def _crop(
    rng: np.random.Generator,
    photos: PhotoSet,
    lessons: list[Lesson],
    chance: Array,
    size: tuple[int, int],
    side: int,
    shrink: float = 1.0,
) -> Sample:
    """A piece of one photograph, scaled as for a square crop of ``side``."""
    index = int(rng.choice(len(photos), p=chance))
    photograph = photos[index]
    scale = draw_scale(rng, photograph, side) * shrink
    matrix = draw_matrix(rng, photograph, size, scale)
    return cut(rng, photograph, photos.picture(index), lessons[index].near(scale), matrix, size)


def _mosaic(rng: np.random.Generator, photos: PhotoSet, lessons: list[Lesson], chance: Array, side: int) -> Sample:
    """Four pieces around a random point."""
    x, y = (rng.uniform(0.3, 0.7, 2) * side).astype(int).tolist()
    parts = []
    for left, top, right, bottom in ((0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side)):
        piece = _crop(rng, photos, lessons, chance, (right - left, bottom - top), side, _MOSAIC_SCALE)
        parts.append((piece, (left, top)))
    return join(parts, (side, side))


def _hide(
    rng: np.random.Generator, image: Image, box: FloatArray, keypoints: FloatArray, faces: FaceSet | None
) -> None:
    """Put something in front of a face, in place: hands, masks and glasses where the keypoints say how it lies."""
    side = min(int(_WINDOW * float((box[2:] - box[:2]).max())), min(image.shape[:2]))
    corner = ((box[:2] + box[2:]) / 2 - side / 2).clip(0, np.array(image.shape[1::-1]) - side).astype(int)
    window = image[corner[1] : corner[1] + side, corner[0] : corner[0] + side]
    other = window[::-1, ::-1].copy()
    if faces is not None:
        other = np.asarray(cv2.resize(faces.images[int(rng.integers(len(faces)))], (side, side)), np.uint8)
    if np.isfinite(keypoints).all():
        occlude(rng, window, _guess_landmarks(keypoints) - corner.astype(np.float32), other)
    elif rng.random() < 0.2:
        patch(rng, window, box.reshape(2, 2) - corner.astype(np.float32), other)


def _guess_landmarks(keypoints: FloatArray) -> FloatArray:
    """The mean face's 106 points, laid on five keypoints by the affine map that fits them best."""
    mean = np.column_stack([keypoints_from_landmarks(_MEAN_POINTS), np.ones(5)])
    fit, *_ = np.linalg.lstsq(mean, keypoints, rcond=None)
    return np.asarray(_MEAN_POINTS @ fit[:2] + fit[2], np.float32)


def _times(rng: np.random.Generator, chance: float) -> range:
    """How often to paste into a sample: mostly not at all."""
    return range(int(rng.integers(1, _PASTED + 1)) if rng.random() < chance else 0)


def _paste(rng: np.random.Generator, sample: Sample, faces: FaceSet) -> Sample:
    """Paste a face crop where no face is; the sample's picture is changed in place."""
    index = int(rng.integers(len(faces)))
    points = faces.landmarks[index, :, :2]
    if not np.isfinite(points).all():
        return sample
    canvas = sample.image.shape[0]
    size = _draw_size(rng, canvas)
    angle = rng.uniform(-np.pi, np.pi) if rng.random() < 0.6 else float(rng.normal(0, 0.3))
    low, high = points.min(axis=0), points.max(axis=0)
    upright = np.concatenate([low - [0, _FOREHEAD * (high[1] - low[1])], high]).astype(np.float32)[None]
    matrix, outer = _draw_place(rng, canvas, size, size / float((high - low).max()), angle)
    box = turn_boxes(upright, matrix).clip(0, canvas)
    if _occupied(sample, outer) or (box[0, 2:] - box[0, :2]).min() < 0.8 * size:
        return sample
    image = faces.images[index].copy()
    occlude(rng, image, points, faces.images[int(rng.integers(len(faces)))])
    _blend(sample.image, image, disc(rng), matrix, outer)
    return replace(
        sample,
        boxes=np.concatenate([sample.boxes, box]),
        keypoints=np.concatenate([sample.keypoints, transform(keypoints_from_landmarks(points), matrix)[None]]),
        hints=_without(sample.hints, outer),
    )


def _distract(rng: np.random.Generator, sample: Sample) -> Sample:
    """Paste what is no face where no face is; the sample's picture is changed in place."""
    canvas = sample.image.shape[0]
    size = _draw_size(rng, canvas)
    matrix, outer = _draw_place(rng, canvas, size, size / SIDE, rng.normal(0, 0.5))
    corner = rng.integers(0, canvas // 2, 2)
    window = np.concatenate([corner, corner + int(rng.integers(16, canvas // 2))]).astype(np.float32)
    if _occupied(sample, outer) or _occupied(sample, window):
        return sample
    left, top, right, bottom = window.astype(int).tolist()
    _blend(sample.image, *draw_decoy(rng, sample.image[top:bottom, left:right]), matrix, outer)
    return replace(sample, hints=_without(sample.hints, outer))


def _draw_place(
    rng: np.random.Generator, canvas: int, size: float, scale: float, angle: float
) -> tuple[Array, FloatArray]:
    """Where a square layer of ``SIDE`` goes: its affine map, and the box ``(4,)`` around it."""
    matrix = place((canvas, canvas), scale, angle, False, np.full(2, SIDE / 2))
    matrix[:, 2] += rng.uniform(-0.5, 0.5, 2) * (canvas - size)
    return matrix, turn_boxes(np.array([[0, 0, SIDE, SIDE]], np.float32), matrix)[0]


def _draw_size(rng: np.random.Generator, canvas: int) -> float:
    """Of something pasted, in pixels, every octave equally often."""
    return float(np.exp(rng.uniform(np.log(_SMALLEST_PASTED), np.log(_LARGEST_PASTED * canvas))))


def _occupied(sample: Sample, area: FloatArray) -> bool:
    """Whether a face or an ignored place reaches into an area ``(4,)``."""
    there = np.concatenate([sample.boxes, sample.ignore])
    common = np.minimum(there[:, 2:], area[2:]) - np.maximum(there[:, :2], area[:2])
    return bool((common > 0).all(axis=1).any())


def _without(hints: Hints, area: FloatArray) -> Hints:
    """The hints outside an area ``(4,)``: what the teacher saw there is covered now."""
    covered = ((hints.centres >= area[:2]) & (hints.centres <= area[2:])).all(axis=1)
    return hints.at(np.asarray(~covered))


def _blend(image: Image, layer: Image, opacity: Image, matrix: Array, outer: FloatArray) -> None:
    """Put a layer into the picture, in place; only the ``outer`` box of it is touched."""
    low = np.floor(outer[:2]).clip(0, image.shape[0] - 1).astype(int)
    high = np.ceil(outer[2:]).clip(low + 1, image.shape[0]).astype(int)
    # A warp takes single pixels; averaging the crop down first spares small faces a grain no camera has.
    side = min(SIDE, int(np.ceil(1.5 * SIDE * float(np.hypot(*matrix[0, :2])))))
    local = matrix - np.column_stack([np.zeros((2, 2)), low])
    local[:, :2] *= SIDE / side
    local[:, 2] += local[:, :2] @ np.full(2, 0.5) - 0.5
    size = tuple((high - low).tolist())
    small, cover = (cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA) for part in (layer, opacity))
    paint = cv2.warpAffine(small, local, size, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(cover, local, size)[:, :, None].astype(np.uint16)
    under = image[low[1] : high[1], low[0] : high[0]]
    under[:] = ((under * (255 - alpha) + paint * alpha) // 255).astype(np.uint8)
