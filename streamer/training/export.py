"""Writes the ONNX file that CPU runs use, and proves that it says what torch says.

Run as ``python -m streamer.training.export``; without options it renews our own file from our own weights.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from streamer.errors import FacestreamError
from streamer.landmarks.backends import OnnxBackend, TorchBackend
from streamer.landmarks.network import CROP, LandmarkNetwork, load_network
from streamer.landmarks.presence import PresenceHead, load_presence
from streamer.runtime.sessions import onnx_session
from streamer.training.onnx_graph import landmark_graph

TOLERANCE: Final = 1e-3
"""Largest allowed difference in crop pixels, degrees and hundredths of a probability."""

_WEIGHTS: Final = Path(__file__).resolve().parents[1] / "weights"
_log = logging.getLogger(__name__)


def export_onnx(network: LandmarkNetwork, presence: PresenceHead, path: Path) -> float:
    """Write the combined network and compare it with torch on 64 random crops.

    Args:
        network: landmark network, in evaluation mode.
        presence: the head trained on its backbone, in evaluation mode.
        path: where the ONNX file goes.

    Returns:
        The largest difference found.

    Raises:
        FacestreamError: the two differ by more than :data:`TOLERANCE`; nothing is written then.
    """
    data = landmark_graph(network, presence).SerializeToString()
    difference = parity(data, network, presence)
    if not difference < TOLERANCE:
        raise FacestreamError(f"the exported network differs from torch by {difference:.2g}; nothing was written")
    path.write_bytes(data)
    return difference


def parity(data: bytes, network: LandmarkNetwork, presence: PresenceHead) -> float:
    """Largest difference between an exported network and torch, over landmarks, pose and presence."""
    crops = _random_crops(64)
    ours = OnnxBackend(onnx_session(data))(crops)
    torchs = TorchBackend(network, presence, device="cpu")(crops)
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, torchs, strict=True))


def _random_crops(count: int) -> NDArray[np.uint8]:
    """Smooth random pictures: noise alone would leave most of the network's range unvisited."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand((count, 3, 8, 8), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(CROP, CROP), mode="bicubic").clamp(0, 1)
    return np.ascontiguousarray((smooth * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())


def main(arguments: list[str] | None = None) -> None:
    """Command line of the export."""
    parser = argparse.ArgumentParser(prog="python -m streamer.training.export", description=__doc__)
    parser.add_argument(
        "--network", type=Path, default=_WEIGHTS / "landmarks106.safetensors", help="landmark weights, published names"
    )
    parser.add_argument(
        "--presence", type=Path, default=_WEIGHTS / "presence.safetensors", help="presence head trained on them"
    )
    parser.add_argument("--out", type=Path, default=_WEIGHTS / "landmarks106.onnx", help="ONNX file to write")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        difference = export_onnx(load_network(options.network), load_presence(options.presence), options.out)
    except FacestreamError as error:
        raise SystemExit(str(error)) from error
    size = len(onnx.load(options.out).graph.node)
    _log.info("%s: %d nodes, largest difference from torch %.2g", options.out, size, difference)


if __name__ == "__main__":
    main()
