"""Finds a small part of one frame again in the next or the one before, without knowing what it shows."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from streamer.types import FloatArray, Image

_PATCH: Final = 24  # pixels: longest side of the part while it is searched for
_LEAST: Final = 6  # pixels: shortest side of the part while it is searched for: a few pixels look like anything
_FLAT: Final = 8  # grey levels: a part of less contrast looks like any other
_RANGE: Final = 1.0  # sizes of the part it may have moved
_NEARER: Final = 0.2  # correlation by which a match one size away must be better: of two like parts the nearer one
_ALIKE: Final = 0.4  # correlation from which it is the same part


def trace(image: Image, box: FloatArray, other: Image) -> FloatArray | None:
    """Where a part of a picture lies in another one of the same size, by normalised cross-correlation.

    Args:
        image: uint8 ``(H, W, 3)``.
        box: ``(4,)`` xyxy of the part; it may reach over the edge.
        other: the picture shortly before or after.

    Returns:
        ``(4,)`` float32 xyxy in ``other``; ``None`` where nothing near looks the same.
    """
    size = max(float((box[2:] - box[:2]).max()), 1.0)
    scale = min(_PATCH / size, 1.0)
    reach = _RANGE * size * np.array([-1, -1, 1, 1], np.float32)
    part, corner = _cut(image, box, scale)
    around, start = _cut(other, box + reach, scale)
    if min(part.shape) < _LEAST or (np.array(around.shape) < part.shape).any() or np.ptp(part) < _FLAT:
        return None
    alike = np.asarray(cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED), np.float32)
    across, down = (np.arange(alike.shape[axis]) / scale + start[1 - axis] - corner[1 - axis] for axis in (1, 0))
    likeliest = int((alike - _NEARER / size * np.hypot(across[None], down[:, None])).argmax())
    row, column = divmod(likeliest, alike.shape[1])
    if alike[row, column] < _ALIKE:
        return None
    move = across[column] + _between(alike[row], column) / scale, down[row] + _between(alike[:, column], row) / scale
    return np.asarray(box + np.tile(move, 2), np.float32)


def _between(values: FloatArray, peak: int) -> float:
    """How far from a whole index the peak of some values ``(n,)`` lies, by a parabola through three of them."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    before, here, after = values[peak - 1 : peak + 2].tolist()
    bend = before - 2 * here + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0


def _cut(image: Image, box: FloatArray, scale: float) -> tuple[Image, FloatArray]:
    """The part of a box that lies in the picture, grey and scaled, and its corner ``(2,)`` in the picture."""
    height, width = image.shape[:2]
    left, top, right, bottom = np.clip(box, 0, (width, height) * 2).round().astype(int).tolist()
    if right - left < 2 or bottom - top < 2:
        return np.zeros((0, 0), np.uint8), np.zeros(2, np.float32)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    step = max(1, int(0.5 / scale))  # averaging all pixels of a large face takes four times as long
    small = cv2.resize(image[top:bottom:step, left:right:step], size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8), np.array((left, top), np.float32)


def widened(box: FloatArray, share: float, face: FloatArray | None = None) -> FloatArray:
    """A box made larger, on all sides together, by a share of its own size or of a face's ``(4,)`` in it."""
    inner = box if face is None else face
    room = (inner[2:] - inner[:2]) * max(share, 0.0) / 2
    return np.concatenate([box[:2] - room, box[2:] + room]).astype(np.float32)


def joined(first: FloatArray, second: FloatArray) -> FloatArray:
    """The smallest box that holds two."""
    return np.concatenate([np.minimum(first[:2], second[:2]), np.maximum(first[2:], second[2:])])


def share_inside(box: FloatArray, others: FloatArray) -> FloatArray:
    """Which part of a box ``(4,)`` each of ``others (n, 4)`` holds."""
    sides = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0)
    return np.asarray(sides.prod(axis=1) / max(float((box[2:] - box[:2]).prod()), 1e-9), np.float32)
