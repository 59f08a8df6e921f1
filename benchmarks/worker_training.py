"""Training steps of TinyMog on frames of a clip; prints crops a second.

Usage: python -m benchmarks.worker_training plain|kept|shared CLIP
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.media import decode
from streamer.detectors import load_detector
from streamer.detectors.tinymog_network import Level, load_tinymog
from streamer.runtime.memory import keep_training_memory
from streamer.runtime.weights import own_weights
from streamer.training.detection.anchors import anchor_table
from streamer.training.detection.batches import Batch, to_batch
from streamer.training.detection.cut import Sample
from streamer.training.detection.losses import detection_loss
from streamer.training.detection.trainer import normalise, outputs
from streamer.training.loop import adamw, descend, on_device
from streamer.training.parallel import Shares

SIDE, BATCH, STEPS, UNCOUNTED, THREADS = 320, 32, 8, 3, 2
RATE, LARGEST = 1e-4, 35.0


def main(way: str, clip: Path) -> None:
    """Print how many crops a second a step gets through."""
    torch.set_num_threads(1 if way == "shared" else THREADS)
    if way != "plain":
        keep_training_memory()
    batch = to_batch(list(islice(_samples(clip), BATCH)))
    network = on_device(load_tinymog(own_weights("tinymog.safetensors")), "cpu").train()
    optimizer = adamw(network, RATE, 0.05)
    backward = _shared(network, batch) if way == "shared" else _plain(network, batch)
    for number in range(UNCOUNTED + STEPS):
        if number == UNCOUNTED:
            started = time.perf_counter()
        backward()
        descend(network, optimizer, RATE, LARGEST)
    print(BATCH * STEPS / (time.perf_counter() - started))


def _plain(network: nn.Module, batch: Batch) -> Callable[[], None]:
    """Loss and gradients as any PyTorch program takes them."""

    def backward() -> None:
        network.zero_grad(set_to_none=True)
        _loss(network(normalise(batch.pictures)), batch).backward()

    return backward


def _shared(network: nn.Module, batch: Batch) -> Callable[[], None]:
    """Loss and gradients as our trainer takes them."""
    shares = Shares(network, THREADS, outputs)
    return lambda: shares.backward(_loss([Level(*shares.forward(batch.pictures))], batch))


def _loss(levels: Sequence[Level], batch: Batch) -> Tensor:
    anchors = anchor_table(SIDE, SIDE)
    centres, strides = torch.from_numpy(anchors.centres), torch.from_numpy(anchors.strides)
    return detection_loss(levels, centres, strides, batch.targets).total


def _samples(clip: Path) -> Iterator[Sample]:
    """Squares from the middle of the clip's frames, the default detector's finds for labels."""
    detector = load_detector("retinaface", device="cpu")
    for frame in decode(clip):
        left = (frame.shape[1] - frame.shape[0]) // 2
        image = np.asarray(cv2.resize(frame[:, left : left + frame.shape[0]], (SIDE, SIDE)), np.uint8)
        found = detector.detect(image)
        yield Sample(image, found.boxes, found.keypoints, np.zeros((0, 4), np.float32))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
