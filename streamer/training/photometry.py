"""What camera, light and network do to a crop: blur, motion, low resolution, noise, darkness, colour, JPEG."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.types import Image

_BANK: Final = 512


@lru_cache(maxsize=1)
def _noise_bank() -> NDArray[np.float32]:
    """Normal noise to cut pieces from: drawing fresh numbers for every crop would cost more than the warp."""
    return np.random.default_rng(7).standard_normal((_BANK, _BANK, 3), np.float32)


def blur(image: Image, sigma: float) -> Image:
    """Gaussian blur; sigma in pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma))


def motion_blur(image: Image, length: float, angle: float) -> Image:
    """Smear along a line of ``length`` pixels at ``angle`` radians."""
    size = int(np.ceil(length)) // 2 * 2 + 1
    kernel = np.zeros((size, size), np.float32)
    reach = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([size // 2, size // 2])
    start, end = np.round((middle - reach) * 16).astype(int), np.round((middle + reach) * 16).astype(int)
    cv2.line(kernel, tuple(start.tolist()), tuple(end.tolist()), 1.0, 1, cv2.LINE_8, 4)
    return np.asarray(cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1.0)))


def low_resolution(image: Image, side: int) -> Image:
    """As if the face had been ``side`` pixels wide in the frame."""
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def noise(rng: np.random.Generator, image: Image, sigma: float) -> Image:
    """Normal noise of ``sigma`` grey levels."""
    row, column = rng.integers(0, _BANK - max(image.shape), 2)
    piece = _noise_bank()[row : row + image.shape[0], column : column + image.shape[1]]
    return np.asarray(cv2.add(image, piece * np.float32(sigma), dtype=cv2.CV_8U))


def jpeg(image: Image, quality: int) -> Image:
    """Compress and decompress."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def tone(image: Image, gain: NDArray[np.float64], bias: float, gamma: float) -> Image:
    """Per-channel gain, bias in grey levels and gamma, as one look-up table."""
    levels = (np.arange(256) / 255.0)[:, None] ** gamma
    table = (levels * 255 * gain + bias).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]))


def side_light(image: Image, strength: float, angle: float) -> Image:
    """Brighten one side and darken the other by up to ``strength`` (0..1)."""
    steps = np.linspace(-1, 1, image.shape[0], dtype=np.float32)
    ramp = np.float32(np.cos(angle)) * steps[None, :] + np.float32(np.sin(angle)) * steps[:, None]
    return (image * (1 + np.float32(strength) * ramp)[:, :, None]).clip(0, 255).astype(np.uint8)


def darken(rng: np.random.Generator, image: Image, level: float) -> Image:
    """A room at ``level`` of the light (0..1) with the noise a camera then adds."""
    return noise(rng, tone(image, np.full(3, level), 0.0, 1.0), 3.0 + 5.0 * (1 - level))


def disturb(rng: np.random.Generator, image: Image) -> Image:
    """A random camera in random light.

    Args:
        rng: source of chance.
        image: BGR crop.

    Returns:
        A new image of the same shape.
    """
    if rng.random() < 0.15:
        return image
    if rng.random() < 0.07:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    if rng.random() < 0.15:
        image = side_light(image, rng.uniform(0.2, 0.8), rng.uniform(-np.pi, np.pi))
    if rng.random() < 0.8:
        gain = rng.uniform(0.65, 1.35) * rng.uniform(0.88, 1.12, 3)
        image = tone(image, gain, rng.uniform(-25, 25), float(np.exp(rng.normal(0, 0.2))))
    softness = rng.random()
    if softness < 0.13:
        image = blur(image, rng.uniform(0.5, 2.2))
    elif softness < 0.23:
        image = motion_blur(image, rng.uniform(3, 11), rng.uniform(-np.pi, np.pi))
    elif softness < 0.36:
        image = low_resolution(image, int(rng.integers(20, 64)))
    if rng.random() < 0.10:
        image = darken(rng, image, rng.uniform(0.12, 0.5))
    elif rng.random() < 0.3:
        image = noise(rng, image, rng.uniform(1.0, 14.0))
    if rng.random() < 0.15:
        image = jpeg(image, int(rng.integers(15, 75)))
    return image
