"""A camera as a window drives it, and waiting for what it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from streamer.config import Config
from streamer.pipeline.camera import Camera
from streamer.pipeline.status import CameraState
from streamer.types import FrameResult


def until(reached: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for something true and return it."""
    deadline = time.monotonic() + seconds
    while not (value := reached()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return value


class Player:
    """A camera as a window drives it: holds at the end, and shows what came last."""

    def __init__(self, source: str, config: Config, **options: Any) -> None:
        self.camera = Camera(source, config, **{"hold": True, **options})
        self.shown: list[FrameResult] = []
        self._taking = threading.Lock()  # the source's thread tells of pictures, too: in the order they were shown
        self.camera.on_change(self._take)

    def _take(self) -> None:
        with self._taking:
            result = self.camera.viewer.take(0)
            if result is not None and self.camera.status().state is not CameraState.CONNECTING:
                self.shown.append(result)

    @property
    def playback(self) -> Any:
        return self.camera.status().playback

    @property
    def position(self) -> float:
        return self.playback.position or 0.0

    @property
    def last(self) -> FrameResult:
        return self.shown[-1]

    def settle(self) -> FrameResult:
        """Wait until every frame that was asked for is shown and analysed, and return the last one."""
        until(
            lambda: (
                not self.playback.seeking
                and self.last.frame.position == self.playback.position
                and self.last.stages  # a glimpse on a long way, on a busy machine even of the frame itself, has none
            )
        )
        return self.last

    def play(self) -> Player:
        """Start, and wait for the first picture."""
        self.camera.start()
        until(lambda: self.camera.status().state is not CameraState.CONNECTING and self.shown)
        return self

    def paused(self, seconds: float | None = None) -> FrameResult:
        """Start, pause, go to a time, and return what is shown then."""
        self.camera.pause()
        self.play()
        if seconds is not None:
            self.camera.seek(seconds)
        return self.settle()


class Collector:
    """A sink that keeps what it gets."""

    path = None

    def __init__(self) -> None:
        self.results: list[FrameResult] = []

    def write(self, result: FrameResult) -> None:
        self.results.append(result)

    def close(self) -> None:
        pass
