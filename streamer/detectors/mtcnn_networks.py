"""MTCNN's three networks (Zhang et al., 2016) and the weights of the package ``mtcnn`` in torch's layout.

All take RGB ``(x - 127.5) / 128`` and end in heads: box corrections in parts of the window's side, for the
last network keypoints, and the two classes no face / face.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from streamer.runtime.weights import mtcnn_arrays


class ColumnsFirst(nn.Module):
    """Flattens ``(n, c, h, w)`` column by column, channels last: the order the weights were trained in."""

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, w h c)``."""
        return x.permute(0, 3, 2, 1).flatten(1)


class Stage(nn.Module):
    """One network: a trunk, then heads side by side of which the last one tells the classes."""

    def __init__(self, trunk: Iterable[nn.Module], heads: Iterable[nn.Module]) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*trunk)
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Outputs of the heads, channels in dimension 1, the classes softmaxed."""
        features = self.trunk(x)
        outputs = [head(features) for head in self.heads]
        return [*outputs[:-1], outputs[-1].softmax(dim=1)]


def proposal_network() -> Stage:
    """P-Net, fully convolutional: ``(n, 3, h, w)`` to boxes and classes on a grid of stride 2, windows of 12."""
    trunk = [*_block(3, 10), _pool(2), *_block(10, 16), *_block(16, 32)]
    return _load(Stage(trunk, [nn.Conv2d(32, 4, 1), nn.Conv2d(32, 2, 1)]), "pnet")


def refine_network() -> Stage:
    """R-Net: ``(n, 3, 24, 24)`` to boxes ``(n, 4)`` and classes ``(n, 2)``."""
    trunk = [*_block(3, 28), _pool(3), *_block(28, 48), nn.MaxPool2d(3, 2), *_block(48, 64, kernel=2)]
    dense = [ColumnsFirst(), nn.Linear(576, 128), nn.PReLU(128)]
    return _load(Stage([*trunk, *dense], [nn.Linear(128, 4), nn.Linear(128, 2)]), "rnet")


def output_network() -> Stage:
    """O-Net: ``(n, 3, 48, 48)`` to boxes ``(n, 4)``, keypoints ``(n, 10)`` (five x, five y), classes ``(n, 2)``."""
    trunk = [*_block(3, 32), _pool(3), *_block(32, 64), nn.MaxPool2d(3, 2), *_block(64, 64), _pool(2)]
    dense = [*_block(64, 128, kernel=2), ColumnsFirst(), nn.Linear(1152, 256), nn.PReLU(256)]
    heads = [nn.Linear(256, 4), nn.Linear(256, 10), nn.Linear(256, 2)]
    return _load(Stage([*trunk, *dense], heads), "onet")


def _block(inputs: int, outputs: int, kernel: int = 3) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel), nn.PReLU(outputs)]


def _pool(kernel: int) -> nn.Module:
    """Max pooling by 2 that keeps a last odd row or column, as Keras' "same" padding does."""
    return nn.MaxPool2d(kernel, 2, ceil_mode=True)


def _load(network: Stage, stage: str) -> Stage:
    """Fill a network with the package's arrays, which follow the order of its layers."""
    arrays = iter(mtcnn_arrays(stage))
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear | nn.PReLU):
                layer.weight.copy_(_to_torch(next(arrays), layer))
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.bias.copy_(torch.from_numpy(next(arrays)))  # type: ignore[union-attr]
    return network.eval()


def _to_torch(array: NDArray[np.float32], layer: nn.Module) -> Tensor:
    tensor = torch.from_numpy(array)
    if isinstance(layer, nn.Conv2d):
        return tensor.permute(3, 2, 0, 1)
    return tensor.T if isinstance(layer, nn.Linear) else tensor.flatten()
