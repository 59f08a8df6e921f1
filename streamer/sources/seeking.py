"""Finding the picture that is shown at a time, in media whose index may be wrong, coarse or absent.

A container can only be asked to continue near a time: at a key frame, and, where its index lies, anywhere. So the
pictures from there on are decoded and their own times decide. Where that began too late, the search begins again
further in front, at last at the very first picture, which is slow but always right.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-3
"""Seconds by which a picture may lie beside the time that was asked for: timestamps are rounded."""

_FIRST_REACH = 2.0  # seconds the second attempt begins earlier; each further one reaches four times as far
_MAX_ATTEMPTS = 4  # before the start is taken: with the last, two minutes

REMEMBERED = 8
"""Decoded pictures that are kept to step back to: a step back otherwise costs decoding from the key frame before."""

TimedFrame = tuple[Any, float | None]
"""A decoded frame with its raw time in seconds."""


class Place:
    """Where pictures lie in a recording: by their timestamps, or, where they have none, by counting.

    Attributes:
        period: nominal seconds per picture.
        origin: raw time of the recording's start.
        timed: whether the latest picture had a time of its own.
        latest: seconds from the start to the latest picture.
    """

    def __init__(self, period: float, *, origin: float = 0.0) -> None:
        self.period, self.origin = period, origin
        self.timed = True
        self.latest = -period

    def of(self, raw: float | None) -> float:
        """Seconds from the start of the recording to the next picture, which has the raw time ``raw``."""
        self.timed = raw is not None
        self.latest = self.latest + self.period if raw is None else raw - self.origin
        return self.latest


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has decoded and not used up.

    Attributes:
        earlier: the pictures right before the wanted one that are remembered, with their places in seconds.
        frames: the wanted picture and those decoded behind it; empty when there are none at all.
        before: seconds from the start to one step before ``frames``.
        complete: whether the first one is the wanted picture for certain; otherwise it is the earliest that
            could be reached from where the search began.
    """

    earlier: list[tuple[TimedFrame, float]]
    frames: list[TimedFrame]
    before: float
    complete: bool


def places_to_begin(seconds: float) -> Iterator[float]:
    """Seconds at which to begin a search for the picture at ``seconds``, one attempt after the other; 0 is last."""
    begin, reach = seconds, _FIRST_REACH
    for _ in range(_MAX_ATTEMPTS):
        if begin <= 0.0:
            break
        yield begin
        begin, reach = seconds - reach, reach * 4
    yield 0.0


def search(frames: Iterable[TimedFrame], place: Place, seconds: float, back: int) -> Found:
    """Decode up to the picture shown at ``seconds``, or ``back`` pictures before it.

    Args:
        frames: pictures in the order they are shown, from a place that ought to be in front of the wanted one.
        place: tells where they lie.
        seconds: the wanted time; beyond the end means the last picture.
        back: pictures to go back from there.
    """
    recent: deque[tuple[TimedFrame, float]] = deque(maxlen=back + 1 + REMEMBERED)
    beyond: list[TimedFrame] = []
    first_beyond = 0.0
    for frame in frames:
        position = place.of(frame[1])
        if position > seconds + TOLERANCE:
            beyond, first_beyond = [frame], position
            break
        recent.append((frame, position))
    known = list(recent)
    at = max(len(known) - back - 1, 0)
    first = known[at][1] if known else first_beyond
    frames = [*(frame for frame, _ in known[at:]), *beyond]
    return Found(known[:at], frames, first - place.period, complete=len(known) > back)
