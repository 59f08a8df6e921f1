"""Trains the presence head on a frozen landmark network.

Run as ``python -m streamer.training.presence --data ../shared/data --out DIR``; then export
(``python -m streamer.training.export``). An hour on one CPU core and 14 GB of disk meanwhile: every crop passes the
network once, and the head alone is trained on what came out. Retrain it whenever the landmark network has changed.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from streamer.landmarks.network import load_network
from streamer.runtime.states import save_state
from streamer.runtime.weights import own_weights
from streamer.training.presence.examples import gather, select
from streamer.training.presence.fit import judge, train
from streamer.training.presence.scores import calibrate, measure

_log = logging.getLogger(__name__)


def run(network: Path, data: Path, out: Path, images: int, seed: int) -> dict[str, Any]:
    """Gather, train, calibrate, measure; write ``presence.safetensors`` and ``presence.json``."""
    out.mkdir(parents=True, exist_ok=True)
    cache = out / "presence-inputs.f16"
    try:
        examples = gather(load_network(network), data, images, seed, cache)
        _log.info("%d crops, %d of them faces", len(examples.about.labels), int(examples.about.labels.sum()))
        head = train(examples, seed)
        rows = np.flatnonzero(examples.about.held_out)
        logits = judge(head, examples, rows)
    finally:
        cache.unlink(missing_ok=True)
    held = select(examples.about, rows)
    logits = logits - calibrate(head, logits, torch.from_numpy(held.labels))
    figures = {"trained_on": len(examples.about.labels) - len(rows)} | measure(logits, held)
    figures |= {"seed": seed, "images": images}
    save_state(head, out / "presence.safetensors", {"model": "presence head of landmarks106"})
    (out / "presence.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return figures


def main(arguments: list[str] | None = None) -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(prog="python -m streamer.training.presence", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/ and detection/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and the figures")
    parser.add_argument("--network", type=Path, help="landmark weights to train it for; ours by default")
    parser.add_argument(
        "--images",
        type=int,
        default=8000,
        help="about how many images to use; photographs to learn from count once and come twice",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all random choices")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    network = options.network or own_weights("landmarks106.safetensors")
    figures = run(network, options.data, options.out, options.images, options.seed)
    _log.info("%s", json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
