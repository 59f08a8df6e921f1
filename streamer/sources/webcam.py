"""Reading a webcam through Video4Linux."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import av
import av.error

from streamer.config import SourceConfig
from streamer.errors import SourceError, SourceLostError, SourceNotFoundError, SourceRefusedError
from streamer.sources.container import ContainerSource
from streamer.sources.failures import connect_timed_out, opening_failed
from streamer.sources.interrupt import call_abandonable

Opener = Callable[[str, dict[str, str]], Any]
"""Opens a device node with FFmpeg options and returns a PyAV container."""

# MJPEG first: over USB 2 uncompressed 720p arrives at 10 frames a second or fewer.
MODES: tuple[dict[str, str], ...] = (
    {"input_format": "mjpeg", "video_size": "1280x720", "framerate": "30"},
    {"video_size": "640x480", "framerate": "30"},
    {},
)
"""What is asked of a camera, in this order, until it agrees."""


def open_device(path: str, options: dict[str, str]) -> Any:
    """Open a device node through FFmpeg, so that later reads return at once when no picture is ready."""
    container = av.open(path, format="v4l2", options=options)
    _make_nonblocking(path)
    return container


def _make_nonblocking(path: str) -> None:
    """Switch our descriptors of a device to non-blocking: a camera that stalls would block in the driver."""
    target = os.path.realpath(path)
    for entry in os.scandir("/proc/self/fd"):
        try:
            if os.readlink(entry.path) == target:
                os.set_blocking(int(entry.name), False)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EBADF):  # closed by another thread meanwhile
                raise


class WebcamSource(ContainerSource):
    """One webcam; the newest picture wins."""

    live = True

    def __init__(self, index: int, path: str, config: SourceConfig, *, opener: Opener = open_device) -> None:
        """Prepare to open a camera.

        Args:
            index: number shown to the user.
            path: device node.
            config: the time limits apply.
            opener: opens the device; tests put a fake camera here.
        """
        super().__init__(f"webcam {index}", config)
        self.path = path
        self._opener = opener

    def _connect(self) -> Any:
        try:
            return call_abandonable(
                self._open_any_mode, self.connect_timeout, self._closed, dispose=lambda container: container.close()
            )
        except TimeoutError:
            raise connect_timed_out(self.name, self.connect_timeout) from None

    def _open_any_mode(self) -> Any:
        """Open the device in the first mode it agrees to."""
        for mode in MODES[:-1]:
            try:
                return self._opener(self.path, dict(mode))
            except av.error.FFmpegError as error:
                if error.errno not in (errno.EINVAL, errno.ENOTTY, errno.ENOSYS):
                    raise
        return self._opener(self.path, dict(MODES[-1]))

    def _opening_failed(self, error: av.error.FFmpegError) -> SourceError:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            return SourceNotFoundError(
                f"There is no {self.name} ({self.path}). Plug it in, or list the cameras with: facestream sources"
            )
        if error.errno in (errno.EACCES, errno.EPERM):
            return SourceRefusedError(
                f"This user may not use {self.name}: the permissions of {self.path} forbid it. "
                'Add the user to the group video (sudo usermod -aG video "$USER") and log in again.'
            )
        return opening_failed(error, self.name, self.connect_timeout)

    def _ended(self) -> None:
        raise SourceLostError(f"{self.name} stopped. Check that it is still plugged in, then try again.")
