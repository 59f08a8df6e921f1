"""TinyMog from the ONNX file that ``python -m streamer.training.detection.export`` writes, without torch.

Its input ``image`` is ``(1, 1, H + 1, 3 · (W + 1))`` float32: rows of BGR pixels from 0 to 255, with a row above and
a pixel to the left of middle grey, which is what the first convolution's padding means; H and W multiples of 32.

It works out every anchor's score, but of boxes and keypoints only the features they are made from: the last 3×3
convolution to them, a fifth of the whole network's work, is left for the few cells with a face. Its outputs:

* ``logits_8``, ``logits_16``, ``logits_32`` ``(1, 2, h, w)``: scores of the cells' two anchors.
* ``features_8``, ``features_16``, ``features_32`` ``(1, h, w, 64)``: what that convolution reads.
* ``weights`` ``(3, 576, 28)`` and ``bias`` ``(3, 28)``, constants: the convolution of each level as a matrix that
  takes 3×3 neighbourhoods, row by row, to the two anchors' four distances and five points.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final, Unpack

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from streamer.detectors.base import Settings, SingleShot
from streamer.detectors.postprocess import best_candidates
from streamer.detectors.tinymog import ANCHORS_PER_CELL, STRIDES, RawOutputs, decode_anchors, to_logit
from streamer.runtime.sessions import onnx_session
from streamer.types import Detections, FloatArray, Image

INPUT: Final = "image"
_MAPS: Final = tuple(f"{part}_{stride}" for part in ("logits", "features") for stride in STRIDES)
_CONSTANTS: Final = ("weights", "bias")
OUTPUTS: Final = (*_MAPS, *_CONSTANTS)
NUMBERS: Final = 14
"""Numbers of an anchor besides its score: four distances and five points."""
_GREY: Final = 127.5
_ROWS: Final = 32
"""Cells in one product: from about 50 on, numpy's BLAS wakes threads, and waits up to 20 ms for a busy core."""
_DOWN, _RIGHT = np.indices((3, 3)).reshape(2, 9) - 1


class OnnxNetwork:
    """An exported TinyMog; may be shared between threads.

    Args:
        session: see :func:`open_tinymog`.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        smallest = np.zeros((1, 1, 33, 99), np.float32)
        self._weights, self._bias = session.run(_CONSTANTS, {INPUT: smallest})

    def __call__(self, picture: FloatArray, threshold: float) -> tuple[NDArray[np.intp], RawOutputs]:
        """The anchors above a threshold; of more than some thousands the best.

        Args:
            picture: the input, see the module.
            threshold: lowest logit; minus infinity for all anchors.

        Returns:
            Their numbers and their raw outputs.
        """
        maps = self._session.run(_MAPS, {INPUT: picture})
        before, parts = 0, []
        for level, (logits, features) in enumerate(zip(maps[: len(STRIDES)], maps[len(STRIDES) :], strict=True)):
            scores = logits.reshape(ANCHORS_PER_CELL, -1)
            cells = best_candidates(scores.max(axis=0), threshold)
            values = self._values(level, neighbourhoods(features[0], cells))
            parts.append((before + cells, scores[:, cells].T, values.reshape(-1, ANCHORS_PER_CELL, NUMBERS)))
            before += scores.shape[1]
        cells, logits, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        passing = logits > threshold
        index = (cells[:, None] * ANCHORS_PER_CELL + np.arange(ANCHORS_PER_CELL))[passing]
        numbers = values[passing]
        return index, (logits[passing], numbers[:, :4], numbers[:, 4:].reshape(-1, 5, 2))

    def _values(self, level: int, around: FloatArray) -> FloatArray:
        """The last convolution of a level at some cells ``(n, 576)``: ``(n, 28)``."""
        values = np.empty((len(around), self._bias.shape[1]), np.float32)
        for start in range(0, len(around), _ROWS):
            np.matmul(around[start : start + _ROWS], self._weights[level], out=values[start : start + _ROWS])
        values += self._bias[level]
        return values


def neighbourhoods(features: FloatArray, cells: NDArray[np.intp]) -> FloatArray:
    """The 3×3 cells around some, zeros beyond the map.

    Args:
        features: ``(h, w, channels)``.
        cells: their numbers, row by row, ``(n,)``.

    Returns:
        ``(n, 9 · channels)``.
    """
    height, width, channels = features.shape
    rows, columns = (cells // width)[:, None] + _DOWN, (cells % width)[:, None] + _RIGHT
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    around = features.reshape(-1, channels)[np.where(inside, rows * width + columns, 0)]
    around[~inside] = 0
    return around.reshape(-1, around.shape[1] * channels)


class OnnxTinyMog(SingleShot):
    """TinyMog on ONNX Runtime.

    Args:
        network: see :func:`open_tinymog`.
        **settings: as for :class:`Detector`.
    """

    def __init__(self, network: OnnxNetwork, **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        self._network = network
        self._canvas = _Canvas()

    def _candidates(self, bgr: Image) -> Detections:
        picture, size = self._canvas.draw(bgr)
        index, (logits, distances, points) = self._network(picture, to_logit(self.score))
        best = best_candidates(logits, -np.inf)
        return decode_anchors(index[best], (logits[best], distances[best], points[best]), size)


def open_tinymog(model: bytes | Path, threads: int) -> OnnxNetwork:
    """Open an exported TinyMog.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    return OnnxNetwork(onnx_session(model, threads=threads, outputs=OUTPUTS))


def to_picture(bgr: Image) -> FloatArray:
    """The network's input of an image, padded with middle grey to multiples of 32."""
    return _Canvas().draw(bgr)[0]


class _Canvas(threading.local):
    """The network's input, one a thread and reused: a fresh one costs the time of the copy again."""

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._pixels = np.zeros((0, 0), np.float32)

    def draw(self, bgr: Image) -> tuple[FloatArray, tuple[int, int]]:
        """The input of an image, valid until this thread's next call, and its height and width without the frame."""
        height, width = bgr.shape[:2]
        rows, columns = height + -height % STRIDES[-1], width + -width % STRIDES[-1]
        if self._shape != (height, width):
            self._pixels = np.full((rows + 1, 3 * (columns + 1)), _GREY, np.float32)
            self._shape = height, width
        self._pixels[1 : height + 1, 3 : 3 * (width + 1)] = bgr.reshape(height, -1)
        return self._pixels[None, None], (rows, columns)
