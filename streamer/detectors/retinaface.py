"""RetinaFace (Deng et al., CVPR 2020): one-stage face detector with five keypoints.

Anchors, variances and the mean colour are those of the published PyTorch weights; both backbones share
them. The network is the MobileNet0.25 one here; ``retinaface_resnet50`` brings the large one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.detectors.base import Settings, SingleShot
from streamer.detectors.postprocess import best_candidates
from streamer.runtime.sessions import onnx_session
from streamer.runtime.weights import retinaface_mobilenet_onnx
from streamer.types import Detections, FloatArray, Image

STRIDES = np.array([8, 16, 32])
ANCHORS = np.array([[16, 32], [64, 128], [256, 512]], np.float32)
"""Anchor sides in pixels, two a cell, per stride."""
VARIANCES = 0.1, 0.2
MEAN = 104.0, 117.0, 123.0
"""Mean BGR, subtracted from the input."""

RawOutputs = tuple[FloatArray, FloatArray, FloatArray]
"""What the network gives for one image: ``loc (n, 4)``, ``conf (n, 2)`` softmaxed, ``landmarks (n, 10)``."""
Network = Callable[[FloatArray], RawOutputs]
"""A network: blob ``(1, 3, H, W)``, BGR minus mean, sides multiples of 32, to raw outputs."""


class RetinaFace(SingleShot):
    """RetinaFace over any network that gives its raw outputs.

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


def mobilenet_network(threads: int) -> Network:
    """The MobileNet0.25 network on ONNX Runtime.

    Raises:
        WeightsError: the package that carries it is missing or changed.
    """
    outputs = ["loc", "conf", "landmarks"]
    session = onnx_session(
        retinaface_mobilenet_onnx(), threads=threads, outputs=outputs, name="RetinaFace MobileNet0.25"
    )

    def run(blob: FloatArray) -> RawOutputs:
        boxes, scores, keypoints = session.run(outputs, {"input": blob})
        return boxes[0], scores[0], keypoints[0]

    return run


def to_blob(bgr: Image) -> FloatArray:
    """Network input of an image: mean subtracted, padded on the right and bottom with the mean.

    Returns:
        ``(1, 3, H, W)`` float32, H and W multiples of 32.
    """
    height, width = bgr.shape[:2]
    right, bottom = -width % 32, -height % 32
    if right or bottom:
        bgr = np.asarray(cv2.copyMakeBorder(bgr, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=MEAN), np.uint8)
    blob = np.empty((1, 3, *bgr.shape[:2]), np.float32)
    for plane, values, mean in zip(blob[0], cv2.split(bgr), MEAN, strict=True):  # a fifth of blobFromImage's time
        np.subtract(values, np.float32(mean), out=plane, dtype=np.float32)
    return blob


def decode(raw: RawOutputs, size: tuple[int, int], threshold: float) -> Detections:
    """Decode the anchors whose score passes; the rest, nearly all, cost nothing.

    Args:
        raw: the network's outputs.
        size: height and width of the network's input.
        threshold: lowest score.

    Returns:
        Candidates in pixels of the network's input, in the anchors' order.
    """
    offsets, confidence, points = raw
    chosen = best_candidates(confidence[:, 1], threshold)
    centres, sides = anchors_at(chosen, size)
    middle = centres + offsets[chosen, :2] * VARIANCES[0] * sides
    half = sides * np.exp(offsets[chosen, 2:] * VARIANCES[1]) / 2
    keypoints = centres[:, None] + points[chosen].reshape(-1, 5, 2) * VARIANCES[0] * sides[:, None]
    return Detections(np.hstack([middle - half, middle + half]), confidence[chosen, 1], keypoints)


def anchors_at(index: NDArray[np.intp], size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Centres ``(n, 2)`` and sides ``(n, 1)`` in pixels of the anchors with these numbers.

    Anchors are numbered level by level, row by row, small before large in a cell. Computing the few that
    are needed beats keeping tables for every input size.
    """
    rows, columns = -(-size[0] // STRIDES), -(-size[1] // STRIDES)
    ends = np.cumsum(rows * columns * 2)
    level = np.searchsorted(ends, index, side="right")
    within = index - (ends - rows * columns * 2)[level]
    cell, which = within // 2, within % 2
    cells = np.stack([cell % columns[level], cell // columns[level]], axis=1)
    centres = (cells + 0.5) * STRIDES[level, None]
    return centres.astype(np.float32), ANCHORS[level, which][:, None]
