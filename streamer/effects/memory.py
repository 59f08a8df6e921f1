"""What effects keep of each face from one frame of a stream to the next: what comes or goes does so within a moment."""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

_GOING: Final = 0.12  # seconds from all to nothing: paint must not stay on a hand
_COMING: Final = 0.3  # and back
_GONE: Final = 0.5  # seconds of the stream after which a face begins anew
_MANY: Final = 64  # values kept before those that are gone are looked for


class Moment(NamedTuple):
    """A frame's place in its stream, for :meth:`streamer.effects.Effects.apply`.

    Attributes:
        memory: of the stream.
        pts: seconds of the frame.
    """

    memory: Memory
    pts: float


class Memory:
    """One stream's; usable from several threads at once.

    Example:
        >>> memory = Memory()
        >>> memory.at(0.0).memory.faded(1, "mouth seen", (1.0, 1.0), 0.0)
        (1.0, 1.0)
        >>> memory.faded(1, "mouth seen", (0.0, 1.0), 0.03)
        (0.75, 1.0)
    """

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._lock = threading.Lock()
        self._last: dict[tuple[int, str], tuple[float, tuple[float, ...]]] = {}

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._last)

    def at(self, pts: float) -> Moment:
        """The moment of the frame with this ``pts``, in seconds."""
        return Moment(self, pts)

    def faded(self, track_id: int, name: str, values: tuple[float, ...], pts: float) -> tuple[float, ...]:
        """The values, 0..1 each, or as near to them as may be reached since the face's last frame.

        Args:
            track_id: of the face; new ones, and those not seen for half a second, have their values at once.
            name: what the values say.
            values: seen in this frame.
            pts: of the frame, in seconds; frames may come twice, or backwards when somebody steps through a file.
        """
        with self._lock:
            before, last = self._last.get((track_id, name), (pts, values))
            passed = abs(pts - before)
            if passed < _GONE:
                down, up = passed / _GOING, passed / _COMING
                pairs = zip(values, last, strict=True)
                values = tuple(min(max(value, old - down), old + up) for value, old in pairs)
            self._last[track_id, name] = pts, values
            if len(self._last) > _MANY:
                self._last = {key: kept for key, kept in self._last.items() if abs(pts - kept[0]) < _GONE}
            return values
