"""What every face detector is: an object whose ``detect`` turns an image into :class:`Detections`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypedDict, Unpack

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.detectors.postprocess import select
from streamer.errors import ImageError
from streamer.types import Detections, Image


class Settings(TypedDict):
    """What all detectors have in common.

    Attributes:
        name: what :func:`streamer.detectors.load_detector` and ``detector.name`` call it.
        max_side: longest side an image is shrunk to, in pixels.
        score: lowest score that counts as a face.
        nms: IoU above which two boxes are one face.
        min_face: smallest shorter side of a box that is kept, in pixels of the image.
    """

    name: str
    max_side: int
    score: float
    nms: float
    min_face: int


class Detector(ABC):
    """Finds faces in single images. May be called from several threads at once.

    Args:
        **settings: see :class:`Settings`; each is an attribute of the detector too.
    """

    def __init__(self, **settings: Unpack[Settings]) -> None:
        self.name = settings["name"]
        self.max_side = settings["max_side"]
        self.score = settings["score"]
        self.nms = settings["nms"]
        self.min_face = settings["min_face"]

    def detect(self, bgr: NDArray[np.uint8], *, min_face: float | None = None) -> Detections:
        """Find the faces of one image.

        Args:
            bgr: BGR uint8 ``(H, W, 3)``, or grey ``(H, W)``, of any size from 1×1.
            min_face: smallest face side for this call, in pixels of this image; by default the detector's.

        Returns:
            Faces best score first, in pixels of the given image.

        Raises:
            ImageError: the array is empty or is no such image.
        """
        return self._detect(as_bgr(bgr), self.min_face if min_face is None else min_face)

    @abstractmethod
    def _detect(self, bgr: Image, min_face: float) -> Detections:
        """Find the faces of a validated image whose sides are at least ``min_face``, best score first."""


class SingleShot(Detector):
    """A detector whose network sees the whole shrunk image once."""

    def _detect(self, bgr: Image, min_face: float) -> Detections:
        small, back = shrink(bgr, self.max_side)
        return select(enlarge(self._candidates(small), back), nms=self.nms, min_face=min_face)

    @abstractmethod
    def _candidates(self, bgr: Image) -> Detections:
        """What passes the score in an image of the network's size, in its pixels, double ones included."""


def as_bgr(image: NDArray[np.uint8]) -> Image:
    """Check that an array is an image; expand grey to BGR, leave an alpha channel out.

    Raises:
        ImageError: it is no uint8 array of shape (H, W, 3), (H, W, 4) or (H, W), or it is empty.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(
            f"The image is a {type(image).__name__}, not a numpy array: was the picture read without error?"
        )
    if image.dtype != np.uint8:
        raise ImageError(f"The image holds {image.dtype}: convert it to uint8 with values 0..255.")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise ImageError(f"The image has shape {image.shape}: give BGR (H, W, 3), BGRA (H, W, 4) or grey (H, W).")
    if image.size == 0:
        raise ImageError(f"The image is empty (shape {image.shape}): it needs at least one pixel.")
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    return image if image.shape[2] == 3 else np.ascontiguousarray(image[..., :3])


def shrink(bgr: Image, max_side: int) -> tuple[Image, tuple[float, float]]:
    """Resize an image so that its longest side is at most ``max_side``; small images stay as they are.

    Returns:
        The image and the factors ``(x, y)`` that bring its coordinates back to the given image. They differ
        a little, because both sides are rounded to whole pixels.
    """
    height, width = bgr.shape[:2]
    ratio = max_side / max(height, width)
    if ratio >= 1:
        return bgr, (1.0, 1.0)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    # From 1080p, averaging (INTER_AREA) finds exactly as many faces and takes eight times as long.
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8), (width / size[0], height / size[1])


def enlarge(found: Detections, back: tuple[float, float]) -> Detections:
    """Bring detections of a shrunk image back to the image; ``back`` as :func:`shrink` gives it."""
    scale = np.array(back, np.float32)
    return Detections(found.boxes * np.tile(scale, 2), found.scores, found.keypoints * scale)
