"""One look of the landmark network at one track, and whether it can be believed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackers.geometry import FaceFrame, Margins, same_face
from trackers.track import Track, TrackState

FloatArray = NDArray[np.floating[Any]]

_JUMP = 0.5  # face sizes from the prediction at which landmarks deserve a check
_RESCALE = 1.5  # likewise the factor by which a face grows or shrinks within a frame
_IMPOSSIBLE_JUMP = 2.0  # jump from which on the landmarks are on something else
_MARGIN_MEMORY = 8  # detections the learned margins average over


@dataclass(slots=True, eq=False)
class Look:
    """What the landmark network saw of one track in one frame.

    Attributes:
        track: whose face was looked at.
        landmarks: ``(106, 2)`` pixels.
        pose: ``(3,)`` pitch, roll, yaw in degrees.
        presence: probability that a face is there.
        frame: where the landmarks lie.
        box: the box the detector would draw, as centre x, centre y, width, height.
        jump: how far that is from the prediction, see :func:`jump_between`.
        believed: whether the track's face was seen.
    """

    track: Track
    landmarks: FloatArray
    pose: FloatArray
    presence: float
    frame: FaceFrame
    box: tuple[float, float, float, float]
    jump: float
    believed: bool


def judge(
    track: Track,
    predicted: Sequence[float],
    frame: FaceFrame,
    landmarks: FloatArray,
    pose: FloatArray,
    presence: float,
    threshold: float,
) -> Look:
    """Decide whether to believe a look; the track's margins are learned where a detection is at hand.

    Args:
        track: whose face was looked at.
        predicted: its box: centre x, centre y, width, height.
        frame: where the landmarks lie.
        landmarks: ``(106, 2)`` pixels.
        pose: ``(3,)`` degrees.
        presence: probability that a face is there.
        threshold: lowest presence that is believed.
    """
    believed = presence >= threshold
    if believed and track.detected_box is not None:
        learned = Margins.learn(frame, track.detected_box.tolist())
        believed = learned.sane
        if believed:
            track.detections = min(track.detections + 1, _MARGIN_MEMORY)
            track.margins = track.margins.towards(learned, 1.0 / track.detections)
            track.checked_frame = frame
    box = track.margins.apply(frame)
    jump = jump_between(predicted, box)
    return Look(track, landmarks, pose, presence, frame, box, jump, believed and jump < _IMPOSSIBLE_JUMP)


class Rival(NamedTuple):
    """A track that claims a face in this frame, with the look that says so unless that was judged before."""

    track: Track
    frame: FaceFrame
    look: Look | None = None

    @property
    def claim(self) -> tuple[bool, float, float]:
        """How good the claim is, for comparison.

        An unconfirmed track gives way to a confirmed one; else the one that jumped farther from its own path (the
        landmarks of a hidden face snap to the one in front of it); else the younger.
        """
        jump = 0.0 if self.look is None else self.look.jump
        return self.track.state is TrackState.CONFIRMED, -round(jump, 1), -self.track.first_seen


def jump_between(predicted: Sequence[float], measured: Sequence[float]) -> float:
    """How far a measured box is from the predicted one; from 1 on it deserves a check.

    Args:
        predicted: centre x, centre y, width, height.
        measured: likewise.

    Returns:
        The larger of the distance and the change in size, in units of what is plausible within a frame; not a
        number, which fails every comparison, if the measurement is none.
    """
    (x0, y0, w0, h0), (x1, y1, w1, h1) = predicted, measured
    size = math.sqrt(max(w0 * h0, 1.0))
    distance = math.hypot(x1 - x0, y1 - y0) / (size * _JUMP)
    growth = math.sqrt(max(w1 * h1, 1e-3)) / size
    return max(distance, abs(math.log(growth)) / math.log(_RESCALE))


def losers(rivals: Sequence[Rival]) -> list[Rival]:
    """The rivals that must let go because a better claim lies on the same face."""
    gone: list[Rival] = []
    for first, second in combinations(rivals, 2):
        if first not in gone and second not in gone and same_face(first.frame, second.frame):
            gone.append(min(first, second, key=lambda rival: rival.claim))
    return gone
