"""The built-in demo: a camera that moves, turns, tilts and zooms over a real photograph.

The photograph is NASA's public-domain portrait of the astronaut Eileen Collins that scikit-image ships.
It stands on a wall, blurred from its own colours so that no face is repeated; a second, framed picture,
the same portrait mirrored and tinted, slides in for a while. Every frame depends on its index alone.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.config import SourceConfig
from streamer.errors import SourceNotFoundError
from streamer.sources.base import Picture, Source
from streamer.types import Image

WIDTH, HEIGHT, FPS = 1280, 720, 30.0
CYCLE = 20.0
"""Seconds after which the camera is back where it started."""

WALL = 1800, 1275
"""Width and height of the wall the camera looks at, in wall pixels."""

PHOTO = 768
"""Side of the photograph on the wall: one and a half times its own size, small enough for the cache."""

FACE = 855.0, 420.0
"""Middle of the face on the wall, around which the camera moves."""

FOCAL = 1500.0
"""Focal length of the camera in pixels: about 46 degrees of view."""

Matrix = NDArray[np.float64]


def portrait() -> Image:
    """Return the photograph, BGR ``(512, 512, 3)``, without importing scikit-image.

    Raises:
        SourceNotFoundError: scikit-image, or its picture, is not installed.
    """
    spec = importlib.util.find_spec("skimage")
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(next(iter(folders)), "data", "astronaut.png") if folders else None
    image = cv2.imread(str(path)) if path is not None and path.is_file() else None
    if image is None:
        raise SourceNotFoundError(
            "The demo's photograph is missing. Install it with: pip install scikit-image, or name another source."
        )
    return np.asarray(image, np.uint8)


def paint_wall(photo: Image) -> Image:
    """Return the wall ``(1275, 1800, 4)``: the photograph fading softly into a blur of its own colours.

    The fourth channel is unused: OpenCV warps four channels a third faster than three.
    """
    width, height = WALL
    small = cv2.resize(photo, (12, 12), interpolation=cv2.INTER_AREA)
    small[2:7, 3:8] = cv2.resize(small[:, 9:], (5, 5))  # paint over the face: even a blurred one is an oval
    blur = cv2.resize(cv2.GaussianBlur(small, (0, 0), 2.0), (width, height), interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(photo, (PHOTO, PHOTO), interpolation=cv2.INTER_CUBIC)
    left, top = (width - PHOTO) // 2, (height - PHOTO) // 2
    ramp = np.clip(np.minimum(np.arange(PHOTO), np.arange(PHOTO)[::-1]) / 68.0, 0.0, 1.0)
    ramp = (ramp * ramp * (3.0 - 2.0 * ramp)).astype(np.float32)
    alpha = (ramp[:, None] * ramp[None, :])[..., None]
    patch = blur[top : top + PHOTO, left : left + PHOTO]
    patch[:] = (alpha * large + (1.0 - alpha) * patch).astype(np.uint8)
    return np.asarray(cv2.cvtColor(blur, cv2.COLOR_BGR2BGRA), np.uint8)


def paint_picture(photo: Image) -> Image:
    """Return the second picture: the mirrored, warmer head of the portrait with a mount and a frame."""
    head = cv2.flip(photo[10:250, 110:330], 1)
    tinted = cv2.convertScaleAbs(head * np.array([0.84, 0.96, 1.06], np.float32))
    large = cv2.resize(tinted, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    mounted = cv2.copyMakeBorder(large, 16, 16, 16, 16, cv2.BORDER_CONSTANT, value=(236, 240, 242))
    framed = cv2.copyMakeBorder(mounted, 9, 9, 9, 9, cv2.BORDER_CONSTANT, value=(38, 46, 58))
    return np.asarray(framed, np.uint8)


def camera(seconds: float) -> Matrix:
    """Return the homography ``(3, 3)`` from wall to frame pixels at a time of the cycle.

    The camera swings by up to 20 degrees to the side, 8 up and down, tilts by up to 16 and zooms between
    1.0 and 1.9; all are sines whose periods divide the cycle, so that it closes smoothly.
    """
    turn = 2.0 * math.pi * seconds / CYCLE
    yaw = math.radians(20.0) * math.sin(2.0 * turn)
    pitch = math.radians(8.0) * math.sin(3.0 * turn + 0.6)
    roll = math.radians(16.0) * math.sin(turn + 0.4)
    zoom = 1.4 * math.exp(0.32 * math.sin(2.0 * turn - 1.1))
    shift = 150.0 * math.sin(turn), 55.0 * math.sin(2.0 * turn + 0.9)
    rotation = _turned(yaw, pitch, roll)
    # The wall is the plane z = 0 seen from the distance at which one wall pixel is `zoom` frame pixels.
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], [0.0, 0.0, FOCAL / zoom]])
    lens = np.array([[FOCAL, 0.0, WIDTH / 2 + shift[0]], [0.0, FOCAL, HEIGHT / 2 + shift[1]], [0.0, 0.0, 1.0]])
    return np.asarray(lens @ plane @ _moved(-FACE[0], -FACE[1]))


def second_picture(seconds: float) -> Matrix | None:
    """Return where the second picture hangs, ``(3, 3)`` to wall pixels; ``None`` while it is away."""
    arrive, stay, leave, gone = 5.0, 7.0, 13.5, 15.5
    if not arrive < seconds < gone:
        return None
    away = max(1.0 - _smooth((seconds - arrive) / (stay - arrive)), _smooth((seconds - leave) / (gone - leave)))
    return _moved(1065.0 + 750.0 * away, 248.0 - 30.0 * math.sin(seconds))


def _smooth(x: float) -> float:
    """Smoothstep: 0 below 0, 1 above 1."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def _moved(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _turned(yaw: float, pitch: float, roll: float) -> Matrix:
    """Rotation about the vertical, then the horizontal, then the viewing axis."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    about_z = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(about_z @ about_x @ about_y)


class DemoSource(Source):
    """Twenty seconds of 1280 x 720 at 30 frames a second, or endless when looped."""

    seekable = True

    def __init__(self, config: SourceConfig) -> None:
        """Prepare the demo; ``loop`` and ``start`` of the configuration apply."""
        super().__init__("demo", loop=config.loop)
        self._count = round(CYCLE * FPS)
        self._index = round(config.start * FPS) % self._count
        self._shown = self._index
        self._wall: Image | None = None
        self._picture: Image | None = None

    def _open(self) -> None:
        photo = portrait()
        self._wall, self._picture = paint_wall(photo), paint_picture(photo)
        self.size, self.fps = (WIDTH, HEIGHT), FPS
        self.duration = CYCLE

    def _next(self) -> Picture | None:
        if self._index >= self._count:
            if not self.loop:
                return None
            self._index = 0  # no jump: the camera is back where it started
        position, pts = self._index / FPS, self._shown / FPS
        self._index += 1
        self._shown += 1
        return Picture(self._render(position), pts, position)

    def _seek(self, seconds: float, back: int) -> None:
        shown = min(math.floor(seconds * FPS + 1e-3), self._count - 1)
        self._index = max(shown - back, 0)

    def _render(self, seconds: float) -> Image:
        assert self._wall is not None
        assert self._picture is not None
        to_frame = camera(seconds)
        seen = cv2.warpPerspective(self._wall, to_frame, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        frame = np.asarray(cv2.cvtColor(seen, cv2.COLOR_BGRA2BGR), np.uint8)
        hung = second_picture(seconds)
        if hung is not None:
            _paste(frame, self._picture, to_frame @ hung)
        return frame

    def _release(self) -> None:
        self._wall = self._picture = None


def _paste(frame: Image, picture: Image, to_frame: Matrix) -> None:
    """Draw a picture into the part of the frame it covers."""
    height, width = picture.shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    covered = cv2.perspectiveTransform(corners, to_frame)[0]
    left, top = np.clip(np.floor(covered.min(axis=0)), 0, (WIDTH, HEIGHT)).astype(int)
    right, bottom = np.clip(np.ceil(covered.max(axis=0)), 0, (WIDTH, HEIGHT)).astype(int)
    if right <= left or bottom <= top:
        return
    cv2.warpPerspective(
        picture,
        _moved(-left, -top) @ to_frame,
        (int(right - left), int(bottom - top)),
        dst=frame[top:bottom, left:right],
        borderMode=cv2.BORDER_TRANSPARENT,
    )
