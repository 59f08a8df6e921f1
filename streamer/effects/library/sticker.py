"""A picture of one's own that sticks to the face and turns with it.

Choose a PNG with a transparent background and where it sits: ``anchor``, ``width``, ``right`` and ``up``. Or, for a
mask or glasses that must fit exactly, say which of its pixels belong where, in a file of the same name beside it
(``mask.png``, ``mask.yaml``)::

    left_eye: [120, 84]      # x and y of a pixel of the PNG; left and right as in the picture
    right_eye: [312, 84]
    mouth: [216, 260]

Two or more of ``left_eye``, ``right_eye``, ``eyes``, ``nose``, ``left_mouth``, ``right_mouth``, ``mouth`` and ``chin``
fix size, tilt and place; ``anchor`` and ``width`` do not count then. The largest PNG is 4096 pixels a side.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import PrivateAttr, field_validator

from streamer.effects.art import Art, Bgra, Brush, premultiplied
from streamer.effects.base import Canvas, Phase, PictureEffect, strength
from streamer.effects.head3d import EYES, MODEL, STEADY, Head
from streamer.effects.overlay import Layer
from streamer.effects.region import FaceRegion
from streamer.landmarks.topology import NOSE_TIP
from streamer.schema import key

Points = NDArray[np.floating[Any]]

PLACES: Final[dict[str, tuple[int, ...]]] = {
    "left_eye": (66, 70),
    "right_eye": (75, 79),
    "eyes": EYES,
    "nose": (NOSE_TIP,),
    "left_mouth": (84,),
    "right_mouth": (90,),
    "mouth": (84, 87, 90, 93),
    "chin": (16,),
}
"""Names of a points file: the landmarks whose middle is meant."""

MAX_SIDE: Final = 4096
"""Largest side of a sticker's file in pixels."""


class Sticker(PictureEffect):
    """Your own picture (PNG with transparency) on every face; without a file, a heart."""

    title: ClassVar[str] = "Own sticker"
    phase: ClassVar[Phase] = Phase.STICKER

    strength: float = strength(1.0, "how opaque")
    file: Path | None = key(None, "PNG with transparency; FILE.yaml beside FILE.png can fix points of it")
    anchor: Literal["head", "forehead", "eyes", "nose", "mouth", "chin"] = key(
        "forehead", "where its middle is; on the head it stands"
    )
    width: float = key(0.6, "how wide it is, in eye distances", ge=0.05, le=10, step=0.05)
    right: float = key(0.0, "how far to image-right of there, in eye distances", ge=-5, le=5, step=0.05)
    up: float = key(0.0, "how far above there, in eye distances", ge=-5, le=5, step=0.05)

    _picture: _Picture = PrivateAttr()

    @field_validator("file")
    @classmethod
    def _readable(cls, file: Path | None) -> Path | None:
        if file is not None:
            _read(file)
        return file

    def model_post_init(self, _: Any) -> None:
        """Keep the picture: a file that is moved away later is still shown."""
        self._picture = _heart() if self.file is None else _read(self.file)

    def draw(self, canvas: Canvas) -> None:
        """Stick it on, smallest face first, so that nearer ones cover farther ones."""
        for face in sorted(canvas.regions, key=lambda region: region.unit):
            plane = self._placed(face)
            layer = Layer(canvas.picture, self._picture.art.corners() @ plane[:, :2].T + plane[:, 2])
            layer.paste(self._picture.art, plane)
            layer.lay(self.strength)

    def _placed(self, face: FaceRegion) -> Points:
        """The map ``(2, 3)`` of the picture's pixels into the canvas."""
        points, (width, height) = self._picture.points, self._picture.size
        if points:
            head = Head.of(face).pinned(face, [i for name in points for i in PLACES[name]])
            corner, across, along = _fitted(points)
        else:
            indices, origin = _ANCHORS[self.anchor]
            head, step = Head.of(face).pinned(face, indices), self.width / width
            across, along = np.array((step, 0.0, 0.0)), np.array((0.0, step, 0.0))
            corner = np.array(origin) - across * width / 2 - along * height * (1.0 if self.anchor == "head" else 0.5)
        return head.plane(corner + np.array((self.right, -self.up, 0.0)), across, along)


@dataclass(frozen=True, eq=False, slots=True)
class _Picture:
    """A sticker's pixels, its size in the file's pixels, and its points there."""

    art: Art
    size: tuple[int, int]
    points: dict[str, tuple[float, float]]


def _middle(indices: tuple[int, ...]) -> tuple[float, float, float]:
    x, y, z = MODEL[list(indices)].mean(0)
    return float(x), float(y), float(z)


_ANCHORS: Final[dict[str, tuple[tuple[int, ...], tuple[float, float, float]]]] = {
    # which landmarks hold it, and where its middle is in head units
    "head": (STEADY, (0.0, -1.28, 0.25)),
    "forehead": (STEADY, (0.0, -0.92, -0.15)),
    "eyes": (EYES, (0.0, -0.39, -0.22)),
    "nose": (PLACES["nose"], _middle(PLACES["nose"])),
    "mouth": (PLACES["mouth"], _middle(PLACES["mouth"])),
    "chin": (PLACES["chin"], _middle(PLACES["chin"])),
}
_KEPT: Final = 1024  # pixels of the longest side that are kept of a larger picture
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def _fitted(points: dict[str, tuple[float, float]]) -> tuple[Points, Points, Points]:
    """Where a picture's (0, 0) is and what its steps are, in head units: the similarity that fits its points best."""
    given = np.array([complex(*point) for point in points.values()])
    places = np.array([_middle(PLACES[name]) for name in points])
    wanted = places[:, 0] + 1j * places[:, 1]
    centred = given - given.mean()
    turn = (centred.conj() @ (wanted - wanted.mean())) / (centred.conj() @ centred).real
    start = wanted.mean() - turn * given.mean()
    corner = np.array((start.real, start.imag, places[:, 2].min()))
    return corner, np.array((turn.real, turn.imag, 0.0)), np.array((-turn.imag, turn.real, 0.0))


def _read(file: Path) -> _Picture:
    """A sticker's file with its points, read again when it has changed.

    Raises:
        ValueError: it cannot be used; says why and what is allowed.
    """
    file = file.expanduser()
    if file.is_dir():
        raise ValueError(f"{file} is a folder; give the path of a PNG")
    points = file.with_suffix(".yaml")
    return _read_once(file, _stamp(file), points, _stamp(points) if points.exists() else None)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}; give the path of a PNG") from None
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=16)
def _read_once(file: Path, _: tuple[int, int], points: Path, points_stamp: tuple[int, int] | None) -> _Picture:
    pixels = _pixels(file)
    height, width = pixels.shape[:2]
    named = {} if points_stamp is None else _points(points)
    shrunk = min(1.0, _KEPT / max(width, height))
    size = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    small = np.asarray(cv2.resize(premultiplied(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)
    return _Picture(Art(small, (0.0, 0.0, float(width), float(height))), (width, height), named)


def _pixels(file: Path) -> Bgra:
    try:
        with file.open("rb") as stream:
            head = stream.read(24)
            if not head.startswith(_SIGNATURE) or len(head) < 24:
                raise ValueError(f"{file} is no PNG; give a PNG with a transparent background")
            width, height = struct.unpack(">II", head[16:24])
            if max(width, height) > MAX_SIDE:
                raise ValueError(
                    f"{file} has {width}x{height} pixels; allowed: up to {MAX_SIDE} a side, so scale it down"
                )
            data = head + stream.read()
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}; give the path of a PNG") from None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{file} is damaged; save the PNG again")
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    if pixels.ndim != 3 or pixels.shape[2] != 4:  # one whose alpha is full everywhere is a plate, and meant to be one
        raise ValueError(f"{file} has no alpha channel; save the PNG with transparency (RGBA)")
    return np.asarray(pixels, np.uint8)


def _points(file: Path) -> dict[str, tuple[float, float]]:
    """The named points of a points file, in pixels of its PNG."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise ValueError(f"{file} is not valid YAML{where}; write lines such as 'left_eye: [120, 84]'") from None
    if not isinstance(data, dict) or len(data) < 2:
        raise ValueError(f"{file} must name two or more points, with lines such as 'left_eye: [120, 84]'")
    named = {str(name): _point(file, str(name), value) for name, value in data.items()}
    if len(set(named.values())) < 2:
        raise ValueError(f"{file} gives all its points the same place; two must differ")
    return named


def _point(file: Path, name: str, value: Any) -> tuple[float, float]:
    if name not in PLACES:
        raise ValueError(f"{file} names {name!r}; allowed: {', '.join(PLACES)}")
    numbers = value if isinstance(value, list) else []
    usable = [v for v in numbers if isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= 10 * MAX_SIDE]
    if len(usable) != 2 or len(numbers) != 2:
        raise ValueError(f"{file}: {name} is {value!r}; allowed: two numbers [x, y] in pixels of the PNG")
    return float(usable[0]), float(usable[1])


@lru_cache(maxsize=1)
def _heart() -> _Picture:
    """What is shown until a file is chosen."""
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    curve = np.cos([t, 2 * t, 3 * t, 4 * t])
    line = np.stack([16 * np.sin(t) ** 3, -(13 * curve[0] - 5 * curve[1] - 2 * curve[2] - curve[3])], axis=1)
    brush, middle = Brush((0.0, 0.0, 36.0, 34.0), 10), np.array((18.0, 15.0))
    for part, tint, soft in ((1.0, (40, 14, 150), 0.0), (0.9, (62, 30, 222), 0.7), (0.7, (96, 70, 245), 1.8)):
        brush.fill(middle + line * part - (0.0, 1.2 * (1 - part)), np.array(tint), soft=soft)
    glint = np.stack([2.6 * np.cos(t) - 7.5, 1.7 * np.sin(t) - 7.0], axis=1)
    brush.fill(middle + glint, np.array((235, 225, 255)), 0.85, soft=0.5)
    return _Picture(brush.done(), (36, 34), {})
