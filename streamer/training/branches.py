"""Parallel branches while training, one convolution afterwards (RepVGG, Ding et al., CVPR 2021; MobileOne, CVPR 2023).

A small network learns better when each convolution is the sum of several, every one with a BatchNorm of its own, and
of the input itself where shapes allow. All of it is linear, so it folds into the one convolution and BatchNorm the
architecture has: names, shapes and speed of what ships are unchanged.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Branches(nn.Module):
    """The sum of a convolution with its BatchNorm and of further ones that begin silent.

    Args:
        conv: without bias; kept as the first branch.
        norm: the BatchNorm that follows it.
        count: convolutions in all.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, count: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList([conv, *(copy.deepcopy(conv) for _ in range(count - 1))])
        self.norms = nn.ModuleList([norm, *(nn.BatchNorm2d(norm.num_features) for _ in range(count - 1))])
        same = conv.stride == (1, 1) and conv.in_channels == conv.out_channels
        self.skip = nn.BatchNorm2d(norm.num_features) if same and _keeps_size(conv) else None
        self.seen = nn.BatchNorm2d(norm.num_features, affine=False)
        for extra in self.convs[1:]:
            nn.init.kaiming_normal_(_weight(extra), mode="fan_out", nonlinearity="relu")
        for silent in [*self.norms[1:], *([] if self.skip is None else [self.skip])]:
            nn.init.zeros_(_weight(silent))

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution and its BatchNorm."""
        y = sum(norm(conv(x)) for conv, norm in zip(self.convs, self.norms, strict=True))
        if self.skip is not None:
            y = y + self.skip(x)
        assert isinstance(y, Tensor)
        if self.training:
            with torch.no_grad():
                self.seen(y.detach())
        return y

    @torch.no_grad()
    def fold(self) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """One convolution and BatchNorm that compute the same in evaluation mode.

        The BatchNorm's statistics are those of what the convolution puts out, so that training can go on from it.
        """
        conv: Any = copy.deepcopy(self.convs[0])
        norm: Any = copy.deepcopy(self.norms[0])
        kernels = [_weight(branch) for branch in self.convs]
        norms: list[Any] = list(self.norms)
        if self.skip is not None:
            kernels.append(nn.init.dirac_(torch.empty_like(kernels[0]), conv.groups))
            norms.append(self.skip)
        gains = [one.weight / (one.running_var + one.eps).sqrt() for one in norms]
        kernel = sum(kernel * gain.view(-1, 1, 1, 1) for kernel, gain in zip(kernels, gains, strict=True))
        bias = sum(one.bias - one.running_mean * gain for one, gain in zip(norms, gains, strict=True))
        seen: Any = self.seen
        spread = (seen.running_var + norm.eps).sqrt()
        conv.weight.copy_(kernel)
        norm.running_mean.copy_(seen.running_mean - bias)
        norm.running_var.copy_(seen.running_var)
        norm.weight.copy_(spread)
        norm.bias.copy_(seen.running_mean)
        return conv, norm


def _weight(module: nn.Module) -> Tensor:
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight


def _keeps_size(conv: nn.Conv2d) -> bool:
    return conv.padding == tuple(side // 2 for side in conv.kernel_size)


def branched(network: Network, count: int) -> Network:
    """Replace each convolution that a BatchNorm follows by branches, in place.

    Args:
        network: its ``nn.Sequential`` containers are searched.
        count: convolutions a branch has; 1 leaves the network as it is.

    Returns:
        The network.
    """
    if count == 1:
        return network
    for chain in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        names = list(chain._modules)
        for name, after in itertools.pairwise(names):
            conv, norm = chain._modules[name], chain._modules[after]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                chain._modules[name] = Branches(conv, norm, count)
                chain._modules[after] = nn.Identity()
    return network


def folded(network: Network) -> Network:
    """A copy without branches, on the same device; it computes the same in evaluation mode."""
    plain = copy.deepcopy(network)
    for chain in [module for module in plain.modules() if isinstance(module, nn.Sequential)]:
        names = list(chain._modules)
        for name, after in itertools.pairwise(names):
            part = chain._modules[name]
            if isinstance(part, Branches):
                chain._modules[name], chain._modules[after] = part.fold()
    return plain
