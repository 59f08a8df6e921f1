"""Batches of training samples with their targets, made in worker processes; batch ``k`` of a seed is always the same.

Workers assign the anchors too, so that the training process only runs the network and its loss.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from streamer.training.datasets import FaceSet
from streamer.training.detection.anchors import anchor_table
from streamer.training.detection.assign import assign
from streamer.training.detection.augment import draw_sample
from streamer.training.detection.cut import Sample
from streamer.training.detection.data import PhotoSet
from streamer.training.detection.losses import Targets
from streamer.training.detection.teacher import Lesson
from streamer.training.geometry import Array

_EMPTY_CHANCE: Final = 0.25
"""Chance of a photograph without faces to be drawn, relative to one with: it has background only."""


class Batch(NamedTuple):
    """Pictures and what their anchors learn.

    Attributes:
        pictures: ``(n, 3, side, side)`` uint8 RGB.
        targets: see :class:`~streamer.training.detection.losses.Targets`.
    """

    pictures: Tensor
    targets: Targets


class Batches(Dataset[Batch]):
    """Endless batches by number.

    Args:
        photos: training photographs.
        lessons: the teacher's, one a photograph.
        faces: face crops to paste, or ``None``.
        size: pictures a batch.
        side: of a picture in pixels, a multiple of 32.
        seed: of everything drawn.
    """

    def __init__(
        self, photos: PhotoSet, lessons: list[Lesson], faces: FaceSet | None, size: int, side: int, seed: int
    ) -> None:
        self._photos, self._lessons, self._faces = photos, lessons, faces
        self._size, self._side, self._seed = size, side, seed
        self._chance = drawing_chances(photos)

    def __getitem__(self, number: int) -> Batch:
        return to_batch(self.samples(number))

    def samples(self, number: int) -> list[Sample]:
        """The samples of a batch."""
        rng = np.random.default_rng((self._seed, number))
        return [
            draw_sample(rng, self._photos, self._lessons, self._chance, self._faces, self._side)
            for _ in range(self._size)
        ]


def drawing_chances(photos: PhotoSet) -> Array:
    """Chance ``(n,)`` of each photograph to be drawn, summing to 1."""
    weights = np.array([1.0 if len(photo) else _EMPTY_CHANCE for photo in photos.photographs])
    return np.asarray(weights / weights.sum(), np.float64)


def to_batch(samples: list[Sample]) -> Batch:
    """Samples of one size with the targets of their anchors."""
    height, width = samples[0].image.shape[:2]
    anchors = anchor_table(height, width)
    parts = [assign(anchors, sample.boxes, sample.ignore, sample.hints) for sample in samples]
    offsets = np.arange(len(samples)) * len(anchors.sides)
    pairs = list(zip(samples, parts, strict=True))
    targets = Targets(
        torch.from_numpy(np.stack([part.counted for part in parts])),
        torch.from_numpy(np.concatenate([part.anchors + offset for part, offset in zip(parts, offsets, strict=True)])),
        torch.from_numpy(np.concatenate([part.confidence for part in parts])),
        torch.from_numpy(np.concatenate([sample.boxes[part.faces] for sample, part in pairs])),
        torch.from_numpy(np.concatenate([sample.keypoints[part.faces] for sample, part in pairs])),
    )
    pictures = np.stack([sample.image[:, :, ::-1].transpose(2, 0, 1) for sample in samples])
    return Batch(torch.from_numpy(pictures), targets)
