"""MTCNN (Zhang et al., 2016): three small networks propose, refine and finish face boxes.

It runs on torch, which is imported when this detector is chosen and not before.
"""

from __future__ import annotations

from typing import Unpack

import cv2
import numpy as np
import torch
from torch import Tensor

from streamer.detectors.base import Detector, Settings, enlarge, shrink
from streamer.detectors.mtcnn_networks import Stage, output_network, proposal_network, refine_network
from streamer.detectors.postprocess import MAX_CANDIDATES, select, suppress
from streamer.runtime.devices import Device
from streamer.types import Detections, FloatArray, Image

WINDOW, STRIDE = 12, 2
"""P-Net looks at windows of 12 pixels, every 2 pixels."""
PYRAMID_STEP = 0.707
PROPOSAL_SCORE, REFINE_SCORE = 0.6, 0.7
"""Thresholds of the first two networks; the third's is the detector's ``score``."""
NMS_WITHIN_LEVEL, NMS_BETWEEN_STAGES = 0.5, 0.7


class MTCNN(Detector):
    """The cascade.

    Args:
        device: where it runs.
        threads: CPU threads; torch has one number for the whole process.
        **settings: as for :class:`Detector`. ``min_face`` also sets where the pyramid of image sizes
            begins: the smaller, the slower.

    Raises:
        WeightsError: the package ``mtcnn``, which carries the weights, is missing or changed.
    """

    def __init__(self, device: Device, threads: int, **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        self._device = device
        self._propose, self._refine, self._finish = (
            stage.to(device) for stage in (proposal_network(), refine_network(), output_network())
        )
        if device == "cpu":
            torch.set_num_threads(threads)

    def _detect(self, bgr: Image, min_face: float) -> Detections:
        small, back = shrink(bgr, self.max_side)
        boxes = self._proposals(small, min_face / max(back))
        boxes = self._refined(small, boxes)
        found = self._finished(small, boxes)
        return select(enlarge(found, back), nms=self.nms, min_face=min_face)

    def _proposals(self, bgr: Image, min_face: float) -> FloatArray:
        """Boxes ``(n, 4)`` that P-Net sees in a pyramid of ever smaller images."""
        boxes, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        scale = WINDOW / max(min_face, WINDOW)
        while min(bgr.shape[:2]) * scale >= WINDOW:
            level = self._proposals_at(bgr, scale)
            kept = suppress(*level, NMS_WITHIN_LEVEL)
            boxes.append(level[0][kept])
            scores.append(level[1][kept])
            scale *= PYRAMID_STEP
        together, votes = np.concatenate(boxes), np.concatenate(scores)
        return together[suppress(together, votes, NMS_BETWEEN_STAGES)][:MAX_CANDIDATES]

    def _proposals_at(self, bgr: Image, scale: float) -> tuple[FloatArray, FloatArray]:
        """Boxes and scores that P-Net sees in the image of one scale, in pixels of the unscaled image."""
        height, width = (max(WINDOW, round(side * scale)) for side in bgr.shape[:2])
        image = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
        offsets, classes = self._run(self._propose, np.asarray(image, np.uint8)[None])
        rows, columns = np.nonzero(classes[0, 1] > PROPOSAL_SCORE)
        corner = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
        windows = np.hstack([corner, corner + WINDOW])
        boxes = windows + offsets[0][:, rows, columns].T * WINDOW
        factors = np.array([bgr.shape[1] / width, bgr.shape[0] / height] * 2, np.float32)
        return (boxes * factors).astype(np.float32), classes[0, 1, rows, columns]

    def _refined(self, bgr: Image, boxes: FloatArray) -> FloatArray:
        """What R-Net leaves of the boxes, corrected."""
        squares = squared(boxes)
        offsets, classes = self._run(self._refine, patches(bgr, squares, 24))
        likely = classes[:, 1] > REFINE_SCORE
        refined = corrected(squares[likely], offsets[likely])
        return refined[suppress(refined, classes[likely, 1], NMS_BETWEEN_STAGES)]

    def _finished(self, bgr: Image, boxes: FloatArray) -> Detections:
        """Faces that O-Net makes of the boxes."""
        squares = squared(boxes)
        offsets, points, classes = self._run(self._finish, patches(bgr, squares, 48))
        sure = classes[:, 1] > self.score
        squares, scores = squares[sure], classes[sure, 1]
        finished = corrected(squares, offsets[sure])
        sides = squares[:, None, 2:] - squares[:, None, :2]
        keypoints = squares[:, None, :2] + points[sure].reshape(-1, 2, 5).transpose(0, 2, 1) * sides
        kept = suppress(finished, scores, NMS_BETWEEN_STAGES, of_smaller=True)
        return Detections(finished[kept], scores[kept], keypoints[kept].astype(np.float32))

    def _run(self, network: Stage, images: Image) -> list[FloatArray]:
        """Outputs of a network for BGR uint8 ``(n, h, w, 3)``."""
        with torch.inference_mode():
            outputs: list[Tensor] = network(to_input(images, self._device))
        return [output.cpu().numpy() for output in outputs]


def to_input(images: Image, device: Device = "cpu") -> Tensor:
    """BGR uint8 ``(n, h, w, 3)`` to the networks' RGB float ``(n, 3, h, w)`` in -1..1."""
    rgb = torch.from_numpy(np.ascontiguousarray(images[..., ::-1])).to(device)
    return (rgb.permute(0, 3, 1, 2).float() - 127.5) / 128  # stays channels-last, twice as fast here


def squared(boxes: FloatArray) -> FloatArray:
    """Squares ``(n, 4)`` around the same middles with the boxes' longer sides."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.hstack([middle - half, middle + half])


def corrected(boxes: FloatArray, offsets: FloatArray) -> FloatArray:
    """Boxes ``(n, 4)`` moved by offsets ``(n, 4)`` in parts of their sides."""
    return boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2)


def patches(bgr: Image, boxes: FloatArray, side: int) -> Image:
    """Cut the boxes out and resize them; beyond the image is the middle grey.

    Returns:
        BGR uint8 ``(n, side, side, 3)``.
    """
    cut = np.full((len(boxes), side, side, 3), 127, np.uint8)
    height, width = bgr.shape[:2]
    for patch, (x1, y1, x2, y2) in zip(cut, np.rint(boxes).astype(int), strict=True):
        left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
        if right <= left or bottom <= top:
            continue
        window = cv2.copyMakeBorder(
            bgr[top:bottom, left:right],
            *(top - y1, y2 - bottom, left - x1, x2 - right),
            cv2.BORDER_CONSTANT,
            value=(127, 127, 127),
        )
        patch[:] = cv2.resize(window, (side, side), interpolation=cv2.INTER_AREA)
    return cut
