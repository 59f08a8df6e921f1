"""What a camera tells people about itself; needs nothing loaded, so that a window can be shown at once."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
class PlaybackStatus:
    """How a source is being played.

    Attributes:
        live: whether it is live, so that it can be neither paused nor searched; ``None`` until it has been opened.
        paused: no further frame comes by itself.
        at_end: it stays on the last frame.
        seeking: a frame that was asked for, by a seek or a step, is not there yet.
        seekable: frames can be found by their time.
        position: seconds into the source of the latest frame; ``None`` on a live source and before the first frame.
        duration: length in seconds, ``None`` when unknown.
        speed: how many times faster than the source's own pace.
        loop: it starts again at the end.
    """

    live: bool | None = None
    paused: bool = False
    at_end: bool = False
    seeking: bool = False
    seekable: bool = False
    position: float | None = None
    duration: float | None = None
    speed: float = 1.0
    loop: bool = False


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """A recording that was started while the camera runs.

    Attributes:
        path: the file.
        seconds: its length so far; stands still while the source is paused.
        frames: frames written.
        finishing: it has been stopped, and its end is being written.
    """

    path: Path
    seconds: float
    frames: int
    finishing: bool


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
        warnings: what went wrong while the camera goes on: sinks and recordings that stopped, settings that could
            not be applied, a file that ended early.
        playback: how the source is being played.
        recording: the recording under way, or ``None``.
        loading: what is being loaded while the camera goes on, such as ``loading mtcnn``; empty otherwise.
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
    playback: PlaybackStatus = PlaybackStatus()
    recording: RecordingStatus | None = None
    loading: str = ""

    @property
    def on_show(self) -> bool:
        """Whether the picture is to be looked at: while it runs, and after the end if it was a single one."""
        return self.state is CameraState.RUNNING or (self.state is CameraState.ENDED and self.frames == 1)
