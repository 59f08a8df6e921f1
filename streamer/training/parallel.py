"""One training step on several processor threads: each takes a share of the batch through a copy of the network.

Two copies with a thread each do more than one network with two threads, for nothing waits at the end of every
operation. BatchNorm sees one share at a time, so a share must not be small.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

Outputs = tuple[Tensor, ...]


class Shares:
    """A network whose batches are shared out among threads.

    Args:
        network: all copies use its parameters; its BatchNorm statistics are those of the first share.
        threads: at least 1; on a GPU one does all.
        forward: outputs of a network for some pictures, a row a picture.
    """

    def __init__(self, network: nn.Module, threads: int, forward: Callable[[nn.Module, Tensor], Outputs]) -> None:
        if next(network.parameters()).is_cuda:
            threads = 1
        self._networks = [network, *(_copy(network) for _ in range(threads - 1))]
        self._forward = forward
        self._pool = ThreadPoolExecutor(threads, "training", initializer=torch.set_num_threads, initargs=(1,))
        self._parts: list[Outputs] = []
        self._outputs: Outputs = ()

    def forward(self, pictures: Tensor) -> Outputs:
        """Outputs for all pictures, to take the loss of; :meth:`backward` is to follow."""
        for network in self._networks:
            network.train()
        self._parts = list(self._pool.map(self._forward, self._networks, pictures.chunk(len(self._networks))))
        self._outputs = tuple(torch.cat(same).detach().requires_grad_() for same in zip(*self._parts, strict=True))
        return self._outputs

    def backward(self, loss: Tensor) -> None:
        """Gradients of the network's parameters, in place of those it had."""
        sizes = [len(part[0]) for part in self._parts]
        gradients = (part.split_with_sizes(sizes) for part in torch.autograd.grad(loss, self._outputs))
        for network in self._networks:
            network.zero_grad(set_to_none=True)
        list(self._pool.map(torch.autograd.backward, self._parts, zip(*gradients, strict=True)))
        first, *others = (_gradients(network) for network in self._networks[: len(self._parts)])
        for other in others:
            torch._foreach_add_(first, other)


def _gradients(network: nn.Module) -> list[Tensor]:
    return [value.grad for value in network.parameters() if value.grad is not None]


def _copy(network: nn.Module) -> nn.Module:
    """A copy with gradients and BatchNorm statistics of its own, and the same parameters."""
    twin = copy.deepcopy(network)
    for mine, theirs in zip(twin.parameters(), network.parameters(), strict=True):
        mine.data = theirs.data
    return twin
