"""RetinaFace as teacher: keypoints and faces that annotation lacks, and which anchors see a face how surely.

The teacher looks at each photograph once, upright, at three scales an octave apart, before training starts. A crop
takes the scale nearest to its own and carries the teacher's anchors through its affine map: a place, one of six
sizes (the student has the same), a score and the face it belongs to. A turned crop therefore learns what the
teacher says of the upright face; run on the turned crop itself it would miss the face or put upright eyes on an
upside-down mouth. It also costs nothing while training; measured, the teacher on each crop takes 9 ms at 320 px, as
long as all of a sample's augmentation and assignment, where a training step takes 60 ms a crop (one thread each).
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from streamer.detectors.postprocess import MAX_CANDIDATES, best_candidates, suppress
from streamer.detectors.retinaface import Network, anchors_at, decode, mobilenet_network, to_blob
from streamer.errors import OutputError
from streamer.training.detection.anchors import SIDES
from streamer.training.detection.assign import NO_HINTS, Hints
from streamer.training.detection.data import Photograph, PhotoSet, with_faces
from streamer.types import FloatArray, Image

SCALES: Final = (0.5, 1.0, 2.0)
_LOWEST: Final = 0.2
"""Score from which an anchor's opinion is kept."""
_SAME: Final = 0.5
"""IoU from which an anchor's box and an annotated one are the same face."""
_AGREED: Final = 0.3
"""IoU from which the teacher confirms an annotated box."""
_TRUSTED: Final = 0.5
"""Score from which the teacher's keypoints are taken, and its unannotated faces left out of the loss."""
_CERTAIN: Final = 0.95
"""Score from which a face nobody annotated is one."""
_CERTAIN_SIDE: Final = 20.0
_APART: Final = 0.1
_FARTHEST: Final = math.log(1.6)
"""Natural logarithm of the scale ratio up to which a look still speaks for a crop."""
_LARGEST: Final = 1600
"""Longest side the teacher looks at, in pixels: above it, photographs are large enough as they are."""

_log = logging.getLogger(__name__)


class Look(NamedTuple):
    """The teacher's anchors on one photograph, in its pixels.

    Attributes:
        centres: ``(k, 2)``.
        kinds: ``(k,)`` which of the six anchors.
        scales: ``(k,)`` which of :data:`SCALES`.
        scores: ``(k,)``.
        boxes: ``(k, 4)``.
        keypoints: ``(k, 5, 2)``.
    """

    centres: FloatArray
    kinds: NDArray[np.intp]
    scales: NDArray[np.intp]
    scores: FloatArray
    boxes: FloatArray
    keypoints: FloatArray


class Lesson(NamedTuple):
    """Hints of one photograph at all scales; ``scales`` says at which each was given."""

    hints: Hints
    scales: NDArray[np.intp]

    def near(self, scale: float) -> Hints:
        """The hints for a crop with so many pixels per pixel of the photograph; none if no look was close."""
        away = np.abs(np.log(np.array(SCALES) / scale))
        return self.hints.at(self.scales == away.argmin()) if away.min() <= _FARTHEST else NO_HINTS


def teach(photos: PhotoSet, cache: Path) -> tuple[PhotoSet, list[Lesson]]:
    """Complete the labels by what the teacher sees, and keep its opinion of every anchor.

    Args:
        photos: training photographs.
        cache: file that keeps the teacher's looks from run to run.

    Returns:
        The photographs with more keypoints, faces and ignored places, and a lesson for each.

    Raises:
        WeightsError: the package that carries RetinaFace is missing or changed.
        OutputError: the cache cannot be written.
    """
    looks = _looks(photos, cache)
    taught = [learn(photo, look) for photo, look in zip(photos.photographs, looks, strict=True)]
    before = sum(int(np.isfinite(photo.keypoints).all(axis=(1, 2)).sum()) for photo in photos.photographs)
    after = sum(int(np.isfinite(photo.keypoints).all(axis=(1, 2)).sum()) for photo, _ in taught)
    faces = sum(len(photo) for photo in photos.photographs), sum(len(photo) for photo, _ in taught)
    _log.info("teacher: keypoints of %d faces instead of %d; %d faces instead of %d", after, before, *faces[::-1])
    return photos.replaced([photo for photo, _ in taught]), [lesson for _, lesson in taught]


def look(network: Network, image: Image) -> Look:
    """Run the teacher on one picture at all scales."""
    parts = []
    for number, scale in enumerate(SCALES):
        size = tuple(max(32, round(side * scale)) for side in image.shape[1::-1])
        if scale > 1 and max(size) > _LARGEST:
            continue
        blob = to_blob(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8))
        raw, shape = network(blob), (blob.shape[2], blob.shape[3])
        chosen = best_candidates(raw[1][:, 1], _LOWEST)
        centres, sides = anchors_at(chosen, shape)
        found = decode(raw, shape, _LOWEST)
        back = (np.array(image.shape[1::-1]) / size).astype(np.float32)
        parts.append(
            Look(
                centres * back,
                np.searchsorted(SIDES, sides[:, 0]),
                np.full(len(chosen), number),
                found.scores,
                found.boxes * np.tile(back, 2),
                found.keypoints * back,
            )
        )
    return Look(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def learn(photograph: Photograph, seen: Look) -> tuple[Photograph, Lesson]:
    """What a photograph gains from the teacher's look at it.

    Returns:
        The photograph with keypoints where they were missing, with faces the teacher is certain of although nobody
        annotated them (not where they were searched for already), the doubtful ones ignored; and the lesson.
    """
    overlaps = _overlaps(seen.boxes, photograph.boxes)
    if photograph.searched:
        sure = _confirmed(photograph, seen.scores, overlaps)
        photograph, overlaps = _with_only(photograph, sure), overlaps[:, sure]
    best = overlaps.max(axis=1, initial=0)
    faces = np.where(best >= _SAME, overlaps.argmax(axis=1) if len(photograph) else -1, -1)
    photograph = _with_keypoints(photograph, seen, faces)
    strangers = np.flatnonzero((best < _APART) & (seen.scores >= _TRUSTED))
    strangers = strangers[_overlaps(seen.boxes[strangers], photograph.ignore).max(axis=1, initial=0) < _APART]
    groups = strangers[suppress(seen.boxes[strangers], seen.scores[strangers], 0.3)][:MAX_CANDIDATES]
    sides = (seen.boxes[groups, 2:] - seen.boxes[groups, :2]).min(axis=1, initial=np.inf)
    certain = (seen.scores[groups] >= _CERTAIN) & (sides >= _CERTAIN_SIDE) & (not photograph.searched)
    added, doubtful = groups[certain], groups[~certain]
    known = len(photograph)
    photograph = with_faces(photograph, seen.boxes[added], seen.keypoints[added], seen.boxes[doubtful])
    same = _overlaps(seen.boxes, seen.boxes[added])
    if len(added):
        faces = np.where((faces < 0) & (same.max(axis=1) >= _SAME), known + same.argmax(axis=1), faces)
    kept = (faces >= 0) | (seen.scores >= _TRUSTED)
    hints = Hints(seen.centres, seen.kinds, seen.scores, faces).at(kept)
    return photograph, Lesson(hints, seen.scales[kept])


def _confirmed(photograph: Photograph, scores: FloatArray, overlaps: FloatArray) -> NDArray[np.bool_]:
    """Which labels ``(n,)`` the teacher confirms, in a collection that detectors had a hand in.

    Those nobody annotated (no word of a mask) are its own finds on an enlarged picture, fists and shirts among them:
    it must be certain of them. Annotated ones it must see at all: what it does not is too small or no face.
    """
    best = np.where(overlaps >= _AGREED, scores[:, None], 0.0).max(axis=0, initial=0)
    return np.asarray(best >= np.where(np.isnan(photograph.masked), _CERTAIN, _LOWEST))


def _with_only(photograph: Photograph, sure: NDArray[np.bool_]) -> Photograph:
    """The photograph with these faces ``(n,)``; the others become ignored places."""
    return replace(
        photograph,
        boxes=photograph.boxes[sure],
        keypoints=photograph.keypoints[sure],
        masked=photograph.masked[sure],
        ignore=np.concatenate([photograph.ignore, photograph.boxes[~sure]]),
    )


def _with_keypoints(photograph: Photograph, seen: Look, faces: NDArray[np.intp]) -> Photograph:
    """Fill missing keypoints from the surest anchor of each face, if they lie in its box."""
    keypoints = photograph.keypoints.copy()
    order = np.argsort(seen.scores, kind="stable")
    order = order[(faces[order] >= 0) & (seen.scores[order] >= _TRUSTED)]
    for row in order.tolist():  # the surest comes last and stays
        face = faces[row]
        if np.isfinite(photograph.keypoints[face]).all():
            continue
        box, points = photograph.boxes[face], seen.keypoints[row]
        slack = 0.1 * (box[2:] - box[:2])
        if ((points >= box[:2] - slack) & (points <= box[2:] + slack)).all():
            keypoints[face] = points
    return replace(photograph, keypoints=keypoints)


def _overlaps(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """IoU ``(k, n)`` of boxes ``(k, 4)`` and ``(n, 4)``."""
    sides = np.minimum(boxes[:, None, 2:], others[:, 2:]) - np.maximum(boxes[:, None, :2], others[:, :2])
    common = sides.clip(0).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None] + (others[:, 2:] - others[:, :2]).prod(axis=1)
    return np.asarray(common / np.maximum(areas - common, 1e-6), np.float32)


def _looks(photos: PhotoSet, cache: Path) -> list[Look]:
    """The looks of the cache, and new ones for photographs it has not."""
    known = _read(cache)
    keys = [hashlib.sha1(photo.data).hexdigest() for photo in photos.photographs]
    missing = [row for row, key in enumerate(keys) if key not in known]
    if missing:
        network = mobilenet_network(1)
        try:
            for row in track(missing, "teacher's look at the photographs"):
                known[keys[row]] = look(network, photos.picture(row))
        finally:  # whoever stops it here keeps what is done
            _write(known, cache)
    return [known[key] for key in keys]


def _read(cache: Path) -> dict[str, Look]:
    """Looks by the hash of the file; an unreadable cache is as good as none."""
    try:
        with np.load(cache) as table:
            columns = [table[name] for name in Look._fields]
            ends = np.cumsum(table["counts"])[:-1]
            names = table["names"].tolist()
    except (OSError, ValueError, KeyError):
        return {}
    parts = zip(*(np.split(column, ends) for column in columns), strict=True)
    return {name: Look(*part) for name, part in zip(names, parts, strict=True)}


def _write(looks: Mapping[str, Look], cache: Path) -> None:
    """Write the cache beside its goal, then rename it."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in looks.values()]) for name in Look._fields
    }
    part = cache.with_suffix(".part.npz")
    try:
        np.savez(part, names=list(looks), counts=[len(one.scores) for one in looks.values()], **columns)
        os.replace(part, cache)
    except OSError as error:
        raise OutputError(f"{cache} cannot be written ({error}); free some space or choose another --out.") from error
