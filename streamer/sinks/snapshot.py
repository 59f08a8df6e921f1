"""Saves one frame as a picture."""

from __future__ import annotations

from pathlib import Path

import cv2

from streamer.sinks.base import output_error, prepare_folder, refuse_suffix
from streamer.sinks.drawing import annotate
from streamer.sinks.places import unused
from streamer.types import FrameResult

SUFFIXES = (".png", ".jpg", ".jpeg")
"""Endings a snapshot may have."""

_JPEG_QUALITY = 95


def save_snapshot(result: FrameResult, path: Path, *, overlays: bool) -> Path:
    """Write a frame as PNG or JPEG; missing folders are created, and nothing is ever overwritten.

    Args:
        result: the frame and its faces.
        path: where to; where that exists, ``name-2`` and so on is taken.
        overlays: draw the faces as recordings show them: not over a look.

    Returns:
        The file that was written.

    Raises:
        OutputError: it cannot be written, or is to be no picture of these kinds; nothing is left behind.
    """
    refuse_suffix(path, SUFFIXES, "snapshots are PNG or JPEG files")
    image = annotate(result.picture, result.faces) if overlays and result.shown is None else result.picture
    suffix = path.suffix.lower()
    data = cv2.imencode(suffix, image, [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    prepare_folder(path)
    while True:
        path = unused(path)
        try:
            file = path.open("xb")
        except FileExistsError:  # somebody else was quicker
            continue
        except OSError as error:
            raise output_error(path, error) from error
        try:
            with file:
                file.write(data.tobytes())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise output_error(path, error) from error
        return path
