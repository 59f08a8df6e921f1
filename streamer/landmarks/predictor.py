"""106 landmarks, pose and presence of all faces of a frame in one batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.landmarks import geometry
from streamer.landmarks.backends import OUTPUTS, Answer, Backend, OnnxBackend, TorchBackend
from streamer.landmarks.topology import POINTS
from streamer.runtime.devices import resolve_device
from streamer.runtime.sessions import onnx_session
from streamer.runtime.weights import own_weights
from streamer.types import FloatArray, Image

_SURE: Final = 0.998
"""Presence from which a found face's orientation is taken to be right: a quarter turn off scores below 0.995."""

_TURNED: Final = 0.95
"""Presence from which a face is taken to lie otherwise than its keypoints say: right ways score 0.998 and more, wrong
ones on dark faces, profiles and backs of heads up to 0.9.
"""


@dataclass(frozen=True, slots=True)
class LandmarkBatch:
    """What was found on ``n`` faces of one image.

    Attributes:
        landmarks: ``(n, 106, 2)`` float32 in image pixels; order in ``streamer.landmarks.topology``.
        pose: ``(n, 3)`` float32 pitch, roll, yaw in degrees; the roll is that in the image, -180..180.
        presence: ``(n,)`` float32 probability in 0..1 that a well-framed face is there; exactly 0 where the
            crop was no sensible one (no extent, not finite, mostly outside the image).
    """

    landmarks: FloatArray
    pose: FloatArray
    presence: FloatArray

    def __len__(self) -> int:
        return len(self.presence)


class LandmarkPredictor:
    """Finds the points of faces whose place is roughly known; holds no state, may be shared by threads.

    Args:
        backend: runs the network.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def from_detections(
        self, bgr: Image, boxes: FloatArray, keypoints: FloatArray | None, passes: int = 3
    ) -> LandmarkBatch:
        """Points of faces a detector has just found, in any in-plane rotation.

        The first crop follows box and keypoints, every further one the points of the pass before. Where the
        presence then is not quite sure, the keypoints are tried turned by 90, 180 and 270 degrees, too, and
        believed if the presence is high.

        Args:
            bgr: image ``(H, W, 3)``.
            boxes: ``(n, 4)`` xyxy in image pixels.
            keypoints: ``(n, 5, 2)``; they say which way is up. ``None``: the faces are upright.
            passes: passes of the network, at least 1.
        """
        if passes < 1:
            raise ValueError(f"passes must be at least 1, not {passes}")
        boxes = np.asarray(boxes, np.float32)
        best = self._approach(bgr, boxes, keypoints, passes)
        unsure = np.flatnonzero(best.presence < _SURE)
        if keypoints is None or not len(unsure):
            return best
        # A detector made for upright faces puts keypoints on turned ones that are off by quarter turns.
        for quarter_turns in (1, 2, 3):
            turned = geometry.turn_about_middle(keypoints[unsure], quarter_turns)
            other = self._approach(bgr, boxes[unsure], turned, passes)
            best = _better(best, other, unsure)
        return best

    def _approach(self, bgr: Image, boxes: FloatArray, keypoints: FloatArray | None, passes: int) -> LandmarkBatch:
        """Pass after pass, each framed by the points of the one before."""
        batch = self._look(bgr, geometry.crops_from_boxes(boxes, keypoints))
        for _ in range(passes - 1):
            batch = self.from_landmarks(bgr, batch.landmarks)
        return batch

    def from_landmarks(self, bgr: Image, landmarks: FloatArray) -> LandmarkBatch:
        """Points of faces whose points are known from the frame before, or predicted for this one.

        Args:
            bgr: image ``(H, W, 3)``.
            landmarks: ``(n, 106, 2)`` in image pixels.
        """
        return self._look(bgr, geometry.crops_from_landmarks(np.asarray(landmarks, np.float32)))

    def _look(self, bgr: Image, matrices: FloatArray) -> LandmarkBatch:
        usable = geometry.usable(matrices, bgr.shape)
        if usable.all():
            return self._answer(bgr, matrices) if len(matrices) else _nothing(0)
        batch = _nothing(len(matrices))
        if usable.any():
            part = self._answer(bgr, matrices[usable])
            batch.landmarks[usable] = part.landmarks
            batch.pose[usable] = part.pose
            batch.presence[usable] = part.presence
        return batch

    def _answer(self, bgr: Image, matrices: FloatArray) -> LandmarkBatch:
        answer: Answer = self._backend(geometry.cut(bgr, matrices))
        pose = answer.pose.copy()
        roll = pose[:, 1] + geometry.roll_of_crops(matrices)
        pose[:, 1] = (roll + 180.0) % 360.0 - 180.0
        return LandmarkBatch(geometry.to_image(answer.landmarks, matrices), pose, answer.presence)


def _better(batch: LandmarkBatch, other: LandmarkBatch, rows: NDArray[np.intp]) -> LandmarkBatch:
    """``batch`` with those of its ``rows`` replaced by the rows of ``other`` that surely hold a face, and more so."""
    wins = other.presence > np.maximum(batch.presence[rows], _TURNED)
    landmarks, pose, presence = batch.landmarks.copy(), batch.pose.copy(), batch.presence.copy()
    landmarks[rows[wins]] = other.landmarks[wins]
    pose[rows[wins]] = other.pose[wins]
    presence[rows[wins]] = other.presence[wins]
    return LandmarkBatch(landmarks, pose, presence)


def _nothing(count: int) -> LandmarkBatch:
    """``count`` faces that are none: points without extent, at the origin."""
    return LandmarkBatch(
        np.zeros((count, POINTS, 2), np.float32), np.zeros((count, 3), np.float32), np.zeros(count, np.float32)
    )


def load_predictor(weights: Path | None = None, *, device: str = "auto", threads: int = 1) -> LandmarkPredictor:
    """The predictor with our weights or a user's.

    Args:
        weights: ``None``: ours. ``.onnx``: a file of ``python -m streamer.training.export``, for the CPU.
            Anything else: landmark weights in the published names (``.safetensors``, ``.pth``); they run in
            torch, and the presence still comes from our network, which looks at the same crops.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of ONNX Runtime.

    Raises:
        WeightsError: the weights are missing, damaged or of another network.
        DeviceError: CUDA was asked for and is not there.
    """
    if weights is not None and weights.suffix == ".onnx":
        return LandmarkPredictor(_onnx_backend(weights, threads))
    where = resolve_device(device)
    if weights is None and where == "cpu":
        return LandmarkPredictor(_onnx_backend(own_weights("landmarks106.onnx"), threads))
    return LandmarkPredictor(_torch_backend(weights, where))


def _onnx_backend(path: Path, threads: int) -> OnnxBackend:
    return OnnxBackend(onnx_session(path, threads=threads, outputs=OUTPUTS))


def _torch_backend(weights: Path | None, device: str) -> TorchBackend:
    from streamer.landmarks.network import load_network
    from streamer.landmarks.presence import load_presence

    ours = load_network(own_weights("landmarks106.safetensors"))
    presence = load_presence(own_weights("presence.safetensors"))
    if weights is None:
        return TorchBackend(ours, presence, device=device)
    return TorchBackend(load_network(weights), presence, device=device, judge=ours)
