"""What every face detector is: an object whose ``detect`` turns an image into :class:`Detections`."""

from __future__ import annotations

from abc import ABC, abstractmethod

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.errors import ImageError
from streamer.types import Detections, Image


class Detector(ABC):
    """Finds faces in single images. May be called from several threads at once.

    Attributes:
        name: the name that :func:`streamer.detectors.load_detector` and ``detector.name`` know it by.
    """

    name: str

    def detect(self, bgr: NDArray[np.uint8]) -> Detections:
        """Find the faces of one image.

        Args:
            bgr: BGR uint8 ``(H, W, 3)``, or grey ``(H, W)``, of any size from 1×1.

        Returns:
            Faces best score first, in pixels of the given image.

        Raises:
            ImageError: the array is empty or is no such image.
        """
        return self._detect(as_bgr(bgr))

    @abstractmethod
    def _detect(self, bgr: Image) -> Detections:
        """Find the faces of a validated image."""


def as_bgr(image: NDArray[np.uint8]) -> Image:
    """Check that an array is an image; expand grey to BGR.

    Raises:
        ImageError: it is no uint8 array of shape (H, W, 3) or (H, W), or it is empty.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(
            f"The image is a {type(image).__name__}, not a numpy array: was the picture read without error?"
        )
    if image.dtype != np.uint8:
        raise ImageError(f"The image holds {image.dtype}: convert it to uint8 with values 0..255.")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ImageError(f"The image has shape {image.shape}: give BGR (H, W, 3) or grey (H, W).")
    if image.size == 0:
        raise ImageError(f"The image is empty (shape {image.shape}): it needs at least one pixel.")
    return image if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)


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
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8), (width / size[0], height / size[1])
