"""Trains the presence head on a frozen landmark network.

Run as ``python -m streamer.training.presence --data ../shared/data --out DIR``; then export
(``python -m streamer.training.export``). Minutes on one CPU core: every crop passes the network once, and the
head alone is trained on what came out. Retrain it whenever the landmark network has changed.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from streamer.landmarks.network import LandmarkNetwork, load_network
from streamer.landmarks.presence import PresenceHead
from streamer.runtime.sessions import onnx_session
from streamer.runtime.states import save_state
from streamer.runtime.weights import own_weights
from streamer.training.onnx_graph import as_inputs, landmark_graph
from streamer.training.presence_data import Look, samples
from streamer.types import FloatArray, Image

FALSE_ACCEPTS: Final = 0.01
"""Share of non-faces the decision at 0.5 lets through, on images kept out of training."""

_BATCH: Final = 512
_EPOCHS: Final = 12
_RATE: Final = 2e-3
_DECAY: Final = 1e-2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Examples:
    """What the head learns from.

    Attributes:
        inputs: ``(n, INPUTS)`` float16, as :func:`presence_inputs` gives them.
        labels: ``(n,)`` 1 for a well-framed face, else 0.
        passes: ``(n,)`` passes of the landmark loop before the crop.
        photographs: ``(n,)`` True: from a photograph, else from a face crop.
        held_out: ``(n,)`` True: for measuring only.
    """

    inputs: Tensor
    labels: Tensor
    passes: Tensor
    photographs: Tensor
    held_out: Tensor


def gather(network: LandmarkNetwork, data: Path, images: int, seed: int) -> Examples:
    """Make crops, follow them through the landmark loop, and keep what the network's layers said."""
    look = _looker(network)
    inputs, labels, passes, photographs, held_out = [], [], [], [], []
    start = time.monotonic()
    for number, sample in enumerate(samples(data, look, images, seed), start=1):
        inputs.append(sample.inputs.astype(np.float16))
        labels.append(sample.labels)
        passes.append(sample.passes)
        photographs.append(np.full(len(sample.labels), sample.photograph))
        held_out.append(np.full(len(sample.labels), sample.held_out))
        if number % 200 == 0:
            left = (time.monotonic() - start) / number * (images - number)
            _log.info("%d of about %d images, %.0f s left", number, images, max(left, 0))
    return Examples(
        torch.from_numpy(np.concatenate(inputs)),
        torch.from_numpy(np.concatenate(labels)).float(),
        torch.from_numpy(np.concatenate(passes)),
        torch.from_numpy(np.concatenate(photographs)),
        torch.from_numpy(np.concatenate(held_out)),
    )


def _looker(network: LandmarkNetwork) -> Look:
    """The frozen network in ONNX Runtime (three times as fast as torch), with what the head will read."""
    model = landmark_graph(network, PresenceHead().eval(), with_inputs=True)
    session = onnx_session(model.SerializeToString())
    mean_face = network.mean_face.numpy()

    def look(crops: Image) -> tuple[FloatArray, FloatArray]:
        landmarks, middle, flat = session.run(["landmarks", "middle", "flat"], {"crops": crops})
        return landmarks, as_inputs(middle, flat, mean_face)

    return look


def train(examples: Examples, seed: int) -> PresenceHead:
    """Train the head; faces and non-faces weigh the same.

    Args:
        examples: all; those held out are not used.
        seed: of initial weights and order.

    Returns:
        The head in evaluation mode, not yet calibrated.
    """
    torch.manual_seed(seed)
    head = PresenceHead()
    used = ~examples.held_out
    inputs, labels = examples.inputs[used], examples.labels[used]
    balance = (1 - labels).sum() / labels.sum()
    loss_of = nn.BCEWithLogitsLoss(pos_weight=balance)
    optimiser = torch.optim.AdamW(head.parameters(), lr=_RATE, weight_decay=_DECAY)
    steps = _EPOCHS * (len(labels) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
    for epoch in range(1, _EPOCHS + 1):
        total = 0.0
        order = torch.randperm(len(labels))[: len(labels) // _BATCH * _BATCH]
        for rows in torch.split(order, _BATCH):
            logits = head(inputs[rows].float())
            loss = loss_of(logits, labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 0:
            _log.info("epoch %d of %d: loss %.4f", epoch, _EPOCHS, total / len(order))
    return head.eval()


@torch.inference_mode()
def judge(head: PresenceHead, inputs: Tensor) -> Tensor:
    """Logits ``(n,)`` for inputs ``(n, INPUTS)`` of any float type."""
    return torch.cat([head(rows.float()) for rows in torch.split(inputs, _BATCH)])


def calibrate(head: PresenceHead, logits: Tensor, labels: Tensor) -> float:
    """Shift the logit so that 0.5 lets :data:`FALSE_ACCEPTS` of the non-faces through.

    Args:
        head: changed in place.
        logits: ``(n,)`` of examples that were held out.
        labels: ``(n,)``.

    Returns:
        By how much the logits were lowered.
    """
    threshold = float(torch.quantile(logits[labels == 0], 1 - FALSE_ACCEPTS))
    final: nn.Linear = head.layers[-1]  # type: ignore[assignment]
    with torch.no_grad():
        final.bias.sub_(threshold)
    return threshold


def operating_points(logits: Tensor, labels: Tensor) -> list[dict[str, float]]:
    """Points of the ROC curve: at each share of false accepts, the share of faces missed."""
    faces, others = logits[labels == 1], logits[labels == 0]
    points = []
    for share in (0.001, 0.003, 0.01, 0.03, 0.1):
        threshold = torch.quantile(others, 1 - share)
        missed = (faces <= threshold).float().mean().item()
        points.append({"false_accepts": share, "threshold": threshold.sigmoid().item(), "missed": missed})
    return points


def measure(logits: Tensor, examples: Examples) -> dict[str, object]:
    """Figures on the held-out part: the ROC, and the errors at 0.5 by source and by passes of the loop."""
    held = examples.held_out
    labels, passes = examples.labels[held], examples.passes[held]
    photographs = examples.photographs[held]

    def errors(chosen: Tensor) -> dict[str, float]:
        accepted, face = logits[chosen] > 0, labels[chosen] == 1
        return {
            "faces": int(face.sum()),
            "missed": (~accepted[face]).float().mean().item(),
            "others": int((~face).sum()),
            "false_accepts": accepted[~face].float().mean().item(),
        }

    counts = sorted(set(passes.tolist()))
    return {
        "trained_on": int((~held).sum()),
        "roc": operating_points(logits, labels),
        "roc_face_crops": operating_points(logits[~photographs], labels[~photographs]),
        "at_one_half": {"face crops": errors(~photographs), "photographs": errors(photographs)}
        | {f"after {count} passes": errors(passes == count) for count in counts},
    }


def run(network: Path, data: Path, out: Path, images: int, seed: int) -> dict[str, object]:
    """Gather, train, calibrate, measure; write ``presence.safetensors`` and ``presence.json``."""
    frozen = load_network(network)
    examples = gather(frozen, data, images, seed)
    _log.info("%d crops, %d of them faces", len(examples.labels), int(examples.labels.sum()))
    head = train(examples, seed)
    held = examples.held_out
    logits = judge(head, examples.inputs[held])
    logits = logits - calibrate(head, logits, examples.labels[held])
    figures = measure(logits, examples) | {"seed": seed, "images": images}
    out.mkdir(parents=True, exist_ok=True)
    save_state(head, out / "presence.safetensors", {"model": "presence head of landmarks106"})
    (out / "presence.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return figures


def main(arguments: list[str] | None = None) -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(prog="python -m streamer.training.presence", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/ and detection/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and the figures")
    parser.add_argument("--network", type=Path, help="landmark weights to train it for; ours by default")
    parser.add_argument("--images", type=int, default=5000, help="about how many images to use")
    parser.add_argument("--seed", type=int, default=1, help="of all random choices")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    network = options.network or own_weights("landmarks106.safetensors")
    figures = run(network, options.data, options.out, options.images, options.seed)
    _log.info("%s", json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
