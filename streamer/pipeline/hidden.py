"""Remembers every place where a face may be that is not shown, so that a cover can hide it all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.detectors.postprocess import overlap
from streamer.pipeline.tracing import joined, share_inside, trace, widened
from streamer.types import NO_BOXES, FloatArray, Image, boxes_of, freeze
from trackers import Track, TrackState

_HOLD: Final = 1.0  # seconds a place is remembered in which a face was followed
_HOLD_FIND: Final = 0.5  # likewise where only a detector saw one, now and then
_ROOM: Final = 0.5  # sizes by which a place is larger than what was seen, on all sides together: such boxes are inexact
_GROWTH: Final = 0.5  # sizes per second by which a place grows on all sides together while nothing is seen in it
_SAME: Final = 0.5  # overlap (IoU) from which two boxes are of one face
_INSIDE: Final = 0.8  # part of a doubtful find that lies in a face: it is a feature of that face


@dataclass(slots=True, eq=False)
class _Place:
    """Where a face may be.

    Attributes:
        box: ``(4,)`` xyxy where it was last seen, or its looks were found again.
        seen: pts in seconds when it was seen.
        certain: pts in seconds when it was in ``box``.
        hold: seconds it is remembered.
        track: whose it is; ``None`` for what only a detector saw.
    """

    box: FloatArray
    seen: float
    certain: float
    hold: float
    track: Track | None = None

    def reach(self, pts: float) -> FloatArray:
        """All the room in which the face may be by now."""
        return widened(self.box, _ROOM + _GROWTH * (pts - self.certain))


class HiddenPlaces:
    """Keeps the places of one stream.

    New and lost tracks are places, and so are finds of the detector that became no track. A place that neither a track
    nor a find claims any more stays for a while, unless a face is shown there; it moves along with what it shows, and
    grows when that cannot be told.

    Attributes:
        appeared: ``(n, 4)`` xyxy of what was seen in the latest frame and not known from the one before.
    """

    def __init__(self) -> None:
        self.appeared = NO_BOXES
        self._places: list[_Place] = []
        self._image: Image | None = None

    def update(
        self, bgr: Image, pts: float, tracks: Sequence[Track], finds: FloatArray, doubtful: FloatArray
    ) -> FloatArray:
        """Take in a frame.

        Args:
            bgr: its picture.
            pts: its time in seconds.
            tracks: all tracks, the shown ones included.
            finds: ``(n, 4)`` xyxy of what the detector found in this frame.
            doubtful: ``(n, 4)`` xyxy of what it was not sure of.

        Returns:
            ``(m, 4)`` float32 xyxy, read-only: where a face may be besides those of the confirmed tracks.
        """
        lost = [_reach(track, pts) for track in tracks if track.state is TrackState.LOST]
        followed = [track for track in tracks if track.state is not TrackState.LOST]
        boxes = boxes_of(followed)
        known = np.concatenate([boxes, np.array(lost, np.float32).reshape(-1, 4)])
        found = np.concatenate([besides(finds, known), besides(doubtful, known, parts=True)])
        seen = np.concatenate([boxes, found])
        held = {id(place.track): place.box for place in self._places if place.track in followed}
        waited = {id(track) for track in tracks if track.state is TrackState.LOST}
        before = [
            place
            for place in self._places
            if id(place.track) not in held and self._stays(place, bgr, pts, waited=id(place.track) in waited)
        ]
        # At a cut a track may find its face in another place, where nobody knew of it a frame before.
        fresh = [i for i, track in enumerate(followed) if not _near(boxes[i], held.get(id(track)))]
        self.appeared = besides(np.concatenate([boxes[fresh], found]), boxes_of(before))
        kept = [place for place in before if not len(seen) or overlap(place.box, seen).max() <= _SAME]
        tracked = [_Place(track.box.copy(), pts, pts, _HOLD, track) for track in followed]
        new = [_Place(box, pts, pts, _HOLD_FIND) for box in found]
        self._places, self._image = [*tracked, *new, *kept], bgr
        open_ = [track.box for track in followed if track.state is not TrackState.CONFIRMED]
        hidden = [*open_, *lost, *(place.reach(pts) for place in [*new, *kept])]
        return freeze(np.array(hidden, np.float32)) if hidden else NO_BOXES

    def _stays(self, place: _Place, bgr: Image, pts: float, *, waited: bool) -> bool:
        """Move an earlier place to where its looks are now; whether it is still remembered.

        While a lost track is waited for, its time does not begin.
        """
        place.seen, place.certain = pts if waited else min(place.seen, pts), min(place.certain, pts)
        if pts - place.seen > place.hold:
            return False
        here = None
        if self._image is not None and self._image.shape == bgr.shape:
            here = trace(self._image, place.box, bgr)
        if here is not None:
            place.box, place.certain = here, pts
        return True

    def forget(self) -> None:
        """The next frame shows something else."""
        self._places, self._image = [], None


def _reach(track: Track, pts: float) -> FloatArray:
    """Where a lost track's face may be by now: from where it was last seen to where its path leads."""
    box, seen = np.asarray(track.box, np.float32), np.asarray(track.seen_box, np.float32)
    return widened(joined(box, seen), _GROWTH * (pts - track.last_seen), seen)


def _near(box: FloatArray, before: FloatArray | None) -> bool:
    """Whether a track's box is where it was before, if it was followed then."""
    return before is not None and bool(overlap(box, before[None])[0] > _SAME)


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
    return bool((overlap(box, known) > _SAME).any() or (parts and (share_inside(box, known) > _INSIDE).any()))


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
