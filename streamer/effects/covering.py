"""What hides a face: which faces a rule picks, how far a cover reaches, and how little of a face it may leave."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from streamer.detectors.postprocess import overlap
from streamer.effects.base import Canvas, Phase, PictureEffect
from streamer.effects.region import FaceRegion, face_unit, has_points
from streamer.landmarks.topology import LEFT_OUTER_CORNER, RIGHT_OUTER_CORNER
from streamer.schema import key
from streamer.types import Face, FloatArray, Image, boxes_of

Picks = Callable[[Face], bool | None]
"""Whether a rule means a face; ``None`` where that cannot be told, and then the face is covered."""


@dataclass(frozen=True, slots=True)
class FaceRule:
    """Which faces are covered; one that the rule cannot judge is.

    Attributes:
        picks: whether the rule's list holds a face.
        inverted: whether the faces of the list are the ones left open.
    """

    picks: Picks
    inverted: bool = False

    def covers(self, face: Face) -> bool:
        """Whether a face is to be covered."""
        picked = self.picks(face)
        return picked is None or picked != self.inverted


def _by_id(text: str) -> Picks:
    ids = frozenset(int(part) for part in text.split(","))
    if min(ids) < 1:
        raise ValueError("ids begin at 1")
    return lambda face: None if face.track_id is None else face.track_id in ids


_LISTS: Final[dict[str, Callable[[str], Picks]]] = {"id": _by_id}
"""What a rule can name faces by: the word, and what reads the list behind it (``ValueError`` where it is wrong)."""


_OPEN_IOU: Final = 0.5  # a hidden place that overlaps this much with a face left open is that face
_BOX_REACH: Final = 2**0.25  # makes a rounded box of power 4 hold the whole box
_CORNERS: Final = 0.85 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)  # of the box, nearly
_ANGLES: Final = np.linspace(0, 2 * np.pi, 64, endpoint=False)
_CIRCLE: Final = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_EARS: Final = np.r_[0:8, 25:33]  # points of the jaw line beside which ears are
_EAR: Final = 0.25  # room beside the jaw line, in the face's units
_HAIR: Final = 1.15  # likewise above the eyes
_CHIN: Final = 0.1  # likewise below the chin
_FINEST, _COARSEST = 7.0, 3.0  # cells across a face: people know a face they know from 16


@lru_cache(maxsize=64)
def parse_rule(text: str) -> FaceRule:
    """The rule that a text such as ``all``, ``id 1,4`` or ``not id 2`` stands for.

    Raises:
        ValueError: it is none; says what is allowed.
    """
    words = text.split(maxsplit=1)
    if words == ["all"]:
        return FaceRule(lambda face: True)
    inverted = len(words) == 2 and words[0] == "not"
    if inverted:
        words = words[1].split(maxsplit=1)
    try:
        word, listed = words
        return FaceRule(_LISTS[word](listed), inverted)
    except (KeyError, ValueError):
        raise ValueError(
            f"{text!r} picks no faces: write all, id 1,4 (only these) or not id 2 (all but these); ids begin at 1"
        ) from None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cover lies: a shape that holds all of a face, in pixels of the picture.

    Attributes:
        x: its middle.
        y: likewise.
        across: half its width along the face's eye line.
        along: half its height.
        roll: degrees the face is turned, clockwise.
        power: exponent of the shape's curve: 2 is an ellipse, 4 a rounded box.
        sets: the landmarks it was made from, ``(106, 2)`` each; none where only a box is known.
    """

    x: float
    y: float
    across: float
    along: float
    roll: float
    power: float = 2.0
    sets: tuple[FloatArray, ...] = ()

    @classmethod
    def of_face(cls, face: Face, region: FaceRegion | None) -> Place | None:
        """Around all that is known of a face: box, raw and smoothed points, and those that effects have moved.

        The smoothed points lag behind a face that moves, and box and raw points do not: the shape spans them all, and
        so grows by the movement.
        """
        if not has_points(face):
            return cls.of_box(face.box)
        sets = [points for points in (face.landmarks, face.raw_landmarks) if np.shape(points) == (106, 2)]
        if region is not None:
            sets.append(region.points + np.array(region.rect[:2], np.float32))
        sets = [points for points in sets if np.isfinite(points).all() and np.ptp(points, axis=0).min() > 1]
        if not sets:
            return cls.of_box(face.box)
        roll = face.pose.roll if math.isfinite(face.pose.roll) else 0.0
        turn = _turn(roll)
        spread = [_head(points, roll) @ turn for points in sets]
        if np.isfinite(face.box).all():
            middle, half = (face.box[:2] + face.box[2:]) / 2, (face.box[2:] - face.box[:2]) / 2
            spread.append((middle + _CORNERS * half) @ turn)
        points = np.concatenate(spread)
        low, high = points.min(axis=0), points.max(axis=0)
        half = np.maximum((high - low) / 2, 1.0)
        centre = (low + high) / 2
        reach = float(np.linalg.norm((points - centre) / half, axis=1).max())
        x, y = (turn @ centre).tolist()
        across, along = (half * reach).tolist()
        return cls(x, y, across, along, roll, sets=tuple(sets))

    @classmethod
    def of_box(cls, box: FloatArray) -> Place | None:
        """Around all of a box, however the face in it is turned; ``None`` where the box is none."""
        if not np.isfinite(box).all():
            return None
        left, top, right, bottom = box.tolist()
        across, along = (max((high - low) / 2, 1.0) * _BOX_REACH for low, high in ((left, right), (top, bottom)))
        return cls((left + right) / 2, (top + bottom) / 2, across, along, 0.0, power=4.0)

    @property
    def axes(self) -> FloatArray:
        """``(2, 2)`` matrix whose columns are the face's own axes, right and down."""
        return _turn(self.roll)

    @property
    def size(self) -> float:
        """The face's width in pixels, about."""
        return 2 * min(self.across, self.along) / _BOX_REACH

    def outline(self, grow: float = 0.0) -> FloatArray:
        """``(64, 2)`` line around the shape, ``grow`` pixels outside of it."""
        curve = np.copysign(np.abs(_CIRCLE) ** (2 / self.power), _CIRCLE)
        half = np.array((self.across + grow, self.along + grow))
        return np.asarray(curve * half @ self.axes.T + (self.x, self.y), np.float32)

    def within(self, xs: FloatArray, ys: FloatArray, grow: float) -> NDArray[np.bool_]:
        """Which of the points ``xs (w,)`` by ``ys (h,)`` lie inside the shape grown by ``grow`` pixels: ``(h, w)``."""
        turn = self.axes
        dx, dy = (xs - self.x)[None], (ys - self.y)[:, None]
        u = np.abs(dx * turn[0, 0] + dy * turn[1, 0]) / (self.across + grow)
        v = np.abs(dx * turn[0, 1] + dy * turn[1, 1]) / (self.along + grow)
        return np.asarray(u**self.power + v**self.power <= 1)


class CoverEffect(PictureEffect):
    """An effect that hides faces, and every other place where a face may be.

    Attributes:
        faces: which ones, as text; see :func:`parse_rule`.
    """

    phase: ClassVar[Phase] = Phase.PRIVACY
    covers: ClassVar[bool] = True

    faces: str = key("all", "which faces: all, id 1,4 (only these) or not id 2 (all but these)")

    @field_validator("faces")
    @classmethod
    def _check_rule(cls, text: str) -> str:
        parse_rule(text)
        return text

    @abstractmethod
    def cover(self, picture: Image, place: Place) -> None:
        """Hide one face in ``picture``, in place; it may lie at the picture's edge, or outside."""

    def draw(self, canvas: Canvas) -> None:
        """Cover the faces that the rule picks, the nearest last."""
        rule = parse_rule(self.faces)
        regions = {id(region.face): region for region in canvas.regions}
        places = [Place.of_face(face, regions.get(id(face))) for face in canvas.faces if rule.covers(face)]
        left_open = boxes_of(face for face in canvas.faces if not rule.covers(face))
        places += [Place.of_box(box) for box in canvas.hidden if not (overlap(box, left_open) > _OPEN_IOU).any()]
        for place in sorted(filter(None, places), key=lambda place: place.size):
            self.cover(canvas.picture, place)


def bounds(outline: FloatArray, picture: Image) -> tuple[slice, slice] | None:
    """Rows and columns of a picture that a line ``(n, 2)`` encloses; ``None`` where it lies outside."""
    height, width = picture.shape[:2]
    ends = np.array((width, height))
    x1, y1 = np.clip(np.floor(outline.min(axis=0)), 0, ends).astype(int).tolist()
    x2, y2 = np.clip(np.ceil(outline.max(axis=0)) + 1, 0, ends).astype(int).tolist()
    return (slice(y1, y2), slice(x1, x2)) if x1 < x2 and y1 < y2 else None


def cell_size(place: Place, strength: float) -> float:
    """Side in pixels of the cells in which nothing of a face is left but its mean colours."""
    return max(place.size / (_FINEST + (_COARSEST - _FINEST) * strength), 2.0)


def cells(part: Image, side: float) -> Image:
    """A part of a picture as the mean colours of cells of about ``side`` pixels: what the cells held is lost."""
    height, width = part.shape[:2]
    size = max(1, round(width / side)), max(1, round(height / side))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def _turn(roll: float) -> FloatArray:
    """``(2, 2)`` matrix from a face's own axes, right and down, to the picture's."""
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    return np.array([[cos, -sin], [sin, cos]], np.float32)


def _head(points: FloatArray, roll: float) -> FloatArray:
    """``(n, 2)`` landmarks with ears, hair line and the skin below the chin, in the picture's axes."""
    unit = face_unit(points)
    right, down = _turn(roll).T
    middle = points[_EARS].mean(axis=0)
    side = np.sign((points[_EARS] - middle) @ right)[:, None]
    eyes = (points[LEFT_OUTER_CORNER] + points[RIGHT_OUTER_CORNER]) / 2
    ends = np.stack([eyes - _HAIR * unit * down, points[16] + _CHIN * unit * down])
    return np.concatenate([points, points[_EARS] + side * _EAR * unit * right, ends])
