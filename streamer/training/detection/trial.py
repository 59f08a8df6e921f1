"""The marks of a run: AP at IoU 0.5 on held-out photographs, upright at two sizes and turned."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import torch

from streamer.detectors.tinymog import RawOutputs, TinyMog
from streamer.detectors.tinymog_network import TinyMogNetwork
from streamer.evaluation import detection_data, detection_scores
from streamer.training.detection.data import PhotoSet
from streamer.types import FloatArray, Image

PHOTOGRAPHS: Final = 110

_SMALL: Final = 320
_LARGE: Final = 480
_LOWEST: Final = 0.02
_NMS: Final = 0.45


class Marks(NamedTuple):
    """AP at IoU 0.5, 0..1: upright at 320 and 480 pixels, and turned by random angles at the scale of 480."""

    small: float
    large: float
    turned: float

    @property
    def score(self) -> float:
        """What the best weights are chosen by: upright and turned count the same."""
        return (self.large + self.turned) / 2


class _View(NamedTuple):
    """A picture to detect in, shrunk already, and its annotation."""

    image: Image
    shown: detection_scores.Shown


class Trial:
    """Measures networks on the same photographs each time.

    Args:
        held: held-out photographs; about 110 of them, spread evenly, are used.
    """

    def __init__(self, held: PhotoSet) -> None:
        self._views: tuple[list[_View], list[_View], list[_View]] = ([], [], [])
        for index in range(0, len(held), -(-len(held) // PHOTOGRAPHS)):
            photo, image = held[index], held.picture(index)
            masks = np.full(len(photo), "unknown")
            entry = detection_data.Photograph(photo.name, photo.source, photo.boxes, masks, photo.ignore)
            roll = detection_data.roll_for(photo.name)
            for views, side, angle in zip(self._views, (_SMALL, _LARGE, _LARGE), (0.0, 0.0, roll), strict=True):
                views.append(_view(entry, image, side, angle))

    def run(self, network: TinyMogNetwork) -> Marks:
        """Measure a network, whose mode is put back afterwards."""
        training, device = network.training, next(network.parameters()).device
        network.eval()

        def raw(blob: FloatArray) -> RawOutputs:
            with torch.inference_mode():
                levels = network(torch.from_numpy(blob).to(device, memory_format=torch.channels_last))
                scores, distances, points = (torch.cat(p, 1)[0].cpu().numpy() for p in zip(*levels, strict=True))
            return scores, distances, points

        detector = TinyMog(raw, name="tinymog", max_side=4096, score=_LOWEST, nms=_NMS, min_face=1)
        marks = Marks(*(_average_precision(detector, views) for views in self._views))
        network.train(training)
        return marks


def _view(entry: detection_data.Photograph, image: Image, side: int, roll: float) -> _View:
    """A photograph whose longest side is shrunk to ``side``, then turned."""
    ratio = min(1.0, side / max(image.shape[:2]))
    size = tuple(max(1, round(length * ratio)) for length in image.shape[1::-1])
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    factor = np.tile(np.array(size) / image.shape[1::-1], 2).astype(np.float32)
    shrunk = detection_data.Photograph(
        entry.file, entry.source, entry.boxes * factor, entry.masks, entry.ignore * factor
    )
    if roll:
        shrunk, small = detection_data.turned(shrunk, small, roll)
    return _View(small, detection_scores.Shown(shrunk, roll))


def _average_precision(detector: TinyMog, views: list[_View]) -> float:
    record = detection_scores.Record()
    for view in views:
        record.add(view.shown, detector.detect(view.image))
    scores = record.slices().get("all")
    return scores.ap if scores is not None else 0.0
