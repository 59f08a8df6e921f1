"""Detection for covers: what might be a face counts as one, in every frame, whichever way it is turned.

Leaving out frames in which nothing has changed would save little: with cells fine enough to notice a small face,
82-100 % of the frames of people talking to a webcam have changed.
"""

from __future__ import annotations

from copy import copy
from typing import Final

import numpy as np

from streamer.detectors import Detector
from streamer.detectors.postprocess import take
from streamer.detectors.rotation import STREAM_SIDE, TURNS, turned_pass
from streamer.types import Detections, FloatArray, Image

_DOUBT: Final = 0.5  # share of the detector's score from which a find may be a face
_SHRINK: Final = (
    2  # the picture is shrunk no further: in a 1080p street scene, 640 px missed three times as many as 960
)
_LARGEST: Final = 1280  # pixels; from here on a network takes too long for a stream
_LARGEST_STILL: Final = 2560  # a picture that stands still may take longer


class Lookout:
    """Looks for everything that may be a face.

    Args:
        detector: its network and thresholds.
        turned: also look for faces that lie on a side or upside down.
    """

    def __init__(self, detector: Detector, *, turned: bool) -> None:
        self._sure, self._side = detector.score, detector.max_side
        self._detector = copy(detector)
        self._detector.score = detector.score * _DOUBT
        self._turns = TURNS if turned else ()
        self._calls = 0

    def search(self, bgr: Image, *, thorough: bool = False) -> tuple[Detections, FloatArray]:
        """Look upright, and in the next of the turns.

        Args:
            bgr: the picture.
            thorough: look in all turns, as for a picture that is not followed by others.

        Returns:
            What the detector is sure of, upright faces only, and ``(n, 4)`` xyxy boxes of what else may be a face.
        """
        longest = max(bgr.shape)
        self._detector.max_side = max(
            self._side, min(longest, _LARGEST_STILL) if thorough else min(longest // _SHRINK, _LARGEST)
        )
        seen = self._detector.detect(bgr)
        sure = seen.scores > self._sure
        turned = [turned_pass(self._detector, bgr, turn, STREAM_SIDE).boxes for turn in self._next(thorough)]
        return take(seen, np.flatnonzero(sure)), np.concatenate([seen.boxes[~sure], *turned])

    def _next(self, thorough: bool) -> tuple[int, ...]:
        if thorough or not self._turns:
            return self._turns
        self._calls += 1
        return (self._turns[self._calls % len(self._turns)],)
