"""The presence head: does this crop hold a well-framed face?

The landmark network always answers with 106 points, whatever it is shown. This head reads what the frozen
backbone saw at three depths and the points it gave, and returns one logit. It is a network of its own with its
own file, so published landmark checkpoints still load strictly; it fits only the backbone it was trained on.
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

FINE: Final = (24, 19, 19)
MIDDLE: Final = (48, 7, 7)
"""Shapes of the fine and the middle features, which the head reads as pictures."""

FLAT: Final = 48 * 9 + 2 * POINTS
"""The last 48x3x3 features, and the points' distance from the mean face."""

INPUTS: Final = math.prod(FINE) + math.prod(MIDDLE) + FLAT
"""Numbers the head reads of a crop: fine, middle, flat."""

_WIDTHS: Final = (32, 48, 48)
_HIDDEN: Final = (64, 24)
_DROPPED: Final = 0.2


def presence_inputs(features: Features, landmarks: Tensor, mean_face: Tensor) -> Tensor:
    """Gather what the head looks at.

    Args:
        features: of the backbone.
        landmarks: ``(n, 106, 2)`` in the unit square of the crop.
        mean_face: ``(212,)``.

    Returns:
        ``(n, INPUTS)``.
    """
    parts = features.fine, features.middle, features.last, landmarks - mean_face.view(POINTS, 2)
    return torch.cat([part.flatten(1) for part in parts], dim=1)


class PresenceHead(nn.Module):
    """Two convolutions take the fine features to the middle ones' size, a third reads both, three layers decide.

    0.12 M parameters, 1.2 M multiplications. Inputs are standardised first, each channel and each flat number by
    itself.
    """

    def __init__(self) -> None:
        super().__init__()
        coarse, joined, last = _WIDTHS
        wide, narrow = _HIDDEN
        self.fine_norm = nn.BatchNorm2d(FINE[0], affine=False)
        self.middle_norm = nn.BatchNorm2d(MIDDLE[0], affine=False)
        self.flat_norm = nn.BatchNorm1d(FLAT, affine=False)
        self.fine = nn.Sequential(*_convolution(FINE[0], coarse, 2), *_convolution(coarse, joined, 1))
        self.spatial = nn.Sequential(*_convolution(joined + MIDDLE[0], last, 2))
        self.layers = nn.Sequential(
            nn.Dropout(_DROPPED),
            nn.Linear(last * 9 + FLAT, wide),
            nn.ReLU(),
            nn.Linear(wide, narrow),
            nn.ReLU(),
            nn.Linear(narrow, 1),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """``(n, INPUTS)`` to logits ``(n,)``; the sigmoid is the probability of a well-framed face."""
        fine, middle, flat = torch.split(inputs, [math.prod(FINE), math.prod(MIDDLE), FLAT], dim=1)
        fine = self.fine(self.fine_norm(fine.reshape(-1, *FINE)))
        both = torch.cat([fine, self.middle_norm(middle.reshape(-1, *MIDDLE))], dim=1)
        spatial = self.spatial(both).flatten(1)
        return self.layers(torch.cat([spatial, self.flat_norm(flat)], dim=1)).flatten()  # type: ignore[no-any-return]


def _convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """3x3 without padding, BatchNorm, ReLU."""
    return [nn.Conv2d(inputs, outputs, 3, stride, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def load_presence(path: Path) -> PresenceHead:
    """The head with the weights of a file, in evaluation mode on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    head = PresenceHead()
    load_state(head, path)
    return head.eval()
