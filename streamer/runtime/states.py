"""State dicts of torch networks in files: safetensors and torch checkpoints, read strictly and written small.

BatchNorm's ``num_batches_tracked`` counters are left out of our files: inference never reads them. They are filled in
with zeros where a file has none; everything else must fit name by name and shape by shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from streamer.runtime.weights import load_checkpoint, load_safetensors, load_strictly

_COUNTER = "num_batches_tracked"


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a state dict from safetensors or a torch checkpoint (see ``streamer.runtime.weights``).

    Raises:
        WeightsError: the file is missing, damaged or no state dict.
    """
    if path.suffix == ".safetensors":
        return {name: torch.from_numpy(array) for name, array in load_safetensors(path).items()}
    return load_checkpoint(path)


def fit(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load a state dict that must fit, counters aside.

    Args:
        network: changed in place.
        state: tensors by name.
        source: where they come from, for messages.

    Raises:
        WeightsError: names or shapes differ; lists what is missing and what is left over.
    """
    counters = {name: torch.zeros((), dtype=torch.long) for name in network.state_dict() if name.endswith(_COUNTER)}
    load_strictly(network, counters | dict(state), source)


def load_state(network: nn.Module, path: Path) -> None:
    """Load a file that must fit, counters aside.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    fit(network, read_tensors(path), str(path))


def save_state(network: nn.Module, path: Path, about: dict[str, str]) -> None:
    """Write a network's state dict as safetensors, without counters.

    Args:
        network: the network.
        path: where to; the folder must exist.
        about: free text stored in the file's header.
    """
    state = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith(_COUNTER)
    }
    save_file(state, path, metadata={"format": "pt"} | about)
