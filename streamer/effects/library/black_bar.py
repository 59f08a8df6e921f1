"""A black bar over the whole face, or over the eyes alone."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import cv2
import numpy as np

from streamer.effects.base import strength
from streamer.effects.covering import CoverEffect, Place, bounds
from streamer.effects.region import face_unit
from streamer.schema import key
from streamer.types import FloatArray, Image

_EYES: Final = np.r_[33:51, 66:84, 104:106]  # brows, eyes and pupils
_ROOM: Final = 0.12  # above the brows and below the eyes, in the face's units, at the least


class BlackBar(CoverEffect):
    """Lays a black bar over the whole face, or over the eyes alone, as newspapers do, which hides far less."""

    title: ClassVar[str] = "Black bar"

    strength: float = strength(0.5, "how far it reaches beyond eyes or face")
    part: Literal["face", "eyes"] = key(
        "face", "what it covers; eyes alone leave a face that people who know it recognise"
    )

    def cover(self, picture: Image, place: Place) -> None:
        """Fill a rectangle that is turned like the face."""
        corners = self._corners(place)
        where = bounds(corners, picture)
        if where is not None:
            shifted = corners - np.array((where[1].start, where[0].start), np.float32)
            part = np.ascontiguousarray(picture[where])
            cv2.fillPoly(part, [np.round(shifted * 16).astype(np.int32)], (0, 0, 0), cv2.LINE_AA, 4)
            picture[where] = part

    def _corners(self, place: Place) -> FloatArray:
        """``(4, 2)`` corners in the picture."""
        turn = place.axes
        centre = np.array((place.x, place.y), np.float32) @ turn
        half = np.array((place.across, place.along), np.float32) * (1 + 0.25 * self.strength)
        low, high = centre - half, centre + half
        if self.part == "eyes" and place.sets:
            eyes = np.concatenate([points[_EYES] for points in place.sets]) @ turn
            room = (_ROOM + 0.35 * self.strength) * max(face_unit(points) for points in place.sets)
            low[1], high[1] = eyes[:, 1].min() - room, eyes[:, 1].max() + room
        rectangle = np.array([(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])], np.float32)
        return np.asarray(rectangle @ turn.T, np.float32)
