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

_ORIENTATION: Final = 0x0112  # the EXIF tag
_JPEG: Final = (".jpg", ".jpeg")
_JPEG_QUALITY: Final = 95
_OPAQUE: Final = 248  # of 255: what is drawn differs a little with what lies behind the picture
_ROUNDED: Final = 2  # of 255: how far the transparency told from two rounded pictures may be off


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture that was read.

    Attributes:
        image: BGR uint8 ``(H, W, 3)``, upright, as people see it: on white where it is transparent.
        pixels: BGR uint8 or uint16 ``(H, W, 3)``: its colours without the white.
        alpha: ``(H, W)`` of the pixels' depth, largest where it is opaque; ``None`` where it is so everywhere.
        profile: ICC profile of its colours; empty for none.
        suffix: what kind of file it is written as.
    """

    image: Image
    pixels: NDArray[Any]
    alpha: NDArray[Any] | None
    profile: bytes
    suffix: str

    def save(self, path: Path, *, paint: Draw | None = None, cover: Draw | None = None, secret: bool = False) -> None:
        """Write the picture as ``paint`` and then ``cover`` change it, with all else as it was.

        Args:
            path: where to; its suffix is :attr:`suffix`.
            paint: changes its colours; it stays as transparent as it is.
            cover: puts something over it, which is seen where the picture is transparent, too.
            secret: what is drawn hides something: nothing of the original may be left that is not seen, neither finer
                steps of its colours nor the colour of transparent pixels.

        Raises:
            OutputError: it cannot be written; a file that was there before still is.
        """
        pixels, alpha = self.pixels, self.alpha
        if secret:
            pixels, alpha = _shallow(pixels), None if alpha is None else _shallow(alpha)
        if paint is not None:
            pixels = _painted(pixels, alpha, paint)
        if alpha is not None:
            drawn = np.dstack([pixels, alpha]) if cover is None else _covered(pixels, alpha, cover)
        else:
            drawn = pixels if cover is None else _painted(pixels, None, cover)
        if secret and alpha is not None:
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
        clear = "A" in picture.mode or "transparency" in picture.info
        shallow = np.asarray(ImageOps.exif_transpose(picture).convert("RGBA").getchannel("A")) if clear else None
        turned = picture.getexif().get(_ORIENTATION, 1)
    deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    pixels: NDArray[Any] = deep if deep is not None and deep.dtype == np.uint16 else image
    if shallow is None or shallow.shape != image.shape[:2]:
        return PictureFile(image, pixels, None, profile, ".png")
    alpha: NDArray[Any] = shallow if pixels.dtype == np.uint8 else _deep_alpha(data, shallow, turned)
    if alpha.min() == np.iinfo(alpha.dtype).max:
        return PictureFile(image, pixels, None, profile, ".png")
    return PictureFile(_over(image, shallow, 255), pixels, alpha, profile, ".png")


def _deep_alpha(data: bytes, shallow: Image, turned: int) -> NDArray[Any]:
    """Alpha with 16 bits, which Pillow cuts to 8 and OpenCV does not turn upright; a colour key has no more than 8."""
    from PIL import Image as pillow
    from PIL import ImageOps

    whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if whole is None or whole.dtype != np.uint16 or whole.ndim != 3 or whole.shape[2] != 4:
        return _deep(shallow)
    alpha = pillow.fromarray(np.ascontiguousarray(whole[..., 3]))
    alpha.getexif()[_ORIENTATION] = turned
    return np.asarray(ImageOps.exif_transpose(alpha), np.uint16)


def _painted(pixels: NDArray[Any], alpha: NDArray[Any] | None, paint: Draw) -> NDArray[Any]:
    """What is painted, in the pixels' own depth; where nothing is, or is seen, the pixels themselves."""
    plain = _shallow(pixels)
    ground = plain if alpha is None else _spread(plain, alpha)
    drawn = paint(ground)
    touched = (drawn != ground).any(2)
    if alpha is not None:
        touched &= alpha > 0
    return np.where(touched[..., None], _as_deep(drawn, pixels), pixels)


def _covered(pixels: NDArray[Any], alpha: NDArray[Any], cover: Draw) -> NDArray[Any]:
    """BGRA of what is put over a partly transparent picture.

    What is drawn is not known apart from its ground, so it is drawn on black and on white: where it differs the ground
    shows through (Smith and Blinn, Blue screen matting, 1996).
    """
    plain, share = _shallow(pixels), _shallow(alpha)
    grounds = [_over(plain, share, grey) for grey in (0, 255)]
    black, white = (cover(ground) for ground in grounds)
    touched = (black != grounds[0]).any(2) | (white != grounds[1]).any(2)
    seen = 255 - (white.astype(np.float32) - black).mean(2).clip(0, 255)
    seen[seen >= _OPAQUE] = 255
    colour = (black * (255 / np.maximum(seen, 1))[..., None]).clip(0, 255).round().astype(np.uint8)
    changed = touched & (np.abs(seen - share) > _ROUNDED)
    left = np.where(changed, _as_deep(seen.round().astype(np.uint8), alpha), alpha)
    return np.dstack([np.where(touched[..., None], _as_deep(colour, pixels), pixels), left])


def _spread(pixels: Image, alpha: NDArray[Any]) -> Image:
    """The picture with its colours carried on where it cannot be seen.

    What is bent draws in what lies beyond the edge: black or a stranger's backdrop in most files.
    """
    clear = alpha == 0
    if not clear.any() or clear.all():
        return pixels
    nearest = cv2.distanceTransformWithLabels(
        clear.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[~clear]] = pixels[~clear]
    return colours[nearest]


def _over(pixels: Image, alpha: Image, grey: int) -> Image:
    """The picture on a plain ground."""
    share = alpha[..., None].astype(np.uint16)
    return np.asarray((pixels * share + grey * (255 - share) + 127) // 255, np.uint8)


def _shallow(pixels: NDArray[Any]) -> Image:
    return np.asarray(pixels if pixels.dtype == np.uint8 else pixels >> 8, np.uint8)


def _deep(pixels: Image) -> NDArray[np.uint16]:
    return pixels.astype(np.uint16) * np.uint16(257)


def _as_deep(pixels: Image, like: NDArray[Any]) -> NDArray[Any]:
    return pixels if like.dtype == np.uint8 else _deep(pixels)


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
