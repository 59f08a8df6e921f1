"""What make-up changes of a face, for tests."""

from __future__ import annotations

import cv2
import numpy as np

from streamer.effects import Effects
from streamer.effects.base import Effect, bgr_of
from streamer.effects.region import FaceRegion
from streamer.effects.registry import all_effects
from streamer.types import Image
from tests.effects.scenes import Scene

RED, BLUE = "#b01030", "#2040d0"


def effect(name: str, **settings: object) -> Effect:
    """One of them by name, at full strength unless given."""
    return all_effects()[name](**{"strength": 1.0, **settings})


def region(scene: Scene, picture: Image | None = None) -> FaceRegion:
    """The first face's region."""
    shown = scene.picture if picture is None else picture
    found = FaceRegion.of(shown, shown, scene.faces[0])
    assert found is not None
    return found


def made_up(scene: Scene, *effects: Effect) -> Image:
    """The first face's region with effects on it."""
    return region(scene, Effects(effects).apply(scene.picture, scene.faces[:1])).picture


def change(scene: Scene, *effects: Effect) -> np.ndarray:
    """``(h, w)`` how much each pixel of the region differs, the most of its channels."""
    return np.asarray(cv2.absdiff(made_up(scene, *effects), region(scene).picture).max(axis=2))


def lip_mask(face: FaceRegion) -> np.ndarray:
    """The lips by the landmarks alone, without an open mouth."""
    return cv2.subtract(face.fill(face.part("lip_outer"), feather=0.02), face.fill(face.part("lip_inner")))


def hue_distance(picture: Image, where: np.ndarray, colour: str) -> float:
    """Between the mean of some pixels and a colour: the distance of their a and b in CIE Lab, 8 bits."""
    swatch = np.array(bgr_of(colour), np.uint8).reshape(1, 1, 3)
    wanted, found = (cv2.cvtColor(each, cv2.COLOR_BGR2Lab).astype(float) for each in (swatch, picture))
    return float(np.linalg.norm(found[where][:, 1:].mean(axis=0) - wanted[0, 0, 1:]))


def luminance(picture: Image, where: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[where], np.float64)


def disc(scene: Scene, points: list[int], radius: float) -> np.ndarray:
    """Pixels around the middle of some landmarks, ``radius`` in units."""
    face = region(scene)
    mask = np.zeros(face.picture.shape[:2], np.uint8)
    x, y = face.points[points].mean(axis=0).round().astype(int).tolist()
    cv2.circle(mask, (x, y), max(1, round(radius * face.unit)), 1, -1)
    return mask > 0
