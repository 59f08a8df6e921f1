"""One face as effects see it: a view of the picture around it, its points there, and masks made when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.effects.memory import Moment
from streamer.landmarks.topology import GROUPS, LEFT_OUTER_CORNER, RIGHT_OUTER_CORNER
from streamer.types import Face, FloatArray, Image

T = TypeVar("T")

Mask = NDArray[np.uint8]
"""``(h, w)`` uint8, 0..255: how much of a pixel belongs to a part."""

_CHIN: Final = 16
_CHIN_DISTANCE: Final = 1.26  # from the middle of the eyes, in eye distances, on the mean face
_FOREHEAD: Final = 0.95  # height of the hair line above the eyes, in units; lower at the temples
_PAD: Final = 0.35  # room around the face, in units: what shape effects may draw in
_SMALLEST: Final = 4.0  # pixels: below this eye distance nothing can be seen of an effect
_SHIFT: Final = 4  # polygons are drawn at 1/16 pixel: whole pixels would flicker
_FINER: Final = 2  # and enlarged: the edges OpenCV draws jump by parts of a pixel
_HELD: Final = np.array((LEFT_OUTER_CORNER, RIGHT_OUTER_CORNER, _CHIN))  # what tells a face's size
_TURNS: Final = np.linspace(0.0, math.pi, 13, dtype=np.float32)[1:-1, None]
_ACROSS: Final = (1 + np.cos(_TURNS)) / 2  # of the arc over the forehead: how far from the jaw line's left end
FOREHEAD: Final = len(_ACROSS)  # points of the arc
_ALONG: Final = _FOREHEAD * np.sin(_TURNS) ** np.float32(0.7)  # and how high, in units


class FaceRegion:
    """One face in one picture.

    Attributes:
        face: what was found.
        rect: x1, y1, x2, y2 of the region in the picture, inside it, in whole pixels.
        picture: ``(h, w, 3)`` BGR view of the picture being changed.
        source: the same view of the picture before the first effect, read-only.
        unit: the face's size in pixels, whichever way it looks: the distance of the outer eye corners if it looked
            straight ahead.
        right: unit vector along the eye line, to image-right on an upright face.
        down: unit vector from the eyes to the chin.
    """

    def __init__(
        self, picture: Image, source: Image, face: Face, rect: tuple[int, int, int, int], moment: Moment | None = None
    ) -> None:
        x1, y1, x2, y2 = self.rect = rect
        self.face = face
        self._moment = moment
        self.picture: Image = picture[y1:y2, x1:x2]
        self.source: Image = source[y1:y2, x1:x2]
        self._points: FloatArray | Callable[[], FloatArray] = face.landmarks - np.array((x1, y1), np.float32)
        self.unit = face_unit(face.landmarks)
        roll = math.radians(face.pose.roll)
        self.right: FloatArray = np.array((math.cos(roll), math.sin(roll)), np.float32)
        self.down: FloatArray = np.array((-math.sin(roll), math.cos(roll)), np.float32)
        self._made: dict[str, Any] = {}

    @classmethod
    def of(cls, picture: Image, source: Image, face: Face, moment: Moment | None = None) -> FaceRegion | None:
        """The region of a face; ``None`` where its landmarks are missing, or it is outside the picture or tiny."""
        points = face.landmarks
        if not has_points(face) or not np.isfinite(points).all():
            return None
        unit = face_unit(points)
        if unit < _SMALLEST:
            return None
        arc = _forehead(points, face.pose.roll, unit)
        outline = np.concatenate([points, arc])
        (left, top), (right, bottom) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
        height, width = source.shape[:2]
        pad = _PAD * unit
        x1, y1 = max(0, math.floor(left - pad)), max(0, math.floor(top - pad))
        x2, y2 = min(width, math.ceil(right + pad)), min(height, math.ceil(bottom + pad))
        if x2 - x1 < 2 or y2 - y1 < 2:
            return None
        region = cls(picture, source, face, (x1, y1, x2, y2), moment)
        region.forehead = arc - np.array((x1, y1), np.float32)
        return region

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.source.shape[1], self.source.shape[0]

    @property
    def points(self) -> FloatArray:
        """``(106, 2)`` float32 landmarks in pixels of the region; shape effects move them along."""
        if callable(self._points):
            self._points = self._points()
        return self._points

    def part(self, name: str) -> FloatArray:
        """The points of a part such as ``lip_outer`` (see :data:`streamer.landmarks.topology.GROUPS`)."""
        return self.points[GROUPS[name]]

    @cached_property
    def forehead(self) -> FloatArray:
        """``(n, 2)`` points over the forehead from the right end of the jaw line to the left one."""
        return _forehead(self.points, self.face.pose.roll, self.unit)

    @cached_property
    def outline(self) -> FloatArray:
        """``(n, 2)`` closed line around the face, forehead included."""
        return np.concatenate([self.part("jaw"), self.forehead])

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` returns, made the first time ``name`` is asked for; treat it as read-only."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    def faded(self, name: str, values: tuple[float, ...]) -> tuple[float, ...]:
        """What is seen in this picture, 0..1; in a stream, as near to it as :class:`Memory` lets it come or go."""
        if self._moment is None or self.face.track_id is None:
            return values
        return self._moment.memory.faded(self.face.track_id, name, values, self._moment.pts)

    def moved(self, points: Callable[[], FloatArray]) -> None:
        """Take the landmarks as they are after a warp; what was derived from the old ones is made anew.

        Args:
            points: tells them, should they be asked for: a warp is often the last effect.
        """
        self._points = points
        self._made.clear()
        for name in ("forehead", "outline"):
            self.__dict__.pop(name, None)

    def fill(self, *polygons: FloatArray, feather: float = 0.0) -> Mask:
        """A mask of polygons with smooth edges.

        Args:
            polygons: ``(n, 2)`` each, in pixels of the region.
            feather: width of the edge in units (the face's size); 0 leaves it one pixel wide.
        """
        mask: Mask = np.zeros(self.source.shape[:2], np.uint8)
        # Blurring twice reaches as far as the feather is wide; one pixel more is what edges need.
        rows, columns = _around(polygons, 2 + math.ceil(feather * self.unit), self.size)
        part = mask[rows, columns]
        if not part.size:
            return mask
        corner = np.array((columns.start, rows.start), np.float32) - 0.5
        large: Mask = np.zeros((part.shape[0] * _FINER, part.shape[1] * _FINER), np.uint8)
        for polygon in polygons:
            fixed = np.round(((polygon - corner) * _FINER - 0.5) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(large, [fixed], 255, cv2.LINE_AA, _SHIFT)
        cv2.resize(large, part.shape[::-1], dst=part, interpolation=cv2.INTER_AREA)
        self.soften(part, feather)
        return mask

    def soften(self, mask: Mask, feather: float) -> Mask:
        """Blur a mask's edge over ``feather`` units, in place."""
        side = feather * self.unit
        for _ in range(2 if side > 1 else 0):
            _box_blur(mask, side)
        return mask


def _around(polygons: Sequence[FloatArray], margin: int, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns around some polygons in a picture of this width and height."""
    corners = np.concatenate(polygons)
    spans = zip(corners.min(axis=0).tolist(), corners.max(axis=0).tolist(), size, strict=True)
    columns, rows = (
        slice(max(0, math.floor(low) - margin), max(0, min(side, math.ceil(high) + margin + 1)))
        for low, high, side in spans
    )
    return rows, columns


def _box_blur(mask: Mask, side: float) -> None:
    """Average over a square whose side may be broken: a side that jumps by pixels makes a face's edge tremble."""
    below = 2 * int((side - 1) / 2) + 1
    small, large = (cv2.blur(mask, (odd, odd), borderType=cv2.BORDER_REPLICATE) for odd in (below, below + 2))
    part = (side - below) / 2
    cv2.addWeighted(small, 1 - part, large, part, 0.0, dst=mask)


def has_points(face: Face) -> bool:
    """Whether a face comes with landmarks and a pose; one that a user has made may lack them."""
    return isinstance(face.landmarks, np.ndarray) and face.landmarks.shape == (106, 2) and face.pose is not None


def face_unit(landmarks: FloatArray) -> float:
    """The distance of the outer eye corners of a face, were it looking straight ahead.

    Turning shortens the eye line, nodding the line from the eyes to the chin: the longer of both tells the size.

    Args:
        landmarks: ``(106, 2)`` pixels.
    """
    (x1, y1), (x2, y2), (x, y) = landmarks[_HELD].tolist()
    across = math.hypot(x2 - x1, y2 - y1)
    along = math.hypot(x - (x1 + x2) / 2, y - (y1 + y2) / 2) / _CHIN_DISTANCE
    return max(across, along)


def _forehead(points: FloatArray, roll: float, unit: float) -> FloatArray:
    """An arc from the right end of the jaw line over the forehead to the left one; the landmarks end at the brows."""
    angle = math.radians(roll)
    up = np.array((unit * math.sin(angle), -unit * math.cos(angle)), np.float32)
    first, last = points[0], points[32]
    return np.asarray(first + (last - first) * _ACROSS + up * _ALONG, np.float32)
