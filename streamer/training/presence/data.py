"""Crops for the presence head: real faces as tracking frames them, and what it drifts to when there is none.

Every starting crop is followed through the landmark network's own loop (crop, points, crop again) and looked
at after several passes: that is where a tracker without a face ends up, so those are the negatives that
count. Nothing is labelled by intention: a crop's label follows from where it lies against the known faces.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.landmarks import geometry
from streamer.training.presence.sight import Judges
from streamer.training.presence.truth import Truth, judge, mirrored, nearest, truth_of_crops, truth_of_photograph
from streamer.types import FloatArray, Image

Look = Callable[[Image], tuple[FloatArray, FloatArray]]
"""Shows crops ``(n, 96, 96, 3)`` to the landmark network: points ``(n, 106, 2)`` in crop pixels and what the
presence head reads ``(n, INPUTS)``."""

HELD_OUT: Final = 10
"""One group in so many (persons, or photographs) is kept for measuring."""

_LOOKS: Final = (0, 1, 2, 5)
"""After how many passes of the network's own loop a crop is taken."""

_FACE_CROPS: Final = 21_218
_PHOTOGRAPHS: Final = 3_996
_BACKGROUNDS: Final = 10
_NEAR_MISSES: Final = 4
_FACES_PER_PHOTO: Final = 6


_Part = Callable[[np.random.Generator], Iterator[tuple[Image, Truth, bool]]]
"""Pictures with their faces and whether they are held out, drawn by chance."""


class _Archive(NamedTuple):
    """An archive of photographs, their annotations, and the share of them to use."""

    archive: Path
    annotations: Path
    share: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Labelled crops of one image.

    Attributes:
        inputs: ``(n, INPUTS)`` what the presence head reads of each crop.
        labels: ``(n,)`` True for a well-framed face.
        passes: ``(n,)`` how many passes of the loop led to the crop.
        sight: ``(n,)`` of a well-framed face: how many of the :class:`Judges` see it, see :func:`_sight`.
        sizes: ``(n,)`` of a well-framed face: its proper crop's side in pixels.
        masked: ``(n,)`` whether that face wears a mask.
        photograph: whether the image is a photograph of ``detection/``, else a face crop of ``faces/``.
        held_out: whether the image belongs to the measuring part.
    """

    inputs: FloatArray
    labels: NDArray[np.bool_]
    passes: NDArray[np.int64]
    sight: NDArray[np.int64]
    sizes: FloatArray
    masked: NDArray[np.bool_]
    photograph: bool
    held_out: bool


def samples(data: Path, look: Look, images: int, seed: int) -> Iterator[Sample]:
    """Labelled crops, as many images from ``faces/`` as photographs from ``detection/``; these to learn from twice.

    Args:
        data: folder with ``faces/`` and ``detection/``.
        look: the landmark network whose loop is followed.
        images: about how many images to use.
        seed: of all random choices.
    """
    judges = Judges()
    for number, part in enumerate(_parts(data, images, judges)):
        rng = np.random.default_rng((seed, number))
        for image, truth, held_out in part(rng):
            start = starts(truth, image.shape, rng)
            shown = degrade(image, rng)
            crops = _followed(shown, start, truth, look)
            if crops is not None:
                sight = _sight(shown, truth, judges, held_out)
                yield _sample(crops, truth, sight, _is_photograph(image.shape), held_out)


def _sight(shown: Image, truth: Truth, judges: Judges, held_out: bool) -> NDArray[np.int64]:
    """How surely each face ``(m,)`` can be seen: 2 surely, 0 not at all.

    Face crops were chosen by other means: all 2. In photographs, faces to learn from are 2 where RetinaFace has an
    inkling of them; faces to measure with, as many as there are detectors that would start a track there.
    """
    if not _is_photograph(shown.shape):
        return np.full(len(truth.sizes), 2)
    if not truth.certain.any():
        return np.zeros(len(truth.sizes), np.int64)
    if held_out:
        return judges.confirmed(shown, truth.centres, truth.sizes)
    return 2 * judges.hinted(shown, truth.centres, truth.sizes)


def _parts(data: Path, images: int, judges: Judges) -> Iterator[_Part]:
    """Face crops, photographs, and once more the photographs to learn from, mirrored: the head knows them by heart
    sooner than it has learned what a face is.
    """
    yield lambda rng: _face_crops(data / "faces", images / 2 / _FACE_CROPS, rng)
    for again in (False, True):
        for name, entries in (("images.tar", "annotations.json"), ("more.tar", "more.json")):
            pictures = _Archive(data / "detection" / name, data / "detection" / entries, images / 2 / _PHOTOGRAPHS)
            yield partial(_photographs, pictures, judges, again)


def _face_crops(folder: Path, share: float, rng: np.random.Generator) -> Iterator[tuple[Image, Truth, bool]]:
    labels = np.load(folder / "labels.npz")
    landmarks = labels["landmarks"][:, :, :2].astype(np.float32)
    _, groups = np.unique(labels["group"], return_inverse=True)
    held_out = np.random.default_rng(0).permutation(groups.max() + 1)[groups] % HELD_OUT == 0
    for shard in sorted(folder.glob("images-*.tar")):
        for name, image in _pictures(shard, share, rng):
            row = int(name.split(".")[0])
            yield image, truth_of_crops(geometry.crops_from_landmarks(landmarks[row : row + 1])), bool(held_out[row])


def _photographs(
    pictures: _Archive, judges: Judges, again: bool, rng: np.random.Generator
) -> Iterator[tuple[Image, Truth, bool]]:
    """Annotated photographs; those to learn from have missing keypoints filled in, and are mirrored ``again``."""
    entries = json.loads(pictures.annotations.read_text("utf-8"))
    by_file = {entry["file"]: entry for entry in entries}
    held_out = {entry["file"]: number % HELD_OUT == 0 for number, entry in enumerate(entries)}
    for name, image in _pictures(pictures.archive, pictures.share, rng):
        entry = by_file.get(name) or by_file.get(Path(name).name)
        if entry is None:
            continue
        held = held_out[entry["file"]]
        if again and held:
            continue
        truth = truth_of_photograph(entry if held else judges.completed(image, entry))
        if again:
            image, truth = np.ascontiguousarray(image[:, ::-1]), mirrored(truth, image.shape[1])
        yield image, truth, held


def _pictures(archive: Path, share: float, rng: np.random.Generator) -> Iterator[tuple[str, Image]]:
    """Name and picture of a random share of an archive's members."""
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member) if rng.random() < share else None
            if stream is None:
                continue
            image = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_COLOR)
            if image is not None:
                yield member.name, np.asarray(image, np.uint8)


class _Crops(NamedTuple):
    """Crops that could be labelled: what was seen, where, well framed or not, after how many passes."""

    inputs: FloatArray
    matrices: FloatArray
    labels: NDArray[np.bool_]
    passes: NDArray[np.int64]


def _followed(image: Image, matrices: FloatArray, truth: Truth, look: Look) -> _Crops | None:
    """Follow starting crops through the network's loop and keep what can be labelled."""
    found: list[_Crops] = []
    for step in range(max(_LOOKS) + 1):
        matrices = matrices[geometry.usable(matrices, image.shape)]
        if not len(matrices):
            break
        points, seen = look(geometry.cut(image, matrices))
        if step in _LOOKS:
            label = judge(matrices, truth)
            kept = label != 0
            found.append(_Crops(seen[kept], matrices[kept], label[kept] > 0, np.full(int(kept.sum()), step)))
        matrices = geometry.crops_from_landmarks(geometry.to_image(points, matrices))
    return _Crops(*map(np.concatenate, zip(*found, strict=True))) if found else None


def _sample(crops: _Crops, truth: Truth, sight: NDArray[np.int64], photograph: bool, held_out: bool) -> Sample:
    """Crops with what is known of the faces that they frame well."""
    count = len(crops.labels)
    seen, sizes, masked = np.zeros(count, np.int64), np.zeros(count, np.float32), np.zeros(count, np.bool_)
    if crops.labels.any():
        face = nearest(crops.matrices[crops.labels], truth)
        seen[crops.labels] = sight[face]
        sizes[crops.labels] = truth.sizes[face]
        masked[crops.labels] = truth.masked[face]
    return Sample(crops.inputs, crops.labels, crops.passes, seen, sizes, masked, photograph, held_out)


def starts(truth: Truth, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Crops to begin with: faces with tracking's errors, near misses, bodies, background.

    Args:
        truth: the faces.
        shape: of the image.
        rng: random source.

    Returns:
        ``(n, 2, 3)`` image to crop.
    """
    faces = np.flatnonzero(truth.certain)
    faces = rng.permutation(faces)[:_FACES_PER_PHOTO]
    rolls = np.nan_to_num(truth.rolls)[faces]
    parts = [_around(truth.centres[faces], truth.sizes[faces], rolls, rng) for _ in range(2)]
    missed = np.repeat(faces[:3], _NEAR_MISSES)
    parts.append(_missing(truth, missed, rng))
    if _is_photograph(shape):
        parts.append(_anywhere(shape, _BACKGROUNDS, rng))
    return np.concatenate(parts)


def _around(centres: FloatArray, sizes: FloatArray, rolls: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Errors of tracking: a few per cent in place and size, roll of 12 degrees (one in five: up to 35)."""
    count = len(sizes)
    roll = rolls + np.where(rng.random(count) < 0.2, rng.uniform(-35, 35, count), rng.normal(0, 12, count))
    moved = centres + rng.normal(0, 0.05, (count, 2)) * sizes[:, None]
    scale = sizes * np.exp(rng.normal(0, 0.08, count))
    return _crops(moved, scale, np.exp(rng.normal(0, 0.06, count)), roll)


def _missing(truth: Truth, rows: NDArray[np.int64], rng: np.random.Generator) -> FloatArray:
    """Half faces, wrong scale, wrong way round, necks and shoulders."""
    count = len(rows)
    kind = rng.integers(0, 4, count)
    sizes, rolls = truth.sizes[rows], np.nan_to_num(truth.rolls)[rows]
    scale = np.exp(rng.normal(0, 0.15, count))
    scale = np.where(kind == 0, rng.choice([0.25, 0.33, 0.4, 0.45, 2.3, 2.6, 3.2], count), scale)
    angle = rng.uniform(0, 2 * np.pi, count)
    angle = np.where(kind == 2, rng.normal(np.pi / 2, 0.5, count), angle)  # below the face: neck, chest, hands
    reach = np.select(
        [kind == 1, kind == 2, kind == 0], [rng.uniform(0.5, 1.1, count), rng.uniform(0.7, 2.5, count), 0.1], 0.05
    )
    turn = np.where(kind == 3, rng.uniform(80, 280, count), rng.normal(0, 15, count))
    centres = truth.centres[rows] + (sizes * reach)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _crops(centres, sizes * scale, np.exp(rng.normal(0, 0.15, count)), rolls + turn)


def _anywhere(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> FloatArray:
    """Any place, size, stretch and turn; what happens to be a face is found out by :func:`judge`."""
    height, width = shape[:2]
    centres = rng.uniform(0, 1, (count, 2)) * (width, height)
    sizes = np.exp(rng.uniform(np.log(24), np.log(0.7 * min(width, height)), count))
    rolls = np.where(rng.random(count) < 0.6, rng.normal(0, 15, count), rng.uniform(-180, 180, count))
    return _crops(centres, sizes, np.exp(rng.normal(0, 0.2, count)), rolls)


def _crops(centres: Any, sizes: Any, stretch: Any, rolls: Any) -> FloatArray:
    """Matrices from centre ``(n, 2)``, size, width/height stretch and roll in degrees, each ``(n,)``."""
    angle = np.deg2rad(rolls)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.stack([c, s, -s, c], axis=1).reshape(-1, 2, 2)
    scale = geometry.CROP / np.stack([sizes * np.sqrt(stretch), sizes / np.sqrt(stretch)], axis=1)
    linear = turn * scale[:, :, None]
    offset = geometry.CROP / 2 - np.einsum("nij,nj->ni", linear, np.asarray(centres, np.float64))
    return np.concatenate([linear, offset[:, :, None]], axis=2).astype(np.float32)


def _is_photograph(shape: tuple[int, ...]) -> bool:
    """Whether an image shows faces small in their surroundings; the face crops have little around them."""
    return max(shape[:2]) > 200


def degrade(image: Image, rng: np.random.Generator) -> Image:
    """What cameras do: darkness, glare, colour, blur, low resolution, noise; and things held before a face.

    A face must stay one that people recognise: blur is in proportion to the faces an image can hold, and
    nothing is held before the small faces of photographs, as it could hide them altogether.
    """
    if rng.random() < 0.35:
        return image
    small = _is_photograph(image.shape)
    picture: NDArray[Any] = image.astype(np.float32)
    if rng.random() < 0.4:
        picture = picture * rng.uniform(0.25, 1.4) + rng.uniform(-5, 30)
    if rng.random() < 0.3:
        picture = picture * rng.uniform(0.8, 1.2, 3).astype(np.float32)
    if not small and rng.random() < 0.3:
        picture = _occlude(picture, rng)
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 0.8 if small else 3.0))
    if rng.random() < 0.2:
        height, width = picture.shape[:2]
        factor = rng.uniform(0.6 if small else 0.2, 0.9)
        coarse = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        picture = picture + rng.normal(0, rng.uniform(2, 12), picture.shape).astype(np.float32)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _occlude(picture: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """A blob of one colour, or a piece of the picture itself, over up to a seventh of it."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    centre = (int(rng.uniform(0.15, 0.85) * width), int(rng.uniform(0.15, 0.85) * height))
    axes = (int(rng.uniform(0.08, 0.24) * width), int(rng.uniform(0.08, 0.24) * height))
    cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    cover = np.broadcast_to(rng.uniform(0, 255, 3).astype(np.float32), picture.shape)
    if rng.random() < 0.6:
        shift = (int(rng.integers(height // 3, height)), int(rng.integers(width // 3, width)))
        cover = np.roll(picture, shift, axis=(0, 1))
    return np.asarray(np.where(mask[:, :, None] > 0, cover, picture))
