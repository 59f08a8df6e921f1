"""TinyMog (ModelScope ``cv_manual_face-detection_tinymog``): the fast detector, with five keypoints.

Its network is a searched mobile backbone with the neck and head of SCRFD-0.5G (Guo et al., ICLR 2022,
arXiv 2105.04714). Input, anchors, decoding and the two thresholds are those of insightface's
``detection/scrfd``, from which its published code descends: RGB (v − 127.5) / 128, padded after that with
zeros; anchor centres in the upper left corner of their cells; distances and offsets in strides; score 0.3
(``scrfd_detect.py`` of ModelScope) and NMS 0.45 (``scrfd_500m_bnkps.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Unpack

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.detectors.base import Settings, SingleShot
from streamer.detectors.postprocess import best_candidates
from streamer.types import Detections, FloatArray, Image

STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 2

RawOutputs = tuple[FloatArray, FloatArray, FloatArray]
"""What the network gives for one image, level by level, cells row by row, a cell's two anchors next to each
other: ``scores (n,)`` as logits, ``distances (n, 4)`` to left, top, right and bottom, ``keypoints (n, 5, 2)``
as x and y offsets; both from the anchor's centre, in strides."""
Network = Callable[[FloatArray], RawOutputs]
"""A network: blob ``(1, 3, H, W)`` of :func:`to_blob` to raw outputs."""


class TinyMog(SingleShot):
    """TinyMog over any network that gives its raw outputs; on the CPU, ``tinymog_onnx`` is faster.

    Args:
        network: see :data:`Network`.
        **settings: as for :class:`Detector`.
    """

    def __init__(self, network: Network, **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        self._network = network

    def _candidates(self, bgr: Image) -> Detections:
        blob = to_blob(bgr)
        return decode(self._network(blob), (blob.shape[2], blob.shape[3]), self.score)


def to_blob(bgr: Image) -> FloatArray:
    """Network input of an image: RGB from −1 to 1, zeros (middle grey) on the right and bottom.

    Returns:
        ``(1, 3, H, W)`` float32, H and W multiples of 32.
    """
    height, width = bgr.shape[:2]
    blob = np.zeros((1, 3, height + -height % STRIDES[-1], width + -width % STRIDES[-1]), np.float32)
    for plane, values in zip(blob[0, :, :height, :width], cv2.split(bgr)[::-1], strict=True):
        np.subtract(values, np.float32(127.5), out=plane, dtype=np.float32)
        plane *= np.float32(1 / 128)
    return blob


def decode(raw: RawOutputs, size: tuple[int, int], threshold: float) -> Detections:
    """Decode the anchors whose score passes; the rest, nearly all, cost one comparison.

    Args:
        raw: the network's outputs.
        size: height and width of the network's input, multiples of 32.
        threshold: lowest score, between 0 and 1.

    Returns:
        Candidates in pixels of the network's input, in the anchors' order.
    """
    logits, distances, offsets = raw
    chosen = best_candidates(logits, to_logit(threshold))
    return decode_anchors(chosen, (logits[chosen], distances[chosen], offsets[chosen]), size)


def to_logit(score: float) -> float:
    """The logit that stands for a score between 0 and 1."""
    return log(score / (1 - score))


def decode_anchors(index: NDArray[np.intp], raw: RawOutputs, size: tuple[int, int]) -> Detections:
    """Decode some anchors.

    Args:
        index: their numbers, ``(n,)``.
        raw: the network's outputs for them alone.
        size: as for :func:`decode`.

    Returns:
        One candidate an anchor, in pixels of the network's input.
    """
    logits, distances, offsets = raw
    centres, strides = anchors_at(index, size)
    sides = distances * strides
    return Detections(
        boxes=np.hstack([centres - sides[:, :2], centres + sides[:, 2:]]),
        scores=np.asarray(1 / (1 + np.exp(-logits)), np.float32),
        keypoints=centres[:, None] + offsets * strides[:, None],
    )


def anchors_at(index: NDArray[np.intp], size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Centres ``(n, 2)`` in pixels and strides ``(n, 1)`` of the anchors with these numbers.

    Unlike RetinaFace's, a centre is the corner of its cell: mmdet's ``AnchorGenerator`` has no offset.
    """
    every = np.array(STRIDES)
    rows, columns = size[0] // every, size[1] // every
    ends = np.cumsum(rows * columns * ANCHORS_PER_CELL)
    level = np.searchsorted(ends, index, side="right")
    cell = (index - (ends - rows * columns * ANCHORS_PER_CELL)[level]) // ANCHORS_PER_CELL
    strides = every[level, None].astype(np.float32)
    return np.stack([cell % columns[level], cell // columns[level]], axis=1).astype(np.float32) * strides, strides
