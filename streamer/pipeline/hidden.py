"""Remembers every place where a face may be that is not shown, so that a cover can hide it all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.detectors.postprocess import overlap
from streamer.types import NO_BOXES, FloatArray, freeze
from trackers import Track, TrackState

_HOLD: Final = 1.0  # seconds a place is remembered in which nothing is seen any more
_ROOM: Final = 0.3  # sizes by which a place is larger than what was seen, on all sides together: such boxes are inexact
_GROWTH: Final = 0.5  # sizes per second by which a place grows on all sides together while nothing is seen in it
_SAME: Final = 0.5  # overlap (IoU) from which two boxes are of one face
_MOVED: Final = 0.1  # likewise between a place and what is seen there in a later frame
_INSIDE: Final = 0.8  # part of a doubtful find that lies in a face: it is a feature of that face


@dataclass(slots=True, eq=False)
class _Place:
    """Where a face may be.

    Attributes:
        box: ``(4,)`` xyxy.
        seen: pts in seconds when something was seen, or expected, there.
        track: whose place it is; ``None`` for what only a detector saw.
        shown: whether that track is among the faces of this frame.
        speed: ``(2,)`` pixels per second at which what only a detector saw was moving.
    """

    box: FloatArray
    seen: float
    track: Track | None = None
    shown: bool = False
    speed: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))

    def at(self, pts: float) -> FloatArray:
        """The box where it would be by now."""
        return np.asarray(self.box + np.tile(self.speed, 2) * (pts - self.seen), np.float32)

    def reach(self, pts: float) -> FloatArray:
        """All the room in which the face may be by now."""
        return _widened(_joined(self.box, self.at(pts)), self.box, _ROOM + _GROWTH * (pts - self.seen))


class HiddenPlaces:
    """Keeps the places of one stream.

    New and lost tracks are places, and so are finds of the detector that became no track. A place that neither a track
    nor a find claims any more stays for a second, growing, unless a face is shown there.
    """

    def __init__(self) -> None:
        self._places: list[_Place] = []

    def update(self, pts: float, tracks: Sequence[Track], finds: FloatArray, doubtful: FloatArray) -> FloatArray:
        """Take in a frame.

        Args:
            pts: its time in seconds.
            tracks: all tracks, the shown ones included.
            finds: ``(n, 4)`` xyxy of what the detector found in this frame.
            doubtful: ``(n, 4)`` xyxy of what it was not sure of.

        Returns:
            ``(m, 4)`` float32 xyxy, read-only: where a face may be besides those of the confirmed tracks.
        """
        followed = [_Place(_reach(track, pts), pts, track, track.state is TrackState.CONFIRMED) for track in tracks]
        known = _boxes(followed)
        new = [*besides(finds, known), *besides(doubtful, known, parts=True)]
        now = [*followed, *(self._found(box, pts) for box in new)]
        self._places = now + [place for place in self._places if not _over(place, now, pts)]
        hidden = [place.reach(pts) for place in self._places if not place.shown]
        return freeze(np.array(hidden, np.float32)) if hidden else NO_BOXES

    def _found(self, box: FloatArray, pts: float) -> _Place:
        """A find, with its speed where it was seen before."""
        before = [place for place in self._places if place.track is None and place.seen < pts]
        if not before:
            return _Place(box, pts)
        shared = overlap(box, np.array([place.at(pts) for place in before]))
        old = before[int(shared.argmax())]
        if shared.max() < _MOVED:
            return _Place(box, pts)
        moved = (box[:2] + box[2:] - old.box[:2] - old.box[2:]) / 2
        speed = np.asarray((old.speed + moved / (pts - old.seen)) / 2, np.float32)
        return _Place(box, pts, speed=speed)

    def forget(self) -> None:
        """The next frame shows something else."""
        self._places = []


def _reach(track: Track, pts: float) -> FloatArray:
    """Where a track's face is, or may be by now: from where it was last seen to where its path leads."""
    box = np.asarray(track.box, np.float32)
    if track.state is not TrackState.LOST:
        return box
    seen = np.asarray(track.seen_box, np.float32)
    return _widened(_joined(box, seen), seen, _GROWTH * (pts - track.last_seen))


def _joined(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.concatenate([np.minimum(first[:2], second[:2]), np.maximum(first[2:], second[2:])])


def _widened(box: FloatArray, face: FloatArray, share: float) -> FloatArray:
    """A box made larger, on all sides together, by a share of a face's size."""
    room = (face[2:] - face[:2]) * max(share, 0.0) / 2
    return np.concatenate([box[:2] - room, box[2:] + room])


def besides(boxes: FloatArray, known: FloatArray, *, parts: bool = False) -> FloatArray:
    """The boxes that are none of the known ones.

    Args:
        boxes: ``(n, 4)`` xyxy.
        known: ``(m, 4)`` xyxy.
        parts: leave out those, too, that lie within a known one: a doubtful find there is a part of that face.
    """
    if not len(boxes) or not len(known):
        return boxes
    return boxes[[not _known(box, known, parts) for box in boxes]]


def _known(box: FloatArray, known: FloatArray, parts: bool) -> bool:
    return bool((overlap(box, known) > _SAME).any() or (parts and (_share_inside(box, known) > _INSIDE).any()))


def _share_inside(box: FloatArray, others: FloatArray) -> FloatArray:
    """Which part of a box each of ``others (n, 4)`` holds."""
    sides = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0)
    return np.asarray(sides.prod(axis=1) / max(float((box[2:] - box[:2]).prod()), 1e-9), np.float32)


def _over(place: _Place, now: Sequence[_Place], pts: float) -> bool:
    """Whether an earlier place need not be remembered: time is up, or what was there is seen again."""
    place.seen = min(place.seen, pts)
    if pts - place.seen > _HOLD:
        return True
    if place.track is not None and any(other.track is place.track for other in now):
        return True
    place.shown = False
    return bool((overlap(place.at(pts), _boxes(now)) > (_MOVED if place.track is None else _SAME)).any())


def _boxes(places: Sequence[_Place]) -> FloatArray:
    return np.array([place.box for place in places], np.float32).reshape(-1, 4)


def still_places(finds: FloatArray, shown: NDArray[np.intp], doubtful: FloatArray) -> FloatArray:
    """Where a face may be in a single picture, besides the shown ones.

    Args:
        finds: ``(n, 4)`` xyxy of what the detector found.
        shown: which of them are shown.
        doubtful: ``(n, 4)`` xyxy of what it was not sure of.

    Returns:
        ``(m, 4)`` float32 xyxy, read-only.
    """
    return freeze(np.concatenate([np.delete(finds, shown, axis=0), besides(doubtful, finds, parts=True)]))
