"""Losses of SCRFD (Guo et al., ICLR 2022): quality focal, DIoU and smooth L1, with the teacher's confidence.

An anchor of a face is to say confidence × IoU of its box with the face's: the quality focal loss (Li et al.,
NeurIPS 2020). Annotated faces have confidence 1; where the teacher alone gave the anchor to the face, it is the
teacher's score. Multiplying by the IoU keeps the two kinds comparable: else anchors at a face's rim, of which
RetinaFace is as sure as of its middle, would beat those with the better box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from streamer.detectors.tinymog_network import Level

BOX_WEIGHT: Final = 2.0
KEYPOINT_WEIGHT: Final = 0.1
_FOCUS: Final = 2.0
_SMOOTH: Final = 1 / 9
_LEAST_WEIGHT: Final = 0.05
"""Of a box's loss: an anchor that is not sure of its face yet must learn its box all the same."""


class Targets(NamedTuple):
    """What a batch is to say; boxes and keypoints in pixels.

    Attributes:
        counted: ``(n, a)`` bool: anchors whose score is part of the loss.
        anchors: ``(p,)`` anchors with a face, in the flattened ``(n · a)``.
        confidence: ``(p,)``.
        boxes: ``(p, 4)`` xyxy.
        keypoints: ``(p, 5, 2)``, NaN where unknown.
    """

    counted: Tensor
    anchors: Tensor
    confidence: Tensor
    boxes: Tensor
    keypoints: Tensor


class Losses(NamedTuple):
    """The weighted sum and its parts; ``soft`` is what ``score`` owes to the teacher's anchors."""

    total: Tensor
    score: Tensor
    box: Tensor
    keypoints: Tensor
    soft: Tensor


def detection_loss(levels: Sequence[Level], centres: Tensor, strides: Tensor, targets: Targets) -> Losses:
    """The loss of a batch.

    Args:
        levels: the network's output.
        centres: ``(a, 2)`` of the anchors, pixels.
        strides: ``(a,)`` of the anchors.
        targets: see :class:`Targets`.
    """
    logits, distances, offsets = (torch.cat(parts, 1) for parts in zip(*levels, strict=True))
    chosen = targets.anchors
    anchor = chosen % len(strides)
    stride = strides[anchor, None]
    reach = distances.flatten(0, 1)[chosen] * stride
    boxes = torch.cat([centres[anchor] - reach[:, :2], centres[anchor] + reach[:, 2:]], 1)
    iou, distance = diou(boxes, targets.boxes)
    goal = torch.zeros_like(logits).flatten()
    goal[chosen] = targets.confidence * iou.detach().clamp(0, 1)
    sure = logits.detach().flatten()[chosen].sigmoid().clamp(min=_LEAST_WEIGHT)
    parts = quality_focal(logits.flatten(), goal) * targets.counted.flatten()
    norm = targets.confidence.sum().clamp(min=1)
    score = parts.sum() / norm
    soft = parts.detach()[chosen[targets.confidence < 1]].sum() / norm
    box = ((1 - distance) * sure).sum() / sure.sum().clamp(min=1)
    points = _keypoint_loss(
        offsets.flatten(0, 1)[chosen], (targets.keypoints - centres[anchor, None]) / stride[:, None], sure
    )
    return Losses(score + BOX_WEIGHT * box + KEYPOINT_WEIGHT * points, score, box, points, soft)


def quality_focal(logits: Tensor, goal: Tensor) -> Tensor:
    """Quality focal loss of each anchor: ``|σ − goal|² · BCE``, same shape."""
    return (logits.sigmoid() - goal).abs() ** _FOCUS * functional.binary_cross_entropy_with_logits(
        logits, goal, reduction="none"
    )


def diou(boxes: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and distance-IoU (Zheng et al., AAAI 2020) of paired xyxy boxes ``(p, 4)``, each ``(p,)``."""
    common = (torch.minimum(boxes[:, 2:], goal[:, 2:]) - torch.maximum(boxes[:, :2], goal[:, :2])).clamp(min=0)
    shared = common.prod(1)
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1) + (goal[:, 2:] - goal[:, :2]).prod(1)
    iou = shared / (area - shared).clamp(min=1e-6)
    hull = torch.maximum(boxes[:, 2:], goal[:, 2:]) - torch.minimum(boxes[:, :2], goal[:, :2])
    apart = (boxes[:, :2] + boxes[:, 2:] - goal[:, :2] - goal[:, 2:]) / 2
    return iou, iou - apart.square().sum(1) / hull.square().sum(1).clamp(min=1e-6)


def _keypoint_loss(found: Tensor, goal: Tensor, weight: Tensor) -> Tensor:
    """Smooth L1, summed over ten numbers as published, weighted mean over the anchors that have keypoints."""
    known = goal.isfinite().flatten(1).all(1)
    loss = functional.smooth_l1_loss(
        found, torch.where(known[:, None, None], goal, found.detach()), reduction="none", beta=_SMOOTH
    )
    weight = weight * known
    return (loss.flatten(1).sum(1) * weight).sum() / weight.sum().clamp(min=1)
