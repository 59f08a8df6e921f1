"""Branches while training: silent at first, folded without a difference, and ready to be trained on."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from streamer.detectors.tinymog_network import TinyMogNetwork
from streamer.landmarks.network import LandmarkNetwork
from streamer.training.branches import Branches, branched, folded

Case = tuple[Callable[[], nn.Module], tuple[int, ...]]
CASES: dict[str, Case] = {
    "landmarks": (LandmarkNetwork, (4, 3, 96, 96)),
    "tinymog": (TinyMogNetwork, (2, 3, 64, 64)),
}


def outputs(network: nn.Module, x: Tensor) -> Tensor:
    """Everything the network says, flat."""
    with torch.no_grad():
        found = network(x)
    parts = [part for level in found for part in (level if isinstance(level, tuple) else (level,))]
    return torch.cat([part.flatten() for part in parts])


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, Tensor]:
    """A network whose BatchNorms have seen something, and pictures."""
    torch.manual_seed(0)
    make, shape = CASES[request.param]
    network, x = make(), torch.randn(shape)
    for _ in range(3):
        outputs(network.train(), x)
    return network.eval(), x


def test_branches_begin_silent_and_fold_back(case: tuple[nn.Module, Tensor]) -> None:
    network, x = case
    before = outputs(network, x)
    wide = branched(copy.deepcopy(network), 3).eval()
    assert any(isinstance(module, Branches) for module in wide.modules())
    assert torch.allclose(outputs(wide, x), before, atol=1e-4)


def test_what_was_learned_folds_without_a_difference(case: tuple[nn.Module, Tensor]) -> None:
    network, x = case
    wide = branched(copy.deepcopy(network), 3).train()
    optimizer = torch.optim.SGD(wide.parameters(), lr=1e-2)
    for _ in range(3):
        found = wide(x)
        part = found[0] if isinstance(found[0], Tensor) else found[0].scores
        loss = (part - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    wide.eval()
    plain = folded(wide)
    assert set(plain.state_dict()) == set(network.state_dict())
    wanted = outputs(wide, x)
    assert not torch.allclose(wanted, outputs(network, x), atol=1e-3)  # it did learn something
    assert torch.allclose(outputs(plain, x), wanted, atol=1e-3, rtol=1e-3)
    assert torch.allclose(outputs(folded(branched(plain, 2)), x), wanted, atol=1e-3, rtol=1e-3)


def test_one_branch_is_the_network_itself() -> None:
    assert not any(isinstance(module, Branches) for module in branched(LandmarkNetwork(), 1).modules())
