"""A face cut out of its frame, upright and at the size it is shown in."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt5.QtGui import QImage

from streamer.landmarks.geometry import roll_from_keypoints
from streamer.types import Face, Image

_KEYPOINTS = [74, 83, 54, 84, 90]  # of the 106 landmarks: both eyes, nose tip, both corners of the mouth
_MARGIN = 1.45  # side of the crop in units of the landmarks' larger side
_FOREHEAD = 0.10  # how far the crop's middle lies above theirs, in the same units: landmarks end at the brows


def upright_crop(image: Image, face: Face, side: int, *, mirrored: bool = False) -> QImage:
    """Cut a face out.

    Args:
        image: the frame, BGR ``(H, W, 3)``.
        face: with its landmarks in pixels of the frame.
        side: of the crop in device pixels.
        mirrored: swap left and right.

    Returns:
        A square picture; black where the face reaches over the frame's edge.
    """
    roll = float(roll_from_keypoints(face.landmarks[None, _KEYPOINTS])[0])
    c, s = math.cos(roll), math.sin(roll)
    upright = face.landmarks @ np.array(((c, -s), (s, c)), np.float32)
    low, high = upright.min(axis=0), upright.max(axis=0)
    reach = max(float((high - low).max()), 1.0)
    x, y = ((low + high) / 2 - (0, _FOREHEAD * reach)).tolist()
    scale = side / (reach * _MARGIN)
    matrix = np.array(((c, s, -x), (-s, c, -y)), np.float64) * scale
    matrix[:, 2] += side / 2
    if mirrored:
        matrix[0] *= -1
        matrix[0, 2] += side - 1
    crop = _sample(image, matrix, scale, side)
    return QImage(crop.tobytes(), side, side, 4 * side, QImage.Format_RGB32).copy()


def _sample(image: Image, matrix: NDArray[np.float64], scale: float, side: int) -> Image:
    """Sample the frame, shrunk first where bilinear sampling would skip pixels; BGRA ``(side, side, 4)``."""
    corners = np.array(((0, 0), (side, 0), (0, side), (side, side)), np.float64) - matrix[:, 2]
    corners = corners @ np.linalg.inv(matrix[:, :2]).T
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, (image.shape[1] - 1, image.shape[0] - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 3, (left + 1, top + 1), image.shape[1::-1])
    part = image[top:bottom, left:right]
    within = matrix.copy()
    within[:, 2] += matrix[:, :2] @ (left, top)
    while scale < 0.5:  # exact halves: OpenCV shrinks by other factors fifteen times more slowly
        width, height = part.shape[1] // 2, part.shape[0] // 2
        part = np.asarray(cv2.resize(part[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA))
        within[:, :2] *= 2
        scale *= 2
    four = cv2.cvtColor(part, cv2.COLOR_BGR2BGRA)
    return np.asarray(cv2.warpAffine(four, within, (side, side), flags=cv2.INTER_LINEAR), np.uint8)
