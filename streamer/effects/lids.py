"""Where the upper lids are: the landmarks hardly follow eyes that shut, the picture shows it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from streamer.effects.ramps import ramps
from streamer.types import FloatArray, Image


def lid_heights(picture: Image, upper: FloatArray, lower: FloatArray, light: float) -> tuple[FloatArray, FloatArray]:
    """Where each upper lid's edge is between the landmarks' upper (0) and lower lid (1), and how dark an eye is.

    The landmarks hardly follow an eye that shuts. But going down from the brow, skin turns dark at the lashes, whether
    over an iris or over the cheek: the mean place of that step, weighted by its height, follows every blink at once
    and moves smoothly.

    Args:
        picture: BGR uint8 ``(h, w, 3)``.
        upper: ``(2, 17, 2)`` the landmarks' upper lids in its pixels.
        lower: the same of the lower ones.
        light: the luminance of the face's skin, 0..255.

    Returns:
        ``(2,)`` how far down the lids are, and ``(2,)`` how much darker than skin the eyes are, 0..1.
    """
    grid = upper[:, _MIDDLE, None] + (lower - upper)[:, _MIDDLE, None] * _DOWN[:, None]
    at = grid.astype(np.float32).reshape(-1, len(_DOWN), 2)
    samples = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.cvtColor(samples, cv2.COLOR_BGR2GRAY)
    # The outermost of each eye's lines are there for this filter only.
    fall = cv2.sepFilter2D(grey, cv2.CV_32F, _FALL, _SMOOTH).reshape(grid.shape[:3])[:, 1:-1, 1:-1]
    drop = np.maximum(fall, 0) ** 2 * _LIKELY
    reached = np.cumsum(drop, axis=2)
    total = reached[..., -1:] + 1
    still_to_come = (total - reached + drop) / total
    step = (drop * still_to_come**2).sum(axis=1)  # the first counts most: lights in the eye make further ones below
    place = step @ _STEPS / (step.sum(axis=1) + 1.0)
    for _ in range(_ROUNDS):
        near = step * np.exp(-(((_STEPS - place[:, None]) / _NEAR) ** 2))
        place = (near @ _STEPS + 0.01 * place) / (near.sum(axis=1) + 0.01)
    levels = grey.reshape(grid.shape[:3])
    seen = np.minimum(levels[:, 1:-1, _WITHIN], light)
    # Halfway down there is skin, which is even, where a lid hangs low; beside an iris there is white.
    across = levels[:, :, _HALFWAY].mean(axis=2) @ _UNEVEN.T
    varied = np.sqrt((across**2).mean(axis=1)) / light
    varied += _OTHER * np.maximum(varied[::-1] - varied, 0)  # eyes mostly open together, but they wink
    iris = ramps(varied, *_VARIED)
    place = np.minimum(np.maximum(place, -0.15), 1).astype(np.float32)
    place -= iris * np.maximum(place - _IRIS_SHOWS, 0)
    return place, 1 - seen.mean(axis=(1, 2)) / light


def on_lashes(picture: Image, lids: FloatArray, shut: FloatArray, down: FloatArray, light: float) -> FloatArray:
    """The upper lids ``(2, 17, 2)``; a shut one hangs down where the landmarks' line rises, as its lashes do.

    These are at the lowest step to darkness near each of its places: a fold above makes another.

    Args:
        picture: BGR uint8 ``(h, w, 3)``.
        lids: ``(2, 17, 2)`` lines in its pixels that are at the right height.
        shut: ``(2,)`` 0..1; an open lid is left as it is.
        down: ``(2,)`` from the eyes to the chin, the face's size (its unit) long, in pixels.
        light: the luminance of the face's skin, 0..255.
    """
    if not shut.any():
        return lids
    at = lids[:, _COLUMNS, None] + _OFF[:, None] * down
    flat = at.astype(np.float32).reshape(-1, len(_OFF), 2)
    seen = cv2.remap(picture, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    fall = cv2.sepFilter2D(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY), cv2.CV_32F, _FALL, _NO_BLUR).reshape(at.shape[:3])
    step = (np.maximum(fall, 0) / light) ** 2 * _NEAR_LID
    reached = np.cumsum(step, axis=2)
    passed = (reached - step / 2) / (reached[..., -1:] + 1e-6)
    step *= passed**2
    sure = step.sum(axis=2)
    place = step @ _OFF / (sure + 1e-6)
    sure = sure / (sure + _FAINT)
    normal = (_BENDS.T[None] * sure[:, None]) @ _BENDS + _STIFF
    bends = np.linalg.solve(normal, ((sure * place) @ _BENDS)[..., None])[..., 0]
    moves = shut[:, None] * np.clip(bends @ _BENDS_OF_ALL.T, -_FARTHEST, _FARTHEST)
    return np.asarray(lids + moves[..., None] * down, np.float32)


_COLUMNS: Final = np.arange(1, 16, 2)
_OFF: Final = np.arange(-0.08, 0.085, 0.01, dtype=np.float32)  # units up and down from a lid
_NO_BLUR: Final = np.ones(1, np.float32)
_NEAR_LID: Final = np.exp(-((_OFF / 0.045) ** 2)).astype(np.float32)
_FAINT: Final = 0.02  # of the skin's light, squared: a step that counts half
_ALL: Final = np.linspace(-1, 1, 17, dtype=np.float32)
_BENDS_OF_ALL: Final = np.stack([np.ones(17, np.float32), _ALL, _ALL**2], axis=1)
_BENDS: Final = _BENDS_OF_ALL[_COLUMNS]
_STIFF: Final = np.diag(np.array((0.3, 0.6, 0.6), np.float32))  # in columns: what holds a lid where it is
_FARTHEST: Final = 0.06
_MIDDLE: Final = slice(3, 14)  # of a lid's line
_FALL: Final = np.array((1, 2, 0, -2, -1), np.float32) / 4
_SMOOTH: Final = np.array((1, 2, 1), np.float32) / 4
_DOWN: Final = np.linspace(-0.5, 1.3, 28, dtype=np.float32)
_STEPS: Final = _DOWN[1:-1]
_WITHIN: Final = slice(8, 23)  # between the lids
_HALFWAY: Final = slice(9, 14)  # a tenth to four tenths of the way down
_UNEVEN: Final = (
    np.eye(11, dtype=np.float32) - np.float32(1 / 11) - np.outer(*[np.arange(-5, 6, dtype=np.float32)] * 2) / 110
)
_VARIED: Final = (0.075, 0.115)  # in the skin's light, beyond a slope: a lid, surely an iris
_OTHER: Final = np.float32(0.35)
_IRIS_SHOWS: Final = np.float32(0.05)  # as low as a lid is there
_ROUNDS: Final = 2
_NEAR: Final = 0.35  # of an eye's height
_LIKELY: Final = np.exp(-(((_STEPS - 0.4) / 0.6) ** 2)).astype(np.float32)
