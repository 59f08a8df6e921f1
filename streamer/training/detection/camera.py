"""What camera, light and network do to a whole picture: the effects of ``streamer.training.photometry``, milder.

The mixture for face crops there would wipe a ten-pixel face out; here blur and lost resolution stay below what
leaves a small face visible.
"""

from __future__ import annotations

import cv2
import numpy as np

from streamer.training import photometry
from streamer.types import Image


def disturb(rng: np.random.Generator, image: Image) -> Image:
    """A random camera in random light.

    Args:
        rng: source of chance.
        image: BGR ``(h, w, 3)``, sides below 512.

    Returns:
        A new image of the same shape.
    """
    if rng.random() < 0.06:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    if rng.random() < 0.08 and image.shape[0] == image.shape[1]:
        image = photometry.side_light(image, rng.uniform(0.2, 0.7), rng.uniform(-np.pi, np.pi))
    if rng.random() < 0.75:
        gain = rng.uniform(0.65, 1.35) * rng.uniform(0.9, 1.1, 3)
        image = photometry.tone(image, gain, rng.uniform(-25, 25), float(np.exp(rng.normal(0, 0.2))))
    softness = rng.random()
    if softness < 0.10:
        image = photometry.blur(image, rng.uniform(0.4, 1.3))
    elif softness < 0.16:
        image = photometry.motion_blur(image, rng.uniform(2.5, 6), rng.uniform(-np.pi, np.pi))
    elif softness < 0.22:
        image = photometry.low_resolution(image, int(image.shape[0] * rng.uniform(0.45, 0.9)))
    if rng.random() < 0.05:
        image = photometry.darken(rng, image, rng.uniform(0.15, 0.5))
    elif rng.random() < 0.2:
        image = photometry.noise(rng, image, rng.uniform(1.0, 10.0))
    if rng.random() < 0.1:
        image = photometry.jpeg(image, int(rng.integers(25, 80)))
    return image
