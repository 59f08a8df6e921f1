"""A camera without threads whose life the test tells, faces to draw, and pixels to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QWidget

from streamer.config import Config
from streamer.landmarks.topology import MEAN_FACE
from streamer.pipeline.mailbox import Mailbox
from streamer.pipeline.status import CameraState, CameraStatus, RecordingStatus
from streamer.types import Face, Frame, FrameResult, Pose


class FakeCamera:
    """A camera whose life the test tells; it has the shape of ``streamer.pipeline.camera.Camera``, and no threads."""

    def __init__(self, source: str = "fake") -> None:
        self.viewer: Mailbox[FrameResult] = Mailbox(newest_wins=True)
        self.started = self.closed = 0
        self.configs: list[Config] = []
        self.commands: list[tuple[str, object]] = []
        self._callbacks: list[Callable[[], None]] = []
        self._status = CameraStatus(CameraState.IDLE, source, None, "idle", None, 0.0, 0.0, (0.0, 0.0), {}, 0, 0, ())

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def start(self) -> None:
        self.started += 1
        self.become(state=CameraState.CONNECTING, activity="connecting to fake")

    def configure(self, config: Config) -> None:
        self.configs.append(config)

    def pause(self) -> None:
        self._play("pause", paused=True)

    def resume(self) -> None:
        self._play("resume", paused=False, at_end=False)

    def step(self, frames: int) -> None:
        self._play("step", frames, paused=True)

    def seek(self, seconds: float) -> None:
        self._play("seek", seconds, seeking=True)

    def set_speed(self, speed: float) -> None:
        self._play("speed", speed, speed=speed)

    def _play(self, command: str, value: object = None, **changes: object) -> None:
        self.commands.append((command, value))
        self.become(playback=replace(self._status.playback, **changes))

    def start_recording(self, path: Path) -> None:
        self.commands.append(("record", path))
        self.become(recording=RecordingStatus(path, 0.0, 0, False))

    def stop_recording(self) -> None:
        self.commands.append(("stop recording", None))
        self.become(recording=None)

    def written(self) -> list[Path]:
        return [value for command, value in self.commands if command == "record" and isinstance(value, Path)]

    def close(self) -> None:
        self.closed += 1
        if not self._status.state.final:
            self.become(state=CameraState.CLOSED)

    def status(self) -> CameraStatus:
        return self._status

    def become(self, **changes: object) -> None:
        """Change the status and tell the observers."""
        self._status = replace(self._status, **changes)
        for callback in self._callbacks:
            callback()

    def show(self, result: FrameResult) -> None:
        """Publish a result as the analyser would."""
        self.viewer.put(result)
        self.become(state=CameraState.RUNNING, frames=self._status.frames + 1, size=(640, 360))


def make_face(
    center: tuple[float, float] = (320.0, 180.0),
    side: float = 120.0,
    track_id: int | None = 1,
    pose: Pose = Pose(0.0, 0.0, 0.0),  # noqa: B008 immutable
) -> Face:
    """The mean face, upright, in a square box."""
    landmarks = ((MEAN_FACE - 0.5) * side + np.float32(center)).astype(np.float32)
    box = np.array([*(np.float32(center) - side / 2), *(np.float32(center) + side / 2)], np.float32)
    keypoints = landmarks[[74, 83, 54, 84, 90]]
    return Face(box, 0.99, keypoints, landmarks, pose, 0.99, landmarks, track_id)


def make_result(
    bgr: tuple[int, int, int] = (60, 60, 60),
    size: tuple[int, int] = (640, 360),
    faces: tuple[Face, ...] = (),
    index: int = 0,
) -> FrameResult:
    """A frame of one colour, read-only as published frames are."""
    image = np.full((size[1], size[0], 3), bgr, np.uint8)
    image.setflags(write=False)
    return FrameResult(Frame(image, index, index / 30, 0.0, "fake"), faces)


def pixels(picture: QImage | QWidget) -> np.ndarray:
    """The picture, or what a widget paints, as RGB ``(h, w, 3)`` in device pixels."""
    image = picture if isinstance(picture, QImage) else picture.grab().toImage()
    image = image.convertToFormat(QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def near(image: np.ndarray, rgb: tuple[int, int, int], tolerance: int = 12) -> np.ndarray:
    """Which pixels of an RGB image have about this colour: bool ``(h, w)``."""
    return (np.abs(image.astype(int) - rgb) <= tolerance).all(axis=2)
