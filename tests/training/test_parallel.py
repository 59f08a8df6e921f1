"""A step shared out among threads is the step of one; memory of a step is kept for the next."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from streamer.training.parallel import Shares


def two_outputs(network: nn.Module, pictures: Tensor) -> tuple[Tensor, Tensor]:
    found = network(pictures)
    return found, found.square().sum(1)


@pytest.mark.parametrize(("threads", "pictures"), [(1, 4), (2, 4), (2, 5), (3, 7), (3, 1), (4, 5)])
def test_shares_give_the_gradients_of_the_whole(threads: int, pictures: int) -> None:
    torch.manual_seed(0)
    whole = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)).double()
    network = copy.deepcopy(whole)
    shares = Shares(network, threads, two_outputs)
    for _ in range(2):  # the second backward must not add to the first
        seen = torch.randn(pictures, 3, 8, 8, dtype=torch.float64)
        found, squares = two_outputs(whole, seen)
        loss = found.abs().sum() * squares.mean()  # of all rows at once, as a loss's norm is
        whole.zero_grad()
        loss.backward()
        shared, others = shares.forward(seen)
        shares.backward(shared.abs().sum() * others.mean())
        assert torch.allclose(shared, found)
        for mine, theirs in zip(network.parameters(), whole.parameters(), strict=True):
            assert torch.allclose(mine.grad, theirs.grad)  # type: ignore[arg-type]
        for model in (network, whole):  # all copies follow their network's optimizer
            torch.optim.SGD(model.parameters(), lr=0.01).step()


FAULTS = """
import resource, sys, torch
from streamer.runtime.memory import keep_training_memory
if sys.argv[1] == "kept":
    keep_training_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    return float(sum(torch.ones(1 << 23).sum() for _ in range(2)))
step(); step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""


def test_memory_of_a_step_is_kept_for_the_next() -> None:
    """Pages that the system has to clear for ten steps, with and without."""
    kept, fresh = (
        int(subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, check=True, text=True).stdout)
        for way in ("kept", "fresh")
    )
    assert kept < 0.1 * fresh
