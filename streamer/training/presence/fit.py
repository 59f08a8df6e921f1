"""Trains the presence head: a first round on others drawn at random, a second on those it found hardest."""

from __future__ import annotations

import copy
import logging
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from streamer.landmarks.presence import PresenceHead
from streamer.training.loop import follow, on_device
from streamer.training.presence.examples import SURE, Examples

_BATCH: Final = 256
_EPOCHS: Final = (1, 5)
"""Of the two rounds."""

_RATE: Final = 2e-3
_DECAY: Final = 1e-2
_AVERAGE_DECAY: Final = 0.999

_HARD: Final = 1.0
_RANDOM: Final = 0.75
"""Others in the second round, hardest ones and any, in numbers of faces."""

_log = logging.getLogger(__name__)


def train(examples: Examples, seed: int) -> PresenceHead:
    """Train the head; faces and others weigh the same.

    Args:
        examples: all; those held out, and faces that nobody could see, are not used.
        seed: of initial weights and order.

    Returns:
        The moving average of its weights, in evaluation mode, not yet calibrated.
    """
    torch.manual_seed(seed)
    rng, about = np.random.default_rng(seed), examples.about
    faces = np.flatnonzero(about.labels & ~about.held_out & (about.sight >= SURE))
    others = rng.permutation(np.flatnonzero(~about.labels & ~about.held_out))
    head = PresenceHead()
    first = others[: int((_HARD + _RANDOM) * len(faces))]
    head = _learn(head, examples, np.concatenate([faces, first]), _EPOCHS[0], rng)
    order = judge(head, examples, others).argsort(descending=True).numpy()
    hardest, rest = np.split(others[order], [int(_HARD * len(faces))])
    second = np.concatenate([faces, hardest, rng.permutation(rest)[: int(_RANDOM * len(faces))]])
    return _learn(head, examples, second, _EPOCHS[1], rng)


def _learn(
    head: PresenceHead, examples: Examples, rows: NDArray[np.int64], epochs: int, rng: np.random.Generator
) -> PresenceHead:
    """One cycle of training on these rows; returns the moving average."""
    labels = torch.from_numpy(examples.about.labels[rows]).float()
    loss_of = nn.BCEWithLogitsLoss(pos_weight=(1 - labels).sum() / labels.sum())
    head = on_device(head, "cpu").train()
    average = copy.deepcopy(head).eval()
    optimizer = torch.optim.AdamW(head.parameters(), lr=_RATE, weight_decay=_DECAY)
    steps = len(rows) // _BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=epochs * steps)
    for epoch in range(epochs):
        total = 0.0
        for number, batch in enumerate(rng.permutation(len(rows))[: steps * _BATCH].reshape(-1, _BATCH)):
            batch.sort()  # the file is read in order
            loss = loss_of(head(_read(examples, rows[batch])), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            follow(average, head, _AVERAGE_DECAY, epoch * steps + number)
            total += loss.item()
        _log.info("epoch %d of %d: loss %.4f on %d crops", epoch + 1, epochs, total / steps, len(rows))
    return average


@torch.inference_mode()
def judge(head: PresenceHead, examples: Examples, rows: NDArray[np.int64]) -> Tensor:
    """Logits ``(n,)`` of the examples with these numbers."""
    return torch.cat([head(_read(examples, part)) for part in np.array_split(rows, max(1, len(rows) // _BATCH))])


def _read(examples: Examples, rows: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(examples.inputs[rows]).float()
