"""Which anchor learns which face: ATSS for annotated faces, the teacher's hints beside it, ignored places.

ATSS (Zhang et al., CVPR 2020): the nine anchors of each level nearest to a face are candidates; those whose IoU
reaches the candidates' mean plus standard deviation, and whose centre lies in the face, are its own.

Two things are added. A face too small for that rule (no anchor's centre lies in it) takes its best candidate
instead of being taught as background. And where the teacher finds the same face from an anchor ATSS does not give
to it, that anchor learns it too, with the teacher's score as confidence: RetinaFace's denser map of positives is
what lets a small network converge quickly.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamer.detectors.tinymog import ANCHORS_PER_CELL
from streamer.training.detection.anchors import Anchors
from streamer.types import FloatArray

TOP: Final = 9
"""Candidates a level."""

_WINDOW: Final = 5
"""Cells around a face among which its nine nearest anchors certainly are: two a cell."""
_INSIDE: Final = 0.01


class Hints(NamedTuple):
    """What the teacher's anchors say, in pixels of the picture they belong to.

    Attributes:
        centres: ``(k, 2)`` float32.
        kinds: ``(k,)`` which of the six anchors.
        scores: ``(k,)`` float32, 0..1.
        faces: ``(k,)`` row of the face that the anchor's box overlaps, or -1: a face nobody annotated.
    """

    centres: FloatArray
    kinds: NDArray[np.intp]
    scores: FloatArray
    faces: NDArray[np.intp]

    def at(self, rows: NDArray[Any]) -> Hints:
        """The hints at these rows (indices or mask)."""
        return Hints(self.centres[rows], self.kinds[rows], self.scores[rows], self.faces[rows])


NO_HINTS: Final = Hints(
    np.zeros((0, 2), np.float32), np.zeros(0, np.intp), np.zeros(0, np.float32), np.zeros(0, np.intp)
)


class Assignment(NamedTuple):
    """What the anchors of one picture learn.

    Attributes:
        anchors: ``(p,)`` anchors that learn a face.
        faces: ``(p,)`` which.
        confidence: ``(p,)`` float32: 1 from annotation, the teacher's score otherwise.
        counted: ``(a,)`` bool: anchors whose score is part of the loss.
    """

    anchors: NDArray[np.intp]
    faces: NDArray[np.intp]
    confidence: FloatArray
    counted: NDArray[np.bool_]


def assign(anchors: Anchors, boxes: FloatArray, ignore: FloatArray, hints: Hints) -> Assignment:
    """Give every anchor its face, background, or nothing to learn.

    Args:
        anchors: of the picture.
        boxes: ``(n, 4)`` faces.
        ignore: ``(m, 4)`` places that are neither face nor background.
        hints: the teacher's.
    """
    own, faces = atss(anchors, boxes)
    index = anchors.nearest(hints.centres, hints.kinds)
    counted = ~_ignored(anchors, ignore)
    counted[index[hints.faces < 0]] = False
    taken = np.zeros(len(anchors.sides), np.bool_)
    taken[own] = True
    order = np.argsort(-hints.scores, kind="stable")
    order = order[(hints.faces[order] >= 0) & ~taken[index[order]] & counted[index[order]]]
    extra, first = np.unique(index[order], return_index=True)
    order = order[first]
    counted[own] = True
    return Assignment(
        np.concatenate([own, extra]),
        np.concatenate([faces, hints.faces[order]]),
        np.concatenate([np.ones(len(own), np.float32), hints.scores[order]]).astype(np.float32),
        counted,
    )


def atss(anchors: Anchors, boxes: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Anchors that learn the faces by ATSS, and the face of each.

    Args:
        anchors: of the picture.
        boxes: ``(n, 4)``.

    Returns:
        ``(p,)`` anchors in rising order and ``(p,)`` rows of ``boxes``; an anchor wanted by several faces goes to
        the one it overlaps most.
    """
    if not len(boxes):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    candidates = np.concatenate([_nearest(anchors, boxes, level) for level in range(len(anchors.starts))], axis=1)
    overlap = _overlap(boxes[:, None], anchors, candidates)
    threshold = overlap.mean(axis=1, keepdims=True) + overlap.std(axis=1, ddof=1, keepdims=True)
    centres = anchors.centres[candidates]
    depth = np.minimum(centres - boxes[:, None, :2], boxes[:, None, 2:] - centres).min(axis=2)
    own = (overlap >= threshold) & (depth > _INSIDE)
    own[np.arange(len(boxes)), overlap.argmax(axis=1)] |= ~own.any(axis=1)
    faces, columns = np.nonzero(own)
    chosen = candidates[faces, columns]
    order = np.lexsort((-overlap[faces, columns], chosen))
    unique, first = np.unique(chosen[order], return_index=True)
    return unique, faces[order][first]


def _nearest(anchors: Anchors, boxes: FloatArray, level: int) -> NDArray[np.intp]:
    """The nine anchors of a level nearest to each box ``(n, 9)``; ties go to the lower number."""
    size = np.array([anchors.columns[level], anchors.rows[level]])
    start = anchors.starts[level]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    reach = np.minimum(_WINDOW, size)
    corner = np.rint(middle / anchors.strides[start]).astype(np.intp) - _WINDOW // 2
    corner = corner.clip(0, size - reach)
    column = corner[:, 0, None, None] + np.arange(reach[0])
    row = corner[:, 1, None, None] + np.arange(reach[1])[:, None]
    cells = (row * size[0] + column).reshape(len(boxes), -1)
    index = (start + cells[:, :, None] * ANCHORS_PER_CELL + np.arange(ANCHORS_PER_CELL)).reshape(len(boxes), -1)
    distance = ((anchors.centres[index] - middle[:, None]) ** 2).sum(axis=2)
    return np.take_along_axis(index, np.argsort(distance, axis=1, kind="stable")[:, :TOP], axis=1)


def _overlap(boxes: FloatArray, anchors: Anchors, index: NDArray[np.intp]) -> FloatArray:
    """IoU of boxes ``(n, 1, 4)`` with the indexed anchors ``(n, k)``."""
    centres, sides = anchors.centres[index], anchors.sides[index]
    half = sides[:, :, None] / 2
    common = np.minimum(boxes[..., 2:], centres + half) - np.maximum(boxes[..., :2], centres - half)
    shared = common.clip(0).prod(axis=2)
    whole = (boxes[..., 2:] - boxes[..., :2]).prod(axis=2) + sides**2 - shared
    return np.asarray(shared / whole, np.float32)


def _ignored(anchors: Anchors, places: FloatArray) -> NDArray[np.bool_]:
    """Anchors ``(a,)`` whose centre lies in an ignored place, or half a cell from it: a tiny place needs one too."""
    grown = places[:, None] + anchors.strides[:, None] / 2 * np.array([-1, -1, 1, 1], np.float32)
    within = (anchors.centres >= grown[..., :2]) & (anchors.centres <= grown[..., 2:])
    return np.asarray(within.all(axis=2).any(axis=0))
