"""From a network's raw numbers to boxes: priors, decoding, non-maximum suppression, ordering."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamer.types import Detections, FloatArray, freeze

MAX_CANDIDATES = 2000
"""Candidates that go into suppression, best first: bounds its time on a wall of faces."""


def box_area(boxes: FloatArray) -> FloatArray:
    """Areas ``(n,)`` of ``xyxy`` boxes ``(n, 4)``; degenerate boxes count zero."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def overlap(box: FloatArray, boxes: FloatArray, *, of_smaller: bool = False) -> FloatArray:
    """Overlap of one ``xyxy`` box ``(4,)`` with many ``(n, 4)``.

    Args:
        box: the one.
        boxes: the many.
        of_smaller: divide the common area by the smaller box's instead of by the union, so that a box
            inside another overlaps it fully.

    Returns:
        ``(n,)`` in 0..1.
    """
    corner = np.maximum(box[:2], boxes[:, :2])
    sides = np.maximum(np.minimum(box[2:], boxes[:, 2:]) - corner, 0)
    common = sides[:, 0] * sides[:, 1]
    area, areas = box_area(box[None])[0], box_area(boxes)
    whole = np.minimum(area, areas) if of_smaller else area + areas - common
    return np.asarray(common / np.maximum(whole, 1e-9), np.float32)


def suppress(boxes: FloatArray, scores: FloatArray, threshold: float, *, of_smaller: bool = False) -> NDArray[np.intp]:
    """Non-maximum suppression: of boxes that overlap more than the threshold, keep the best.

    Args:
        boxes: ``(n, 4)`` ``xyxy``.
        scores: ``(n,)``.
        threshold: greatest overlap of two boxes that are both kept.
        of_smaller: see :func:`overlap`.

    Returns:
        Indices of the kept boxes, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[overlap(boxes[best], boxes[order], of_smaller=of_smaller) <= threshold]
    return np.array(kept, np.intp)


def best_candidates(scores: FloatArray, threshold: float) -> NDArray[np.intp]:
    """Indices of scores above the threshold; of more than :data:`MAX_CANDIDATES` only the best."""
    chosen = np.flatnonzero(scores > threshold)
    if len(chosen) <= MAX_CANDIDATES:
        return chosen
    return chosen[np.argpartition(-scores[chosen], MAX_CANDIDATES)[:MAX_CANDIDATES]]


def select(detections: Detections, *, nms: float, min_face: float) -> Detections:
    """The final choice of a detector: drop small faces, suppress double ones, best score first.

    Args:
        detections: candidates in image pixels, in any order.
        nms: IoU above which two boxes are one face.
        min_face: smallest shorter side of a box, in pixels.
    """
    sides = detections.boxes[:, 2:] - detections.boxes[:, :2]
    large = np.flatnonzero(sides.min(axis=1, initial=np.inf) >= min_face)
    kept = large[suppress(detections.boxes[large], detections.scores[large], nms)]
    return take(detections, kept)


def take(detections: Detections, index: NDArray[np.intp]) -> Detections:
    """The indexed faces, in the index's order, read-only."""
    return Detections(
        boxes=freeze(detections.boxes[index]),
        scores=freeze(detections.scores[index]),
        keypoints=freeze(detections.keypoints[index]),
    )


def turn_boxes(boxes: FloatArray, matrix: NDArray[np.floating]) -> FloatArray:
    """Bounds ``(n, 4)`` of the boxes' inscribed ellipses after an affine map ``(2, 3)``.

    A face fills about that ellipse; the bounds of the turned box itself would be up to 1.4 times too large.
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ (matrix[:, :2] ** 2).T)
    return np.hstack([middle - half, middle + half]).astype(np.float32)
