"""Pictures: a file, a folder or a glob, in the order a person would sort them."""

from __future__ import annotations

import functools
import glob
import io
import math
import os
import re
import stat
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from streamer.config import SourceConfig
from streamer.errors import ImageError, NoVideoError, SourceNotFoundError, SourceRefusedError, UndecodableError
from streamer.sources.base import Picture, Source
from streamer.types import Image

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2"})
"""Endings of the picture files taken from a folder."""

MAX_SIDE = 16384
"""Longest side in pixels that is decoded: larger pictures take gigabytes."""

MAX_PIXELS = 178_000_000
"""Most pixels that are decoded, half a gigabyte of BGR."""

MAX_BYTES = 2 << 30
"""Largest file that is read."""


def read_image(path: Path) -> Image:
    """Read a picture as BGR ``(H, W, 3)``, turned upright by its EXIF orientation.

    Raises:
        ImageError: it is missing, empty, damaged, no picture, or too large.
    """
    return decode_image(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Read a picture's file, or a pipe that one comes through.

    Raises:
        ImageError: it is missing, empty, too large, or no file.
    """
    try:
        state = path.stat()
        if stat.S_ISCHR(state.st_mode) or stat.S_ISBLK(state.st_mode):
            raise ImageError(f"{path} is a device, not a picture. Name a picture's file.")
        if state.st_size > MAX_BYTES:
            raise ImageError(f"{path} is too large; at most {MAX_BYTES >> 30} gigabytes. Shrink it first.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no picture {path}. Check the spelling.") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from None
    if not data:
        raise ImageError(f"{path} is empty (0 bytes). Copy or save it again.")
    return data


def decode_image(data: bytes, path: Path) -> Image:
    """Decode what :func:`read_bytes` has read.

    Raises:
        ImageError: it is damaged, no picture, or too large.
    """
    width, height = _header_size(data, path)
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"{path} is too large ({width} x {height}); at most {MAX_SIDE} pixels a side and "
            f"{MAX_PIXELS // 1_000_000} million in all. Shrink it first."
        )
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise _damaged(path)
    return np.asarray(image, np.uint8)


def _header_size(data: bytes, path: Path) -> tuple[int, int]:
    """Return width and height from a picture's header, without decoding it."""
    pillow = _pillow()
    try:
        with pillow.open(io.BytesIO(data)) as header:
            width, height = header.size
    except pillow.DecompressionBombError:
        raise ImageError(
            f"{path} is too large; at most {MAX_PIXELS // 1_000_000} million pixels. Shrink it first."
        ) from None
    except (OSError, ValueError, SyntaxError):
        raise _damaged(path) from None
    return int(width), int(height)


@functools.cache
def _pillow() -> Any:
    """Return Pillow, imported when first needed, without its warning: we have a limit of our own."""
    from PIL import Image as pillow

    warnings.filterwarnings("ignore", category=pillow.DecompressionBombWarning)
    return pillow


def _damaged(path: Path) -> ImageError:
    return ImageError(f"{path} is no picture, or is damaged. Check that it opens elsewhere.")


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Key that sorts ``img2`` before ``img10``."""
    parts = re.split(r"(\d+)", str(path).lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def is_pattern(spec: str) -> bool:
    """Whether a text may stand for several files, as ``frames/*.jpg`` does."""
    return any(mark in spec for mark in "*?[")


def find_images(spec: str) -> list[Path]:
    """Return the picture files a path, folder or glob stands for, naturally sorted.

    Raises:
        SourceNotFoundError: nothing matches.
        NoVideoError: the folder holds no picture.
    """
    path = Path(os.path.expanduser(spec))
    # os.path's questions, unlike Path's, have an answer for every text, such as one too long for a name.
    if os.path.isdir(path):
        found = [p for p in _listed(path) if p.suffix.lower() in SUFFIXES and os.path.isfile(p)]
        if not found:
            raise NoVideoError(f"The folder {path.name or path} holds no pictures. Choose one with jpg or png files.")
    elif os.path.isfile(path):
        found = [path]
    else:
        found = [Path(p) for p in glob.glob(str(path), recursive=True) if os.path.isfile(p)]
        if not found:
            raise SourceNotFoundError(f"No file matches {spec}. Check the spelling, and quote the pattern.")
    return sorted(found, key=natural_order)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise SourceRefusedError(
            f"The folder {folder} cannot be read: {error.strerror}. Check its permissions."
        ) from None


class ImagesSource(Source):
    """Pictures of any sizes, one after the other; unreadable ones are skipped and counted."""

    seekable = True

    def __init__(self, spec: str, config: SourceConfig) -> None:
        """Prepare to read what a path, folder or glob stands for.

        ``image_seconds``, ``loop`` and ``start`` of the configuration apply.
        """
        path = Path(spec)
        super().__init__(path.name or spec, loop=config.loop)
        self._spec = spec
        self._step = config.image_seconds
        self._begin = int(config.start / config.image_seconds)
        self._paths: list[Path] = []
        self._position = self._begin
        self._shown = self._begin
        self._unreadable: set[int] = set()
        self._first: Image | None = None
        self._reason = ""

    def _open(self) -> None:
        self._paths = find_images(self._spec)
        self._first = self._load()
        if self._first is None:
            raise UndecodableError(self._reason or f"{self.name} holds fewer pictures than source.start skips.")
        height, width = self._first.shape[:2]
        self.size, self.fps = (width, height), 1.0 / self._step
        self.still = len(self._paths) == 1 and not self.loop
        self.seekable = not self.still
        self.duration = 0.0 if self.still else len(self._paths) * self._step

    def _next(self) -> Picture | None:
        image = self._load() if self._first is None else self._first
        self._first = None
        if image is None and self.loop:
            self._position = self._begin
            self._segment += 1
            image = self._load()
        if image is None:
            return None
        pts = self._shown * self._step
        self._shown += 1
        return Picture(image, pts, (self._position - 1) * self._step)

    def _seek(self, seconds: float, back: int) -> None:
        self._first = None
        shown = min(math.floor(seconds / self._step + 1e-3), len(self._paths) - 1)
        readable = [index for index in range(shown + 1) if index not in self._unreadable]
        self._position = readable[max(len(readable) - 1 - back, 0)] if readable else shown

    def _load(self) -> Image | None:
        """Return the next picture that can be read, ``None`` when there is none left."""
        while self._position < len(self._paths) and not self._closed.is_set():
            path = self._paths[self._position]
            self._position += 1
            try:
                return read_image(path)
            except ImageError as error:
                self._reason = str(error)
                self.stats.corrupt += self._position - 1 not in self._unreadable
                self._unreadable.add(self._position - 1)
        return None

    def _release(self) -> None:
        self._first = None
