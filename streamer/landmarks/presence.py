"""The presence head: does this crop hold a well-framed face?

The landmark network always answers with 106 points, whatever it is shown. This head reads what the frozen
backbone saw and the points it gave, and returns one logit. It is a network of its own with its own file, so
published landmark checkpoints still load strictly; it fits only the backbone it was trained on.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from streamer.landmarks.network import Features
from streamer.landmarks.topology import POINTS
from streamer.runtime.states import load_state

MIDDLE: Final = (48, 7, 7)
"""Shape of the middle features, which the head reads as a picture."""

POOLED: Final = 24 * 2
"""Fine features, their mean and maximum over the crop."""

FLAT: Final = POOLED + 48 * 9 + 2 * POINTS
"""Pooled fine features, the last 48x3x3, and the points' distance from the mean face."""

INPUTS: Final = math.prod(MIDDLE) + FLAT
"""Numbers the head reads of a crop: the middle features, then the flat ones."""

_SPREAD: Final = 32
_HIDDEN: Final = (64, 24)


def presence_inputs(features: Features, landmarks: Tensor, mean_face: Tensor) -> Tensor:
    """Gather what the head looks at.

    Args:
        features: of the backbone.
        landmarks: ``(n, 106, 2)`` in the unit square of the crop.
        mean_face: ``(212,)``.

    Returns:
        ``(n, INPUTS)``.
    """
    return torch.cat(
        [
            features.middle.flatten(1),
            features.fine.mean(dim=(2, 3)),
            features.fine.amax(dim=(2, 3)),
            features.last.flatten(1),
            landmarks.flatten(1) - mean_face,
        ],
        dim=1,
    )


class PresenceHead(nn.Module):
    """A convolution over the middle features; beside the flat ones, two hidden layers and one logit.

    0.08 M parameters. Inputs are standardised first, each channel and each flat number by itself.
    """

    def __init__(self) -> None:
        super().__init__()
        wide, narrow = _HIDDEN
        self.spatial = nn.Sequential(
            nn.BatchNorm2d(MIDDLE[0], affine=False), nn.Conv2d(MIDDLE[0], _SPREAD, 3, stride=2), nn.ReLU()
        )
        self.flat = nn.BatchNorm1d(FLAT, affine=False)
        self.layers = nn.Sequential(
            nn.Linear(_SPREAD * 9 + FLAT, wide),
            nn.ReLU(),
            nn.Linear(wide, narrow),
            nn.ReLU(),
            nn.Linear(narrow, 1),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """``(n, INPUTS)`` to logits ``(n,)``; the sigmoid is the probability of a well-framed face."""
        middle, flat = inputs[:, :-FLAT], inputs[:, -FLAT:]
        spatial = self.spatial(middle.view(-1, *MIDDLE)).flatten(1)
        return self.layers(torch.cat([spatial, self.flat(flat)], dim=1)).flatten()  # type: ignore[no-any-return]


def load_presence(path: Path) -> PresenceHead:
    """The head with the weights of a file, in evaluation mode on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    head = PresenceHead()
    load_state(head, path)
    return head.eval()
