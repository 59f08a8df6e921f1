"""How well a presence head tells faces from others, and where its threshold goes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from streamer.landmarks.presence import PresenceHead
from streamer.training.presence.examples import SURE, About

FALSE_ACCEPTS: Final = 0.01
"""Share of non-faces the decision at 0.5 lets through, on images kept out of training."""

_SMALL: Final = 40.0
"""Faces with smaller crops, in pixels, are reported by themselves."""


def calibrate(head: PresenceHead, logits: Tensor, labels: Tensor) -> float:
    """Shift the logit so that 0.5 lets :data:`FALSE_ACCEPTS` of the non-faces through.

    Args:
        head: changed in place.
        logits: ``(n,)`` of examples that were held out.
        labels: ``(n,)``.

    Returns:
        By how much the logits were lowered.
    """
    threshold = float(torch.quantile(logits[labels == 0], 1 - FALSE_ACCEPTS))
    final: nn.Linear = head.layers[-1]  # type: ignore[assignment]
    with torch.no_grad():
        final.bias.sub_(threshold)
    return threshold


def operating_points(logits: Tensor, labels: Tensor) -> list[dict[str, float]]:
    """Points of the ROC curve: at each share of false accepts, the share of faces missed."""
    faces, others = logits[labels == 1], logits[labels == 0]
    points = []
    for share in (0.001, 0.003, 0.01, 0.03, 0.1):
        threshold = torch.quantile(others, 1 - share)
        missed = (faces <= threshold).float().mean().item()
        points.append({"false_accepts": share, "threshold": threshold.sigmoid().item(), "missed": missed})
    return points


def measure(logits: Tensor, about: About) -> dict[str, Any]:
    """Figures of a calibrated head.

    Args:
        logits: ``(n,)`` of examples that were held out.
        about: what is known of them.

    Returns:
        ROC over everything, without the faces that the two detectors do not confirm, and of face crops alone; and the
        errors at 0.5 by source, sight, size, mask, and passes of the loop.
    """
    accepted, labels = logits.numpy() > 0, about.labels

    def roc(chosen: NDArray[np.bool_]) -> list[dict[str, float]]:
        rows = torch.from_numpy(chosen)
        return operating_points(logits[rows], torch.from_numpy(labels)[rows])

    def errors(chosen: NDArray[np.bool_]) -> dict[str, float]:
        face, other = chosen & labels, chosen & ~labels
        return {
            "faces": int(face.sum()),
            "missed": float((~accepted[face]).mean()) if face.any() else 0.0,
            "others": int(other.sum()),
            "false_accepts": float(accepted[other].mean()) if other.any() else 0.0,
        }

    everything, photographs = np.ones(len(labels), np.bool_), about.photographs
    sure = about.sight >= SURE
    confirmed = photographs & labels & sure
    groups = {
        "face crops": ~photographs,
        "photographs": photographs,
        "RetinaFace sees it": photographs & labels & (about.sight >= 1),
        "both see it": confirmed,
        "both see it, masked": confirmed & about.masked,
        "both see it, not masked": confirmed & ~about.masked,
        "both see it, small": confirmed & (about.sizes < _SMALL),
        "both see it, not small": confirmed & (about.sizes >= _SMALL),
    } | {f"after {count} passes": about.passes == count for count in sorted(set(about.passes.tolist()))}
    return {
        "roc": roc(everything),
        "roc_confirmed": roc(~labels | sure),
        "roc_face_crops": roc(~photographs),
        "at_one_half": {name: errors(chosen) for name, chosen in groups.items()},
    }
