"""Things in front of a face: patches, hands, medical masks and dark glasses, drawn into the picture."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.landmarks.topology import GROUPS
from streamer.types import FloatArray, Image

_SHIFT: Final = 4
_MASK_TOP: Final = (51, 52, 53)


def _fixed(points: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
    """Pixel coordinates to OpenCV's fixed point."""
    return np.round(points * 2**_SHIFT).astype(np.int32)


def _blend(image: Image, shape: Image, paint: Image) -> None:
    """Put ``paint`` where ``shape`` is white, with a soft edge, in place."""
    soft = cv2.blur(shape, (3, 3))[:, :, None].astype(np.uint16)
    image[:] = ((image * (255 - soft) + paint * soft) // 255).astype(np.uint8)


def _cloth(rng: np.random.Generator, like: Image, other: Image) -> Image:
    """A plain, striped or foreign surface of the picture's size."""
    kind = rng.random()
    if kind < 0.35:
        return other
    colour = rng.integers(0, 256, 3)
    if kind < 0.8:
        shade = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1), like.shape[0])[:, None, None]
        return (np.broadcast_to(colour, like.shape) * shade).astype(np.uint8)
    ramp = np.arange(like.shape[1]) * rng.uniform(0.1, 1.5)
    wave = (np.sin(ramp + np.arange(like.shape[0])[:, None] * rng.uniform(-1.5, 1.5)) > 0)[:, :, None]
    return np.where(wave, colour, rng.integers(0, 256, 3)).astype(np.uint8)


def patch(rng: np.random.Generator, image: Image, points: FloatArray, other: Image) -> None:
    """Cover a turned rectangle or an ellipse somewhere over the face, in place."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre = rng.uniform(low - 0.1 * (high - low), high + 0.1 * (high - low))
    size = (high - low) * rng.uniform(0.15, 0.6, 2)
    shape = np.zeros(image.shape[:2], np.uint8)
    box = (tuple(centre.tolist()), tuple(size.tolist()), float(rng.uniform(0, 180)))
    if rng.random() < 0.5:
        cv2.ellipse(shape, box, 255, -1)
    else:
        cv2.fillConvexPoly(shape, _fixed(np.asarray(cv2.boxPoints(box), np.float32)), 255, shift=_SHIFT)
    _blend(image, shape, _cloth(rng, image, other))


def hand(rng: np.random.Generator, image: Image, points: FloatArray) -> None:
    """Hold a hand-like shape (palm, fingers, arm) of nearly the face's own colour before it, in place."""
    low, high = points.min(axis=0), points.max(axis=0)
    unit = float((high - low).mean())
    palm = rng.uniform(low, high) + np.array([0, 0.1 * unit])
    direction = rng.uniform(-np.pi, np.pi) if rng.random() < 0.4 else rng.normal(-np.pi / 2, 0.7)
    shape = np.zeros(image.shape[:2], np.uint8)
    width = unit * rng.uniform(0.3, 0.45)
    box = (tuple(palm.tolist()), (width, width * 1.15), float(np.degrees(direction)))
    cv2.ellipse(shape, box, 255, -1)
    spread, length = rng.uniform(0.08, 0.3), unit * rng.uniform(0.35, 0.6)
    strokes = [(direction + (finger - 1.5) * spread, length * rng.uniform(0.8, 1.0), 0.2) for finger in range(4)]
    strokes += [(direction + rng.choice([-1, 1]) * rng.uniform(0.9, 1.4), length * 0.8, 0.22)]
    strokes += [(direction + np.pi + rng.normal(0, 0.2), unit * 2.5, 0.75)]
    for angle, reach, thickness in strokes:
        tip = palm + reach * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(_fixed(end).tolist()) for end in (palm, tip)]
        cv2.line(shape, ends[0], ends[1], 255, max(2, int(width * thickness)), cv2.LINE_8, _SHIFT)
    column, row = points[GROUPS["nose"]].mean(axis=0).clip(0, image.shape[0] - 1).astype(int)
    skin = image[row, column] * rng.uniform(0.6, 1.25) + rng.normal(0, 12, 3)
    shade = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.7, 1.2), image.shape[1])[None, :, None]
    texture = image[::-1, ::-1].astype(np.float32) * 0.25
    _blend(image, shape, (skin * shade * 0.75 + texture).clip(0, 255).astype(np.uint8))


def mask(rng: np.random.Generator, image: Image, points: FloatArray, other: Image) -> None:
    """Put a face mask over nose (or only mouth) and chin, in place."""
    first, last = 2 + int(rng.integers(0, 4)), 30 - int(rng.integers(0, 4))
    top = points[_MASK_TOP[int(rng.integers(len(_MASK_TOP)))]] if rng.random() < 0.85 else points[60]
    jaw = points[first : last + 1]
    centre = points[GROUPS["lip_outer"]].mean(axis=0)
    outline = np.concatenate([centre + (jaw - centre) * rng.uniform(1.0, 1.08), top[None]])
    shape = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(shape, [_fixed(outline)], 255, shift=_SHIFT)
    paint = _cloth(rng, image, other)
    if rng.random() < 0.5:
        paint = np.clip(rng.uniform([170, 150, 120], [250, 245, 240]) + np.zeros(image.shape), 0, 255).astype(np.uint8)
    relief = np.asarray(cv2.addWeighted(paint, 0.85, cv2.GaussianBlur(image, (0, 0), 3), 0.15, 0), np.uint8)
    _blend(image, shape, relief)


def glasses(rng: np.random.Generator, image: Image, points: FloatArray) -> None:
    """Put dark or tinted glasses before both eyes, in place."""
    shape = np.zeros(image.shape[:2], np.uint8)
    scale = rng.uniform(1.3, 2.0)
    for name in ("eye_left", "eye_right"):
        eye = points[GROUPS[name]]
        centre, extent = eye.mean(axis=0), np.ptp(eye, axis=0)
        size = (float(extent[0] * scale + 2), float(max(extent[0] * 0.7, extent[1]) * scale + 2))
        cv2.ellipse(shape, (tuple(centre.tolist()), size, 0.0), 255, -1)
    bridge = [tuple(_fixed(points[index]).tolist()) for index in (70, 75)]
    cv2.line(shape, bridge[0], bridge[1], 255, 2, cv2.LINE_8, _SHIFT)
    tint = np.clip(rng.uniform(0, 60) + rng.normal(0, 10, 3), 0, 255)
    paint = image * rng.uniform(0, 0.4) + tint
    _blend(image, shape, paint.clip(0, 255).astype(np.uint8))


def occlude(rng: np.random.Generator, image: Image, points: FloatArray, other: Image) -> None:
    """Hide part of about two faces in five, in place.

    Args:
        rng: source of chance.
        image: picture to draw into.
        points: ``(106, 2)`` finite landmarks in it.
        other: another picture of the same size, whose pixels serve as a foreign surface.
    """
    chance = rng.random()
    if chance < 0.17:
        for _ in range(int(rng.integers(1, 3))):
            patch(rng, image, points, other)
    elif chance < 0.27:
        hand(rng, image, points)
    elif chance < 0.35:
        mask(rng, image, points, other)
    elif chance < 0.39:
        glasses(rng, image, points)
