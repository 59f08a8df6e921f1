"""What the presence head learns from and is measured on: what the frozen network saw of many crops, in a file."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamer.landmarks.network import LandmarkNetwork
from streamer.landmarks.presence import INPUTS, PresenceHead
from streamer.runtime.sessions import onnx_session
from streamer.training.onnx_graph import as_inputs, landmark_graph
from streamer.training.presence.data import Look, Sample, samples
from streamer.types import FloatArray, Image

SURE: Final = 2
"""Sight from which on a well-framed face is certainly one."""

_log = logging.getLogger(__name__)


class About(NamedTuple):
    """What is known of each of ``n`` crops; the attributes of :class:`Sample`, ``(n,)`` each."""

    labels: NDArray[np.bool_]
    passes: NDArray[np.int64]
    sight: NDArray[np.int64]
    sizes: FloatArray
    masked: NDArray[np.bool_]
    photographs: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Examples:
    """Crops as the presence head reads them.

    Attributes:
        inputs: ``(n, INPUTS)`` float16 in a file, as :func:`presence_inputs` gives them.
        about: what is known of them.
    """

    inputs: NDArray[np.float16]
    about: About


def gather(network: LandmarkNetwork, data: Path, images: int, seed: int, cache: Path) -> Examples:
    """Make crops, follow them through the landmark loop, and keep what the network's layers said.

    Args:
        network: in evaluation mode.
        data: folder with ``faces/`` and ``detection/``.
        images: about how many images to use.
        seed: of all random choices.
        cache: file to keep the inputs in, 23 KB a crop.
    """
    about = []
    with cache.open("wb") as file:
        for sample in _told(samples(data, _looker(network), images, seed), images * 3 // 2):
            file.write(sample.inputs.astype(np.float16).tobytes())
            about.append(_about(sample))
    known = About(*map(np.concatenate, zip(*about, strict=True)))
    return Examples(np.memmap(cache, np.float16, "r", shape=(len(known.labels), INPUTS)), known)


def select(about: About, rows: NDArray[np.int64]) -> About:
    """What is known of the crops with these numbers."""
    return About(*(values[rows] for values in about))  # type: ignore[arg-type]


def _told(images: Iterable[Sample], total: int) -> Iterable[Sample]:
    """The same, and how long it will take."""
    start = time.monotonic()
    for number, sample in enumerate(images, start=1):
        yield sample
        if number % 200 == 0:
            left = (time.monotonic() - start) / number * (total - number)
            _log.info("%d of about %d images, %.0f s left", number, total, max(left, 0))


def _about(sample: Sample) -> About:
    whole = np.ones(len(sample.labels), np.bool_)
    return About(
        sample.labels,
        sample.passes,
        sample.sight,
        sample.sizes,
        sample.masked,
        whole & sample.photograph,
        whole & sample.held_out,
    )


def _looker(network: LandmarkNetwork) -> Look:
    """The frozen network in ONNX Runtime (three times as fast as torch), with what the head will read."""
    model = landmark_graph(network, PresenceHead().eval(), with_inputs=True)
    session = onnx_session(model.SerializeToString())
    mean_face = network.mean_face.numpy()

    def look(crops: Image) -> tuple[FloatArray, FloatArray]:
        landmarks, fine, middle, last = session.run(["landmarks", "fine", "middle", "last"], {"crops": crops})
        return landmarks, as_inputs(fine, middle, last, landmarks, mean_face)

    return look
