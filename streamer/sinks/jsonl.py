"""One JSON object per frame and line: the format other programs read."""

from __future__ import annotations

import io
import os
import stat
from os import fstat
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from streamer.sinks.base import claim, output_error, prepare_folder, replace_bytes
from streamer.types import Face, FloatArray, FrameResult

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
_PIXEL_DECIMALS = 2  # the network's own trembling is ten times coarser


def face_record(face: Face) -> dict[str, Any]:
    """A face as plain JSON values (arrays are left to ``orjson``).

    Args:
        face: the face.

    Returns:
        ``track_id``, ``box`` (4), ``score``, ``keypoints`` (5, 2), ``landmarks`` (106, 2), ``pose`` with
        ``pitch``, ``roll``, ``yaw`` in degrees, and ``identity``; points in pixels of the frame.
    """
    pose = face.pose
    return {
        "track_id": face.track_id,
        "box": _pixels(face.box),
        "score": round(float(face.score), 4),
        "keypoints": _pixels(face.keypoints),
        "landmarks": _pixels(face.landmarks),
        "pose": {
            "pitch": round(float(pose.pitch), 2),
            "roll": round(float(pose.roll), 2),
            "yaw": round(float(pose.yaw), 2),
        },
        "identity": face.identity,
    }


def frame_record(result: FrameResult) -> dict[str, Any]:
    """A frame's result as plain JSON values: ``frame``, ``pts`` in seconds, ``source``, ``faces``."""
    return {
        "frame": result.frame.index,
        "pts": round(result.frame.pts, 6),
        "source": readable(result.frame.source),
        "faces": [face_record(face) for face in result.faces],
    }


def readable(name: str) -> str:
    """A file's name as text: what of it is no UTF-8, as no JSON may hold it, becomes a replacement character."""
    return os.fsencode(name).decode("utf-8", "replace")


def to_json_line(record: dict[str, Any]) -> bytes:
    """A record as UTF-8 with a newline; NaN becomes ``null``."""
    return orjson.dumps(record, option=_OPTIONS)


class JsonlWriter:
    """Writes each result as one line that is in the file as soon as ``write`` returns.

    A full disk never leaves half a line: the file is cut back to its last whole one.
    """

    def __init__(self, path: Path | str) -> None:
        """Create or overwrite the file.

        Args:
            path: where to; an existing file is overwritten by the first line, missing folders are created. A pipe
                or device such as ``/dev/stdout`` works too.

        Raises:
            OutputError: the file cannot be written.
        """
        self.path = Path(path)
        prepare_folder(self.path)
        try:
            # Unbuffered: a buffer would hide a full disk until some later line.
            file = io.FileIO(self.path, "ab")
        except OSError as error:
            raise output_error(path, error) from error
        self._regular = stat.S_ISREG(fstat(file.fileno()).st_mode)
        if self._regular:
            claim(file, self.path)
        self._file: io.FileIO | None = file
        self._whole = 0  # bytes up to the end of the last whole line

    def write(self, result: FrameResult) -> None:
        """Append one line.

        Raises:
            OutputError: the disk is full or the reader has gone; the file ends with its last whole line.
        """
        if self._file is None:
            return
        line = to_json_line(frame_record(result))
        try:
            if self._whole == 0 and self._regular:  # an older result stays until there is one to replace it with
                self._file.truncate(0)
            _write_all(self._file, line)
        except OSError as error:
            self._abandon()
            raise output_error(self.path, error) from error
        self._whole += len(line)

    def close(self) -> None:
        """Close the file, which is complete already; removes it when nothing ever came and nothing was in it."""
        if self._file is not None:
            file, self._file = self._file, None
            if self._regular and fstat(file.fileno()).st_size == 0 and self.path.parent != Path("/dev"):
                self.path.unlink(missing_ok=True)
            file.close()

    def _abandon(self) -> None:
        if self._file is not None and self._regular:
            self._file.truncate(self._whole)
        self.close()


def write_json(path: Path | str, value: Any) -> None:
    """Write one indented JSON document.

    Raises:
        OutputError: the file cannot be written; one that was there before still is.
    """
    replace_bytes(Path(path), orjson.dumps(value, option=_OPTIONS | orjson.OPT_INDENT_2))


def _write_all(file: io.FileIO, data: bytes) -> None:
    """Write every byte; the system may take fewer at once when the disk is nearly full."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]


def _pixels(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.round(values, _PIXEL_DECIMALS))
