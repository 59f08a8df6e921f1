"""Batches of augmented crops, made in worker processes; batch ``k`` of a seed is always the same batch."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from streamer.training.augment import between, draw_error, draw_face, draw_view, nudge
from streamer.training.datasets import FaceSet
from streamer.training.shape_trend import learn_trend

_PAIRED: Final = 0.5
_SAME_CAMERA: Final = 0.6
"""Share of pairs seen through the same camera and light, as two frames of a video are; the rest differ in both."""

_FAR_YAW: Final = 25.0


class Batch(NamedTuple):
    """Crops with labels; row ``i`` and row ``n − pairs + i`` are two views of one face for ``i < pairs``.

    Attributes:
        crops: ``(n, 3, 96, 96)`` uint8 BGR.
        points: ``(n, 106, 2)`` in the unit square of the crop.
        labelled: ``(n, 106)`` float, 1 where the point is labelled.
        pose: ``(n, 3)`` degrees, NaN where not labelled.
        between: ``(pairs, 2, 3)`` from pixels of the second view to those of the first.
    """

    crops: Tensor
    points: Tensor
    labelled: Tensor
    pose: Tensor
    between: Tensor


class Batches(Dataset[Batch]):
    """Endless batches by number.

    Args:
        faces: training faces.
        size: crops a batch; a third of them are second views.
        seed: seed of everything drawn.
    """

    def __init__(self, faces: FaceSet, size: int, seed: int) -> None:
        self._faces, self._seed = faces, seed
        self._pairs = int(size * _PAIRED / (1 + _PAIRED))
        self._singles = size - self._pairs
        self._chance = sampling_weights(faces)
        self._trend = learn_trend(faces)

    @property
    def faces_per_batch(self) -> int:
        """How many different faces a batch draws."""
        return self._singles

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng((self._seed, number))
        firsts, seconds, maps = [], [], []
        chosen = rng.choice(len(self._faces), self._singles, p=self._chance)
        for place, index in enumerate(chosen.tolist()):
            face, error = draw_face(rng, self._faces, index, self._trend), draw_error(rng)
            camera, other = rng.integers(2**32, size=2).tolist()
            first = draw_view(np.random.default_rng(camera), face, error)
            firsts.append((first, face.labelled))
            if place < self._pairs:
                same = camera if rng.random() < _SAME_CAMERA else other
                second = draw_view(np.random.default_rng(same), face, nudge(rng, error))
                seconds.append((second, face.labelled))
                maps.append(between(first, second))
        views = [view for view, _ in firsts + seconds]
        return Batch(
            torch.from_numpy(np.stack([view.image for view in views])).permute(0, 3, 1, 2),
            torch.from_numpy(np.stack([view.points for view in views])),
            torch.from_numpy(np.stack([labelled for _, labelled in firsts + seconds]).astype(np.float32)),
            torch.from_numpy(np.stack([view.pose for view in views])),
            torch.from_numpy(np.array(maps, np.float32).reshape(-1, 2, 3)),
        )


def sampling_weights(faces: FaceSet) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Chance of each face to be drawn: turned heads, which photographs of people are short of, three times as often.

    Args:
        faces: training faces.

    Returns:
        ``(n,)``, summing to 1.
    """
    far = np.abs(np.nan_to_num(faces.pose[:, 2])) > _FAR_YAW
    weights = np.where(far, 3.0, 1.0)
    return np.asarray(weights / weights.sum(), np.float64)


def single_threaded() -> None:
    """Keep OpenCV and torch from starting threads of their own.

    Crops are too small to gain by OpenCV's, and workers are forked; torch's would wait for each other after every
    operation, where ``streamer.training.parallel`` shares out the batch.
    """
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
