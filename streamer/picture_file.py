"""A picture with all its file holds: what effects leave alone comes out as it went in.

Effects know 8-bit BGR. Around them transparency, 16 bits a channel and the colour profile are kept. A JPEG becomes a
JPEG, anything else a PNG. Camera data (EXIF) is not: it tells places and dates, and holds a small copy of the picture
as it was; the picture is turned upright instead.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.sinks.base import replace_bytes
from streamer.sources.images import decode_image, read_bytes
from streamer.types import Image

Draw = Callable[[Image], Image]
"""Makes a new picture of one, both BGR uint8 ``(H, W, 3)``."""

_JPEG: Final = (".jpg", ".jpeg")
_JPEG_QUALITY: Final = 95
_OPAQUE: Final = 248  # of 255: what is drawn differs a little with what lies behind the picture


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture that was read.

    Attributes:
        image: BGR uint8 ``(H, W, 3)``, upright, as people see it: on white where it is transparent.
        pixels: BGR uint8 or uint16 ``(H, W, 3)``: its colours without the white.
        alpha: uint8 ``(H, W)``, 255 where it is opaque; ``None`` where it is so everywhere.
        profile: ICC profile of its colours; empty for none.
        suffix: what kind of file it is written as.
    """

    image: Image
    pixels: NDArray[Any]
    alpha: Image | None
    profile: bytes
    suffix: str

    def save(self, path: Path, draw: Draw, *, secret: bool = False) -> None:
        """Write the picture as ``draw`` changes it, with all else as it was.

        Args:
            path: where to; its suffix is :attr:`suffix`.
            draw: changes what people see of it.
            secret: what is drawn hides something: nothing of the original may be left that is not seen, neither finer
                steps of its colours nor the colour of transparent pixels.

        Raises:
            OutputError: it cannot be written; a file that was there before still is.
        """
        plain = _shallow(self.pixels) if secret else self.pixels
        drawn = _opaque(plain, self.image, draw) if self.alpha is None else _layered(plain, self.alpha, draw)
        if secret and self.alpha is not None:
            drawn[drawn[..., 3] == 0] = 0
        replace_bytes(path, _jpeg(drawn, self.profile) if self.suffix.lower() in _JPEG else _png(drawn, self.profile))


def read_picture(path: Path) -> PictureFile:
    """Read a picture with all its file holds.

    Raises:
        ImageError: see :func:`streamer.sources.images.read_image`.
    """
    from PIL import Image as pillow
    from PIL import ImageOps

    data = read_bytes(path)
    image = decode_image(data, path)
    with pillow.open(io.BytesIO(data)) as picture:
        profile = picture.info.get("icc_profile") or b""
        profile = profile if profile[16:20] == b"RGB " else b""  # of grey or CMYK it says nothing about what we write
        if picture.format == "JPEG":
            return PictureFile(image, image, None, profile, path.suffix if path.suffix.lower() in _JPEG else ".jpg")
        alpha: Image | None = None
        if "A" in picture.mode or "transparency" in picture.info:
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
            alpha = np.asarray(upright.getchannel("A"))
    deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    pixels: NDArray[Any] = deep if deep is not None and deep.dtype == np.uint16 else image
    if alpha is None or alpha.shape != image.shape[:2] or alpha.min() == 255:
        return PictureFile(image, pixels, None, profile, ".png")
    return PictureFile(_over(image, alpha, 255), pixels, alpha, profile, ".png")


def _opaque(pixels: NDArray[Any], image: Image, draw: Draw) -> NDArray[Any]:
    """What is drawn, in the pixels' own depth; where nothing is, the pixels themselves."""
    drawn = draw(image)
    return drawn if pixels.dtype == np.uint8 else np.where((drawn != image).any(2, keepdims=True), _deep(drawn), pixels)


def _layered(pixels: NDArray[Any], alpha: Image, draw: Draw) -> NDArray[Any]:
    """BGRA of what is drawn onto a partly transparent picture.

    What is drawn is not known apart from its ground, so it is drawn on black and on white: where it differs the ground
    shows through (Smith and Blinn, Blue screen matting, 1996).
    """
    plain = _shallow(pixels)
    grounds = [_over(plain, alpha, grey) for grey in (0, 255)]
    black, white = (draw(ground) for ground in grounds)
    touched = (black != grounds[0]).any(2) | (white != grounds[1]).any(2)
    seen = 255 - (white.astype(np.float32) - black).mean(2).clip(0, 255)
    seen[seen >= _OPAQUE] = 255
    colour = (black * (255 / np.maximum(seen, 1))[..., None]).clip(0, 255).round().astype(np.uint8)
    made, kept = np.dstack([colour, seen.round().astype(np.uint8)]), np.dstack([plain, alpha])
    if pixels.dtype != np.uint8:
        made, kept = _deep(made), np.dstack([pixels, _deep(alpha)])
    return np.where(touched[..., None], made, kept)


def _over(pixels: Image, alpha: Image, grey: int) -> Image:
    """The picture on a plain ground."""
    share = alpha[..., None].astype(np.uint16)
    return np.asarray((pixels * share + grey * (255 - share) + 127) // 255, np.uint8)


def _shallow(pixels: NDArray[Any]) -> Image:
    return np.asarray(pixels if pixels.dtype == np.uint8 else pixels >> 8, np.uint8)


def _deep(pixels: Image) -> NDArray[np.uint16]:
    return pixels.astype(np.uint16) * np.uint16(257)


def _jpeg(pixels: Image, profile: bytes) -> bytes:
    from PIL import Image as pillow

    file = io.BytesIO()
    settings: dict[str, Any] = {"quality": _JPEG_QUALITY, "subsampling": 0, "icc_profile": profile or None}
    pillow.fromarray(np.ascontiguousarray(pixels[..., ::-1])).save(file, "JPEG", **settings)
    return file.getvalue()


def _png(pixels: NDArray[Any], profile: bytes) -> bytes:
    """A PNG with its profile, which OpenCV does not write and Pillow not with 16 bits."""
    data: bytes = cv2.imencode(".png", pixels)[1].tobytes()
    if not profile:
        return data
    body = b"iCCPicc\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    header = 33  # bytes of signature and IHDR, which the profile must follow
    return data[:header] + chunk + data[header:]
