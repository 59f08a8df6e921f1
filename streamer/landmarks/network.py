"""The 106-point landmark and pose network, with the published checkpoint's names.

266,427 parameters, 7.46 MFLOPs at 96x96. Source: the model card "face 2D keypoints, 106 points" and the names
of its state dict (``backbone.conv1.conv.0`` …), from which both heads follow. This module is the only one of
the landmark room that needs torch: training, export and CUDA use it, a default CPU run does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from streamer.landmarks.topology import MEAN_FACE, POINTS
from streamer.runtime.states import load_state

CROP: Final = 96
"""Side of the square crop in pixels."""

BGR_MEAN: Final = (0.4076, 0.458, 0.485)
"""Subtracted from BGR / 255."""

PARAMETERS: Final = 266_427
"""Learnable parameters, as the model card states."""

_SEPARABLE: Final = (
    (3, 12, 2, 0),
    (12, 12, 1, 0),
    (12, 12, 1, 1),
    (12, 12, 1, 0),
    (12, 24, 2, 0),
    (24, 24, 1, 0),
    (24, 24, 1, 1),
    (24, 24, 1, 1),
)
_INVERTED: Final = (
    (24, 48, 2, 0),
    (48, 48, 1, 0),
    (48, 48, 1, 1),
    (48, 48, 1, 1),
    (48, 48, 1, 1),
    (48, 48, 2, 0),
)


class Separable(nn.Module):
    """Depthwise 3x3 and pointwise 1x1 convolution, each with BatchNorm and ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, stride, padding, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inputs, h, w)`` to ``(n, outputs, h', w')``."""
        return self.conv(x)  # type: ignore[no-any-return]


class Inverted(nn.Module):
    """Inverted bottleneck of expansion 2: widen, depthwise 3x3, project; no shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, padding: int) -> None:
        super().__init__()
        wide = inputs * 2
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.PReLU(wide),
            nn.Conv2d(wide, wide, 3, stride, padding, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inputs, h, w)`` to ``(n, outputs, h', w')``."""
        return self.conv(x)  # type: ignore[no-any-return]


class Features(NamedTuple):
    """What the backbone saw at three depths; the presence head reads all of them.

    Attributes:
        fine: ``(n, 24, 19, 19)`` after block 8.
        middle: ``(n, 48, 7, 7)`` after block 13.
        last: ``(n, 48, 3, 3)`` after block 14, the input of both heads.
    """

    fine: Tensor
    middle: Tensor
    last: Tensor


class Backbone(nn.Module):
    """Eight separable and six inverted blocks: 3x96x96 to 48x3x3."""

    def __init__(self) -> None:
        super().__init__()
        for number, (inputs, outputs, stride, padding) in enumerate(_SEPARABLE, start=1):
            self.add_module(f"conv{number}", Separable(inputs, outputs, stride, padding))
        for number, (inputs, outputs, stride, padding) in enumerate(_INVERTED, start=len(_SEPARABLE) + 1):
            self.add_module(f"conv{number}", Inverted(inputs, outputs, stride, padding))

    def forward(self, x: Tensor) -> Features:
        """Normalised BGR ``(n, 3, 96, 96)`` to features."""
        blocks = list(self.children())
        for block in blocks[:8]:
            x = block(x)
        fine = x
        for block in blocks[8:13]:
            x = block(x)
        return Features(fine, x, blocks[13](x))


class Flatten(nn.Module):
    """``(n, c, h, w)`` to ``(n, c*h*w, 1, 1)``: the published heads go on with 1x1 convolutions."""

    def forward(self, x: Tensor) -> Tensor:
        """Channel-major order, as ``Tensor.flatten`` gives it for NCHW."""
        return x.flatten(1)[:, :, None, None]


class Head(nn.Module):
    """One inverted block, flatten, two hidden layers and an output layer, all with BatchNorm."""

    def __init__(self, width: int, hidden: int, outputs: int) -> None:
        super().__init__()

        def layer(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]

        self.branches = nn.ModuleList(
            [
                nn.Sequential(
                    Inverted(48, width, 1, 1),
                    Flatten(),
                    nn.Sequential(*layer(width * 9, hidden), nn.PReLU(hidden)),
                    nn.Sequential(*layer(hidden, hidden), nn.PReLU(hidden)),
                    nn.Sequential(*layer(hidden, outputs)),
                )
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, 48, 3, 3)`` to ``(n, outputs)``."""
        return self.branches[0](x).flatten(1)  # type: ignore[no-any-return]


class LandmarkNetwork(nn.Module):
    """Backbone, keypoint head and pose head.

    The mean face is a buffer outside the state dict, so the state dict is the published one, name by name.
    """

    mean_face: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.keypoint_head = Head(width=96, hidden=128, outputs=2 * POINTS)
        self.pose_head = Head(width=48, hidden=48, outputs=3)
        mean = torch.from_numpy(np.array(MEAN_FACE)).flatten()
        self.register_buffer("mean_face", mean, persistent=False)

    def heads(self, last: Tensor) -> tuple[Tensor, Tensor]:
        """Landmarks and pose from the last features; see :meth:`forward`."""
        points = self.keypoint_head(last) * 0.5 + self.mean_face
        return points.view(-1, POINTS, 2), self.pose_head(last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Find the points and the pose of one face per crop.

        Args:
            x: ``(n, 3, 96, 96)`` BGR / 255 minus :data:`BGR_MEAN` (see :func:`normalise`).

        Returns:
            landmarks ``(n, 106, 2)`` in the unit square of the crop (times 96: pixels), and pose ``(n, 3)``:
            pitch, roll, yaw in radians of the crop.
        """
        return self.heads(self.backbone(x).last)


def normalise(crops: Tensor) -> Tensor:
    """BGR crops in 0..255 to what the network takes.

    Args:
        crops: ``(n, 3, 96, 96)``, uint8 or float.

    Returns:
        float32 of the same shape.
    """
    mean = torch.tensor(BGR_MEAN, device=crops.device).view(3, 1, 1)
    return crops.float() / 255.0 - mean


def load_network(path: Path) -> LandmarkNetwork:
    """The network with the weights of a file, in evaluation mode on the CPU.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    network = LandmarkNetwork()
    load_state(network, path)
    return network.eval()
