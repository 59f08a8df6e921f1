"""Gives freshly trained landmark weights a presence head, taught by the one we ship.

A presence head fits only the backbone it was trained on. Training one from nothing needs pictures without faces
(``streamer.training.presence``); a fine-tuned network gets one from its own training data instead: our network and
head say of well and badly framed crops, of cut-off faces and of textures how sure they are, and the new head
learns to say the same from the new backbone's features.
"""

from __future__ import annotations

import logging
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from streamer.landmarks.network import CROP, LandmarkNetwork, load_network, normalise
from streamer.landmarks.presence import PresenceHead, load_presence, presence_inputs
from streamer.runtime.weights import own_weights
from streamer.training.augment import CropError, cut, draw_error, draw_face, draw_view
from streamer.training.datasets import FaceSet
from streamer.training.loop import on_device
from streamer.training.photometry import disturb
from streamer.types import Image

CROPS: Final = 12_000
_EPOCHS: Final = 12
_BATCH: Final = 256
_HELD: Final = 0.1

_log = logging.getLogger(__name__)


class Transfer(NamedTuple):
    """A head and how well it learned.

    Attributes:
        head: in evaluation mode.
        agreement: share of crops kept out of its training on which it decides as its teacher does, at 0.5.
    """

    head: PresenceHead
    agreement: float


def transfer_presence(network: LandmarkNetwork, faces: FaceSet, seed: int, crops: int = CROPS) -> Transfer:
    """Teach a head for a network.

    Args:
        network: in evaluation mode.
        faces: the pictures it was trained on.
        seed: of everything drawn.
        crops: how many crops to learn from.
    """
    rng = np.random.default_rng((seed, 1))
    torch.manual_seed(seed)
    teacher, head = (
        load_network(own_weights("landmarks106.safetensors")),
        load_presence(own_weights("presence.safetensors")),
    )
    inputs, targets = [], []
    for start in range(0, crops, _BATCH):
        pictures = np.stack([draw_crop(rng, faces) for _ in range(min(_BATCH, crops - start))])
        inputs.append(_inputs(network, pictures).half())  # 280 MB, and the head's standardisation hides the rounding
        with torch.no_grad():
            targets.append(head(_inputs(teacher, pictures)).sigmoid())
    result = _learn(torch.cat(inputs), torch.cat(targets))
    _log.info("presence head: decides as ours on %.1f %% of held-out crops", 100 * result.agreement)
    return result


def draw_crop(rng: np.random.Generator, faces: FaceSet) -> Image:
    """A crop that may hold a well-framed face, a badly framed one, a piece of one, or none.

    Returns:
        ``(96, 96, 3)`` BGR.
    """
    index, kind = int(rng.integers(len(faces))), rng.random()
    if kind < 0.45:
        return draw_view(rng, draw_face(rng, faces, index), draw_error(rng)).image
    if kind < 0.9:
        face = draw_face(rng, faces, index)
        shift, size = rng.uniform(-0.9, 0.9, 2), rng.uniform(-0.35, 0.8)
        roll = float(rng.uniform(-180, 180)) if rng.random() < 0.3 else float(rng.normal(0, 15))
        error = CropError(roll, np.array([-size, -size, size, size]) + np.tile(shift, 2))
        return disturb(rng, cut(face.image, face.points, face.pose, error).image)
    coarse = rng.integers(0, 256, (*rng.integers(2, CROP, 2), 3)).astype(np.uint8)
    texture = np.asarray(cv2.resize(coarse, (CROP, CROP), interpolation=cv2.INTER_CUBIC), np.uint8)
    return disturb(rng, texture)


@torch.no_grad()
def _inputs(network: LandmarkNetwork, crops: Image) -> Tensor:
    """What a presence head reads of a network on these crops."""
    features = network.backbone(normalise(torch.from_numpy(crops).permute(0, 3, 1, 2)))
    landmarks, _ = network.heads(features.last)
    return presence_inputs(features, landmarks, network.mean_face)


def _learn(inputs: Tensor, targets: Tensor) -> Transfer:
    """Fit a head to a teacher's probabilities; the last tenth is kept out for measuring."""
    kept = int(len(inputs) * (1 - _HELD))
    head = on_device(PresenceHead(), "cpu")
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _EPOCHS)
    for _ in range(_EPOCHS):
        head.train()
        for rows in torch.split(torch.randperm(kept), _BATCH):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(head(inputs[rows].float()), targets[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        schedule.step()
    head.eval()
    with torch.inference_mode():
        same = (head(inputs[kept:].float()) > 0) == (targets[kept:] > 0.5)
    return Transfer(head, float(same.float().mean()))
