"""Writes a trained TinyMog as the ONNX file that CPU runs use, and proves that it says what torch says.

Run as ``python -m streamer.training.detection.export WEIGHTS --out FILE``.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
import torch

from streamer.detectors.tinymog import RawOutputs, to_blob
from streamer.detectors.tinymog_network import SCRFD_05G, TinyMogNetwork, load_tinymog
from streamer.detectors.tinymog_onnx import open_tinymog, to_picture
from streamer.errors import FacestreamError
from streamer.training.detection.graph import tinymog_graph
from streamer.types import Image

TOLERANCE: Final = 1e-4
"""Largest allowed difference, in parts of the largest output."""

_log = logging.getLogger(__name__)


def export_onnx(network: TinyMogNetwork, path: Path) -> float:
    """Write the network and compare it with torch.

    Args:
        network: in evaluation mode.
        path: where the ONNX file goes.

    Returns:
        The largest difference found.

    Raises:
        ConfigError: its backbone cannot be exported.
        FacestreamError: the two differ by more than :data:`TOLERANCE`; nothing is written then.
    """
    data = tinymog_graph(network).SerializeToString()
    difference = parity(data, network)
    if not difference < TOLERANCE:
        raise FacestreamError(f"the exported network differs from torch by {difference:.2g}; nothing was written")
    path.write_bytes(data)
    return difference


def parity(data: bytes, network: TinyMogNetwork) -> float:
    """Largest difference between an exported network and torch, in parts of the largest output.

    Every anchor counts, on pictures of several sizes.
    """
    exported = open_tinymog(data, threads=1)
    differences = []
    for image in _random_images():
        index, ours = exported(to_picture(image), -np.inf)
        torchs = _torch_outputs(network, image)
        assert np.array_equal(index, np.arange(len(torchs[0])))
        differences += [float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(ours, torchs, strict=True)]
    return max(differences)


def _torch_outputs(network: TinyMogNetwork, image: Image) -> RawOutputs:
    with torch.inference_mode():
        levels = network(torch.from_numpy(to_blob(image)))
    scores, distances, keypoints = (torch.cat(parts, 1)[0].numpy() for parts in zip(*levels, strict=True))
    return scores, distances, keypoints


def _random_images() -> list[Image]:
    """Smooth random pictures: noise alone would leave most of the network's range unvisited."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (3, 12, 12, 3), np.uint8)
    sizes = ((320, 256), (448, 230), (33, 100))
    return [np.asarray(cv2.resize(c, s, interpolation=cv2.INTER_CUBIC)) for c, s in zip(coarse, sizes, strict=True)]


def main(arguments: list[str] | None = None) -> None:
    """Command line of the export."""
    parser = argparse.ArgumentParser(prog="python -m streamer.training.detection.export", description=__doc__)
    parser.add_argument("weights", type=Path, help="trained weights: safetensors or a torch checkpoint")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--structure", default=SCRFD_05G, help="their backbone, as in detector.structure")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        difference = export_onnx(load_tinymog(options.weights, options.structure), options.out)
    except FacestreamError as error:
        raise SystemExit(str(error)) from error
    size = len(onnx.load(options.out).graph.node)
    _log.info("%s: %d nodes, largest difference from torch %.2g", options.out, size, difference)


if __name__ == "__main__":
    main()
