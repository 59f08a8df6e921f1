"""Which annotated faces can be seen in a picture as it is shown to the network: the word of two detectors.

Annotations name horses, masks on tables, backs of heads, and faces that darkness, noise or blur has since hidden. The
judges are two detectors at the scores from which the live path starts tracks; neither knows the presence head.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.detectors import Detector, load_detector
from streamer.detectors.postprocess import overlap
from streamer.training.presence.truth import truth_of_keypoints
from streamer.types import Detections, FloatArray, Image

HINT: Final = 0.3
"""RetinaFace's score below which a face teaches nothing: nobody could tell that it is there."""

_NEAR: Final = 0.3
_SCALE: Final = 1.67
"""How far from an annotated face, in its sizes, and how much larger or smaller a find may be to be the same."""

_SAME: Final = 0.5
"""IoU of an annotated box and a find from which they are one face."""

_LARGEST: Final = 4096


class Judges:
    """RetinaFace and TinyMog, at full size and on the picture enlarged twice."""

    def __init__(self) -> None:
        self._hint = load_detector("retinaface", max_side=_LARGEST, score=HINT, device="cpu")
        self._both = [load_detector(name, max_side=_LARGEST, device="cpu") for name in ("retinaface", "tinymog")]

    def hinted(self, image: Image, centres: FloatArray, sizes: FloatArray) -> NDArray[np.int64]:
        """1 for each face that RetinaFace finds with a score of at least :data:`HINT` at full size, else 0.

        Args:
            image: BGR ``(H, W, 3)``.
            centres: ``(m, 2)`` of the annotated faces' proper crops.
            sizes: ``(m,)`` of those crops.
        """
        return _found(self._hint, image, centres, sizes, (1,)).astype(np.int64)

    def confirmed(self, image: Image, centres: FloatArray, sizes: FloatArray) -> NDArray[np.int64]:
        """How many of the two detectors find each face, counted from RetinaFace on: 0, 1 or 2; see :meth:`hinted`."""
        first, second = (_found(detector, image, centres, sizes, (1, 2)) for detector in self._both)
        return np.where(first, 1 + second, 0)

    def completed(self, image: Image, entry: dict[str, Any]) -> dict[str, Any]:
        """An annotation whose boxes without keypoints have those that RetinaFace finds there, if it is sure.

        Args:
            image: BGR ``(H, W, 3)``.
            entry: with ``faces``, each with ``box`` and perhaps ``keypoints``; not changed.
        """
        if all(face.get("keypoints") for face in entry["faces"]):
            return entry
        found = self._both[0].detect(image)
        return entry | {"faces": [_with_keypoints(face, found) for face in entry["faces"]]}


def _with_keypoints(face: dict[str, Any], found: Detections) -> dict[str, Any]:
    """An annotated face with the keypoints of the find that is it, or as it is."""
    if face.get("keypoints") or not len(found):
        return face
    overlaps = overlap(np.array(face["box"], np.float32), found.boxes)
    best = int(overlaps.argmax())
    return face | {"keypoints": found.keypoints[best].tolist()} if overlaps[best] >= _SAME else face


def _found(
    detector: Detector, image: Image, centres: FloatArray, sizes: FloatArray, scales: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Which faces ``(m,)`` the detector finds at any of the scales."""
    found = np.zeros(len(sizes), np.bool_)
    for scale in scales:
        shown = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        finds = truth_of_keypoints(detector.detect(np.asarray(shown, np.uint8)).keypoints / np.float32(scale))
        near = np.linalg.norm(centres[:, None] - finds.centres, axis=2) < _NEAR * sizes[:, None]
        ratio = sizes[:, None] / finds.sizes
        found |= (near & (ratio < _SCALE) & (ratio > 1 / _SCALE)).any(axis=1)
    return found
