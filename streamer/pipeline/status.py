"""What a camera tells people about itself; needs nothing loaded, so that a window can be shown at once."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from streamer.errors import FacestreamError


class CameraState(enum.Enum):
    """Where a camera is in its life; the arrows allowed are IDLE → CONNECTING → RUNNING → the last three."""

    IDLE = "idle"
    CONNECTING = "connecting"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    CLOSED = "closed"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (CameraState.ENDED, CameraState.FAILED, CameraState.CLOSED)


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """A snapshot of a camera for people: all that a status bar or a progress line shows.

    Attributes:
        state: where the camera is in its life.
        source: display name, without credentials.
        error: why the camera failed, or ``None``.
        activity: what it is doing now, in a few words.
        size: width and height of the latest frame.
        source_fps: decoded frames per second.
        analysed_fps: analysed frames per second.
        latency_ms: p50 and p95 from decode to the end of analysis.
        drops: frames lost, by cause.
        frames: analysed frames.
        faces: faces in the latest frame.
        warnings: errors of sinks that stopped while the camera goes on, and of a file that ended early.
    """

    state: CameraState
    source: str
    error: FacestreamError | None
    activity: str
    size: tuple[int, int] | None
    source_fps: float
    analysed_fps: float
    latency_ms: tuple[float, float]
    drops: Mapping[str, int]
    frames: int
    faces: int
    warnings: tuple[FacestreamError, ...]

    @property
    def on_show(self) -> bool:
        """Whether the picture is to be looked at: while it runs, and after the end if it was a single one."""
        return self.state is CameraState.RUNNING or (self.state is CameraState.ENDED and self.frames == 1)
