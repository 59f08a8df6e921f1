"""Untrained TinyMogs of several structures, for tests that need no weights."""

from __future__ import annotations

import torch
from torch import nn

from streamer.detectors.tinymog_network import TinyMogNetwork

SMALL = "conv4/2 | dw4/2 | dw4/2 | dw4/2 | dw4/2"
OTHERS = {
    "residual": "conv8/2 conv8 | res8/2*2 | res16/2*2 | res16/2 res24 | res24/2",
    "inverted": "conv8/2 inv8e1 | inv12e6/2*2 | inv16e6/2*2 | inv24e4/2 | inv24e4/2*2",
    "mixed": "conv8/2 conv8/2 | res8 | dw12/2 dw12 | inv16e2/2 | conv24/2 res24",
}


def settings(**changes: object) -> dict[str, object]:
    return {"name": "tinymog", "max_side": 512, "score": 0.3, "nms": 0.45, "min_face": 1} | changes


def lively(structure: str = SMALL, *, shared_head: bool = False, seed: int = 0) -> TinyMogNetwork:
    """A network whose outputs vary by a few units: random weights, and batch norms that have seen one batch."""
    torch.manual_seed(seed)
    network = TinyMogNetwork(structure, shared_head=shared_head)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 1:
                value.normal_(float(name.endswith("weight")), 0.1)
            elif value.ndim == 0 or ".stride_" in name:
                value.normal_(float(value.ndim == 0), 0.1)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        network(torch.randn(2, 3, 64, 64))
    return network.eval()
