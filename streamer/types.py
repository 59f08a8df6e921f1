"""The values that pass between stages: immutable, with their units, frames of reference and signs.

Conventions for the whole project: images are BGR uint8 ``(H, W, 3)``; boxes are ``xyxy`` float32 in
pixels of the source frame; points are ``(..., 2)`` float32 as x, y in the same pixels. Arrays in a
published value are read-only: copy before you change one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from streamer.effects.shown import Shown

Image = NDArray[np.uint8]
"""BGR image, shape ``(H, W, 3)``."""

FloatArray = NDArray[np.float32]


def freeze(array: FloatArray) -> FloatArray:
    """Make an array read-only and return it, so that consumers may share it between threads."""
    array.setflags(write=False)
    return array


NO_BOXES: Final = freeze(np.zeros((0, 4), np.float32))


class HasBox(Protocol):
    """What lies somewhere: a face, a track."""

    @property
    def box(self) -> Any:
        """``(4,)`` xyxy."""


def boxes_of(things: Iterable[HasBox]) -> FloatArray:
    """Where they all lie: ``(n, 4)`` xyxy."""
    return np.array([thing.box for thing in things], np.float32).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture of a source.

    Attributes:
        image: BGR uint8 ``(H, W, 3)``, read-only once published.
        index: number of the frame since the source was opened, counting from 0.
        pts: presentation time in seconds from the start of the source; drives every filter. Always increasing:
            a seek or a loop is one ordinary step.
        captured: ``time.monotonic()`` when the frame was decoded, or was due where a file is played at its own
            pace; latency is measured from here.
        source: display name of the source, without credentials.
        position: seconds into the file, folder or demo; ``None`` on a live source.
        segment: how often the source has jumped before this frame (a seek, a step back, a loop's seam): what came
            before a jump says nothing about what moves after it.
    """

    image: Image
    index: int
    pts: float
    captured: float
    source: str
    position: float | None = None
    segment: int = 0


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces found by a detector in one image, best score first.

    Attributes:
        boxes: ``(n, 4)`` float32 ``xyxy`` in image pixels; may reach over the image's edge.
        scores: ``(n,)`` float32 in 0..1.
        keypoints: ``(n, 5, 2)`` float32: image-left eye, image-right eye, nose tip, image-left and
            image-right mouth corner (left and right as an upright face shows them).
    """

    boxes: FloatArray
    scores: FloatArray
    keypoints: FloatArray

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> Detections:
        """No faces."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees, seen in the image.

    Attributes:
        pitch: positive when the nose points up.
        roll: positive when the head tilts clockwise (image-right eye lower); -180..180.
        yaw: positive when the nose points to image-right.
    """

    pitch: float
    roll: float
    yaw: float


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one image.

    Attributes:
        box: ``(4,)`` float32 ``xyxy`` in image pixels.
        score: detector's score in 0..1 when the face was last detected.
        keypoints: ``(5, 2)`` float32, order as in :class:`Detections`.
        landmarks: ``(106, 2)`` float32, smoothed in a stream; order in ``streamer.landmarks.topology``.
        pose: head rotation, smoothed in a stream.
        presence: probability in 0..1 that a face is really there, from the landmark network's own head.
        raw_landmarks: ``(106, 2)`` float32 before smoothing (the same array as ``landmarks`` on a still).
        track_id: id of the track, unique per camera and never reused; ``None`` on a still.
        age: seconds since the track was first seen; 0 on a still.
        embedding: ``(512,)`` float32 unit vector, or ``None`` until recognition has run.
        identity: name from the gallery, or ``None``.
    """

    box: FloatArray
    score: float
    keypoints: FloatArray
    landmarks: FloatArray
    pose: Pose
    presence: float
    raw_landmarks: FloatArray
    track_id: int | None = None
    age: float = 0.0
    embedding: FloatArray | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class FrameResult:
    """A frame with everything that was found in it.

    Attributes:
        frame: the analysed frame.
        faces: confirmed faces, best first.
        stages: milliseconds spent per stage (``detect``, ``track``, ``landmark``, ``smooth``); a stage that
            did not run in this frame is absent.
        finished: ``time.monotonic()`` when analysis ended; ``finished - frame.captured`` is the latency.
        hidden: ``(n, 4)`` xyxy of places where a face may be that is not, or no longer, among ``faces``.
        shown: the picture with effects, were they all of strength 0; ``None`` where there is no look.
    """

    frame: Frame
    faces: tuple[Face, ...]
    stages: Mapping[str, float] = field(default_factory=dict)
    finished: float = 0.0
    hidden: FloatArray = field(default_factory=lambda: NO_BOXES)
    shown: Shown | None = None

    @property
    def picture(self) -> Image:
        """The frame as people are to see it: with effects, made by the first who asks; BGR, read-only."""
        return self.frame.image if self.shown is None else self.shown.picture
