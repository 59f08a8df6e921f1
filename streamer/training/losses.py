"""What the 106-point network is trained to minimise.

Points: Wing loss (Feng et al., CVPR 2018), weighted by part of the face and by how far the head is turned, as the
published model is trained. Pose: smooth L1 in degrees. Steadiness: two crops of the same face, a few percent
apart, must put the points at the same place of the picture; flicker in video is what is left of it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from streamer.landmarks.network import CROP
from streamer.landmarks.topology import GROUPS, POINTS

WING_WIDTH: Final = 10.0
"""ω: error in crop pixels up to which the loss is logarithmic."""

WING_CURVATURE: Final = 2.0
"""ε: crop pixels."""

_PART_WEIGHTS: Final = {"jaw": 1.5, "brow": 1.5, "nose": 1.3, "eye": 1.7, "lip": 1.7, "pupils": 1.7}
_STEADY_BETA: Final = 0.25


class Weights(NamedTuple):
    """How much each term counts beside the points.

    Attributes:
        pose: per degree of smooth L1.
        steady: per crop pixel of disagreement.
    """

    pose: float = 0.08
    steady: float = 3.0


class Losses(NamedTuple):
    """The terms of one batch, unweighted, and their weighted sum."""

    total: Tensor
    points: Tensor
    pose: Tensor
    steady: Tensor


def part_weights() -> Tensor:
    """``(106,)`` weight of each point by the part it belongs to."""
    weights = torch.ones(POINTS)
    for name, part in GROUPS.items():
        weights[part] = next(weight for start, weight in _PART_WEIGHTS.items() if name.startswith(start))
    return weights


def pose_weights(pose: Tensor) -> Tensor:
    """Turned heads count more: mean over the angles of 5·(1 − cos) + 1; 1 where the pose is unknown.

    Args:
        pose: ``(n, 3)`` degrees, NaN where not labelled.

    Returns:
        ``(n,)``.
    """
    return (5 * (1 - torch.cos(torch.deg2rad(pose.nan_to_num()))) + 1).mean(dim=1)


def wing(error: Tensor) -> Tensor:
    """Wing loss of errors in crop pixels, element by element."""
    size = error.abs()
    offset = WING_WIDTH - WING_WIDTH * torch.log1p(torch.tensor(WING_WIDTH / WING_CURVATURE))
    return torch.where(size < WING_WIDTH, WING_WIDTH * torch.log1p(size / WING_CURVATURE), size - offset)


def point_loss(predicted: Tensor, wanted: Tensor, labelled: Tensor, pose: Tensor) -> Tensor:
    """Weighted Wing loss over labelled points.

    Args:
        predicted: ``(n, 106, 2)`` in the unit square of the crop.
        wanted: the same, NaN-free.
        labelled: ``(n, 106)`` 1 where the label is there, else 0.
        pose: ``(n, 3)`` degrees, NaN where not labelled.
    """
    weights = labelled * part_weights().to(labelled.device) * pose_weights(pose)[:, None]
    per_point = wing((predicted - wanted) * CROP).sum(dim=2)
    return (per_point * weights).sum() / labelled.sum().clamp(min=1)


def pose_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Smooth L1 in degrees, summed over the angles, over faces whose pose is labelled.

    Args:
        predicted: ``(n, 3)`` radians, as the network gives them.
        wanted: ``(n, 3)`` degrees, NaN where not labelled.
    """
    known = torch.isfinite(wanted)
    error = torch.where(known, torch.rad2deg(predicted) - wanted.nan_to_num(), 0.0)
    return smooth_l1_loss(error, torch.zeros_like(error), reduction="sum") / known.any(dim=1).sum().clamp(min=1)


def steadiness_loss(first: Tensor, second: Tensor, between: Tensor) -> Tensor:
    """Disagreement in crop pixels between two views of the same faces.

    Args:
        first: ``(p, 106, 2)`` points of the first views, unit square.
        second: the same of the second views.
        between: ``(p, 2, 3)`` maps from crop pixels of the second views to those of the first.
    """
    carried = torch.einsum("pij,pkj->pki", between[:, :, :2], second * CROP) + between[:, None, :, 2]
    return smooth_l1_loss(first * CROP, carried, beta=_STEADY_BETA) * 2
