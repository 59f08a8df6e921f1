"""Which detection belongs to which track: overlaps, distances and the cheapest assignment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

_FORBIDDEN = 1e6  # cost that no sum of allowed pairs reaches
_NEAR = 0.6  # face sizes between centres of one face in consecutive rounds
_ALIKE = 1.7  # ratio of sizes likewise
_REACH = 0.8  # face sizes from its path at which a hidden face may reappear at once
_STRIDE = 1.0  # face sizes per second it may have walked besides


def pairwise_iou(first: FloatArray, second: FloatArray) -> NDArray[np.float64]:
    """Intersection over union of every pair.

    Args:
        first: ``(n, 4)`` boxes ``xyxy``.
        second: ``(m, 4)`` boxes ``xyxy``.

    Returns:
        ``(n, m)`` values in 0..1.

    >>> pairwise_iou(np.array([[0., 0., 2., 2.]]), np.array([[1., 0., 3., 2.]])).round(3).tolist()
    [[0.333]]
    """
    a, b = first[:, None], second[None]
    overlap = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    intersection = np.prod(np.maximum(overlap, 0.0), axis=-1)
    areas = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1)
    return np.asarray(intersection / np.maximum(areas - intersection, 1e-9), np.float64)


def pairwise_offset(first: FloatArray, second: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far apart the boxes of every pair are, and how unlike in size.

    Args:
        first: ``(n, 4)`` boxes ``xyxy``.
        second: ``(m, 4)`` boxes ``xyxy``.

    Returns:
        Distance of the centres in face sizes (mean of both) and ratio of the larger size to the smaller one,
        both ``(n, m)``.
    """
    centres = [(boxes[:, :2] + boxes[:, 2:]) * 0.5 for boxes in (first, second)]
    sizes = [np.sqrt(np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1.0)) for boxes in (first, second)]
    distance = np.linalg.norm(centres[0][:, None] - centres[1][None], axis=-1)
    ratio = sizes[0][:, None] / sizes[1][None]
    mean_size = (sizes[0][:, None] + sizes[1][None]) * 0.5
    return np.asarray(distance / mean_size, np.float64), np.asarray(np.maximum(ratio, 1.0 / ratio), np.float64)


def pair_followed(current: FloatArray, boxes: FloatArray, match_iou: float) -> list[tuple[int, int]]:
    """Match tracks being followed with detections.

    Args:
        current: ``(n, 4)`` predicted boxes ``xyxy``.
        boxes: ``(m, 4)`` detections.
        match_iou: overlap from which a pair may form; pairs that overlap less must be near and alike in size.

    Returns:
        ``(track, detection)`` positions.
    """
    if not len(current) or not len(boxes):
        return []
    iou = pairwise_iou(current, boxes)
    distance, ratio = pairwise_offset(current, boxes)
    allowed = (iou >= match_iou) | ((distance < _NEAR) & (ratio < _ALIKE))
    return assign(1.0 - iou + distance, allowed)


def pair_lost(last: FloatArray, coasted: FloatArray, hidden: FloatArray, boxes: FloatArray) -> list[tuple[int, int]]:
    """Recognise lost faces that come back, by position and size.

    Args:
        last: ``(n, 4)`` boxes where they were last seen.
        coasted: ``(n, 4)`` boxes where they would be by now, had they kept their velocity.
        hidden: ``(n,)`` seconds since they were seen.
        boxes: ``(m, 4)`` detections that no followed track claims.

    Returns:
        ``(track, detection)`` positions.
    """
    if not len(last) or not len(boxes):
        return []
    here, ratio_here = pairwise_offset(last, boxes)
    there, ratio_there = pairwise_offset(coasted, boxes)
    distance, ratio = np.minimum(here, there), np.minimum(ratio_here, ratio_there)
    reach = _REACH + _STRIDE * hidden[:, None]
    return assign(distance + 0.5 * (ratio - 1.0), (distance < reach) & (ratio < _ALIKE))


def assign(cost: FloatArray, allowed: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Pair rows with columns so that as many allowed pairs as possible form, at the least total cost.

    Args:
        cost: ``(n, m)`` cost of each pair, well below 1e6.
        allowed: ``(n, m)`` which pairs may form at all.

    Returns:
        ``(row, column)`` pairs by row.
    """
    if not allowed.any():
        return []
    if cost.shape == (1, 1):
        return [(0, 0)]
    guarded = np.where(allowed, cost, _FORBIDDEN)
    if len(guarded) <= guarded.shape[1]:
        pairs = list(enumerate(_hungarian(guarded)))
    else:
        pairs = sorted((row, column) for column, row in enumerate(_hungarian(guarded.T)))
    return [(row, column) for row, column in pairs if allowed[row, column]]


def _hungarian(cost: FloatArray) -> list[int]:
    """Column of each row in the cheapest full assignment of ``(n, m)``, n <= m.

    Kuhn-Munkres with potentials and shortest augmenting paths (Jonker and Volgenant 1987), O(n² m). scipy has
    the same function, but importing it costs more time than starting the whole tracker.
    """
    count, width = cost.shape
    row_potential = np.zeros(count + 1)
    column_potential = np.zeros(width + 1)
    owner = np.zeros(width + 1, np.intp)  # owner[j]: 1-based row that holds column j; column 0 is the root
    for row in range(1, count + 1):
        owner[0] = row
        shortest = np.full(width + 1, np.inf)
        parent = np.zeros(width + 1, np.intp)
        used = np.zeros(width + 1, bool)
        column = 0
        while owner[column] != 0:
            used[column] = True
            reduced = cost[owner[column] - 1] - row_potential[owner[column]] - column_potential[1:]
            better = ~used[1:] & (reduced < shortest[1:])
            shortest[1:][better] = reduced[better]
            parent[1:][better] = column
            following = int(np.argmin(np.where(used, np.inf, shortest)))
            delta = shortest[following]
            row_potential[owner[used]] += delta
            column_potential[used] -= delta
            shortest[~used] -= delta
            column = following
        while column:
            owner[column] = owner[parent[column]]
            column = parent[column]
    held = {int(owner[j]) - 1: j - 1 for j in range(1, width + 1) if owner[j]}
    return [held[row] for row in range(count)]
