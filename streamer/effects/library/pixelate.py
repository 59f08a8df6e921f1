"""Faces as a few large tiles.

What follows holds for all covers: ``black_bar``, ``blur``, ``emoji`` and ``pixelate``.

What they hide is the face: tiles and blur leave a few mean colours of it, which nothing can undo, emoji and bar leave
nothing. What they do not hide is all else by which people know each other: hair, head, body, clothes, voice, and the
place. ``black_bar.part=eyes`` leaves nose, mouth and chin to be seen: whoever knows the face will know it.

While one is on, the picture comes 5 frames late (about 0.2 s at 25 frames a second; latency figures count it): in that
time every part of it is searched at its full size, up to 1920 pixels, and turned, and what is found is covered in the
frames before as well. So a face is covered from the first frame that shows it, also when it comes from behind somebody,
or enters turned sideways. A pause, a jump and the end of a file show at once what waits; single pictures are searched
thoroughly and never wait. Without a cover nothing is delayed.

Hidden, too: faces that are new, lost, or more than ``tracking.max_faces``, for a second longer than they are seen;
they cannot be told apart by ``faces`` and are always covered. What merely resembles a face (a hand, a printed one) is
covered where the detector is in doubt. Not found: faces of less than about 20 pixels, or of less than a hundredth of
the longer side where that is more than 1920 pixels; and faces turned sideways or upside down of less than a sixteenth
of it while nobody larger in view is turned that way. ``facestream evaluate covers CLIP...`` counts the faces that show
in a clip of yours.
"""

from __future__ import annotations

import math
from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.base import strength
from streamer.effects.covering import CoverEffect, Place, bounds, cell_size
from streamer.types import FloatArray, Image

_SAMPLES: Final = 8  # per tile and axis, at most


class Pixelate(CoverEffect):
    """Turns faces into a few large tiles; stronger means fewer."""

    title: ClassVar[str] = "Pixelate"

    strength: float = strength(0.5, "how coarse the tiles are: about 7 across a face at 0.05, 5 at 0.5, 3 at 1")

    def cover(self, picture: Image, place: Place) -> None:
        """Replace every tile that touches the face by its mean colour; the tiles move along with the face."""
        side = cell_size(place, self.strength)
        where = bounds(place.outline(side), picture)
        if where is None:
            return
        rows, tops = _grid(where[0], place.y, side)
        columns, lefts = _grid(where[1], place.x, side)
        tiles = _means(picture, lefts, tops, side)
        touched = place.within(lefts + side / 2, tops + side / 2, 0.75 * side).astype(np.uint8)
        mosaic, mask = (small.take(columns, axis=1).take(rows, axis=0) for small in (tiles, touched))
        cv2.copyTo(mosaic, mask, picture[where])


def _grid(pixels: slice, middle: float, side: float) -> tuple[NDArray[np.intp], FloatArray]:
    """The tile of every pixel, and where the tiles begin; a tile ends in the middle of the face."""
    tile = np.floor((np.arange(pixels.start, pixels.stop) + 0.5 - middle) / side).astype(np.intp)
    begins = middle + side * np.arange(tile[0], tile[-1] + 1)
    return tile - tile[0], begins.astype(np.float32)


def _means(picture: Image, lefts: FloatArray, tops: FloatArray, side: float) -> Image:
    """Mean colours of tiles, taken between the pixels: from whole ones they would tremble with the face's size."""
    samples = min(_SAMPLES, math.ceil(side))
    step = side / samples
    start = float(lefts[0]) + (step - 1) / 2, float(tops[0]) + (step - 1) / 2
    matrix = np.array([[step, 0, start[0]], [0, step, start[1]]])
    size = len(lefts) * samples, len(tops) * samples
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(picture, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(fine, (len(lefts), len(tops)), interpolation=cv2.INTER_AREA), np.uint8)
