"""Records the annotated picture as H.264 MP4 that stays playable whatever happens to the program or the disk.

The file is written in fragments, so what is on disk can be played at any moment; a clean end turns it into an
ordinary MP4 with one index (FFmpeg's ``hybrid_fragmented``), which seeks fast everywhere.
"""

from __future__ import annotations

import errno
import io
import os
import threading
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, Interpolation

from streamer.errors import OutputError
from streamer.sinks.base import claim, output_error, prepare_folder
from streamer.sinks.drawing import annotate
from streamer.types import FrameResult, Image

_CODECS: Final = ("libx264", "mpeg4")  # the second for FFmpeg builds without GPL parts
_SUFFIXES: Final = (".mp4", ".m4v", ".mov")  # of one family: players go by what is inside
_CLOCK: Final = 60_000  # ticks per second: exact for 24, 25, 29.97, 30, 60 fps; MPEG-4 part 2 allows 65535 at most
_SMALLEST: Final = 16  # pixels; encoders refuse less
_ROUNDED: Final = Interpolation.BILINEAR | Interpolation.ACCURATE_RND  # swscale cuts off by default: half a level of Y
_KEYFRAME_SECONDS: Final = 2.0  # most that a crash or a full disk can cost


class GuardedFile(io.FileIO):
    """A file that remembers its first failed write and pretends to go on.

    FFmpeg calls it from C and, at the end, goes back to rewrite headers: once a write has failed nothing may be
    changed any more, or what is there would be spoilt.

    Attributes:
        failure: the first error, or ``None``.
    """

    failure: OSError | None = None

    def write(self, data: object) -> int:
        """Write all of ``data``, or nothing from the first failure on."""
        view = memoryview(data).cast("B")  # type: ignore[arg-type]
        size = len(view)
        try:
            while view and self.failure is None:
                view = view[super().write(view) :]
        except OSError as error:
            self.failure = error
        return size


class Recorder:
    """Draws the faces over each frame and encodes it; from the first frame with a look on as it is shown, bare.

    Whoever takes the last effect off in the midst of a recording, or turns it down to 0, wants no boxes in it.

    Timing follows the frames' ``pts``, so variable frame rates and the gaps of a live source stay as they were.
    A frame of another size is fitted into the first one's size with black bars.
    """

    def __init__(self, path: Path | str, fps: float = 30.0, crf: int = 23) -> None:
        """Open the file; the encoder starts with the first frame.

        Args:
            path: where to; an existing file is overwritten by the first frame, missing folders are created.
            fps: expected frame rate; sets only the distance of key frames and the step after a jump back in time.
            crf: H.264 constant rate factor, 0 (lossless) to 51.

        Raises:
            OutputError: the file cannot be written.
        """
        self.path = Path(path)
        self._fps, self._crf = fps, crf
        prepare_folder(self.path)
        if os.path.isdir(self.path):
            raise output_error(path, IsADirectoryError(errno.EISDIR, ""))
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise OutputError(f"cannot record to {path}: it is a device or a pipe; name an ordinary file")
        if self.path.suffix.lower() not in _SUFFIXES:
            raise OutputError(f"cannot record to {path}: recordings are MP4 files; name it {self.path.stem}.mp4")
        try:
            # Appending leaves an older recording alone until there is a frame to replace it with.
            self._claimed = self.path.open("ab")
        except OSError as error:
            raise output_error(self.path, error) from error
        claim(self._claimed, self.path)
        self._file: GuardedFile | None = None
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream
        self._clock = _Clock(1.0 / fps)
        self._closed = self._dressed = False
        # A camera that is stopped does not wait long for the thread that writes: the encoder must have one user only.
        self._turn = threading.Lock()

    def write(self, result: FrameResult) -> None:
        """Encode one frame.

        Raises:
            OutputError: the disk is full or the encoder refuses the picture; the file keeps what can be played.
        """
        with self._turn:
            if not self._closed:
                self._encode(result)

    def _encode(self, result: FrameResult) -> None:
        self._dressed |= result.shown is not None
        image = result.picture if self._dressed else annotate(result.picture, result.faces)
        try:
            if self._container is None or self._file is None:
                self._container, self._file = self._start(image)
            picture = av.VideoFrame.from_ndarray(_fit(image, self._stream.width, self._stream.height), format="bgr24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, interpolation=_ROUNDED)
            picture.pts, picture.time_base = self._clock.tick(result.frame.pts), Fraction(1, _CLOCK)
            self._container.mux(self._stream.encode(picture))
        except av.FFmpegError as error:
            self._finish()
            raise self._encoder_error(error) from error
        except OSError as error:
            raise output_error(self.path, error) from error
        if (failure := self._file.failure) is not None:
            self._finish()
            raise self._write_error(failure) from failure

    def close(self) -> None:
        """Write what the encoder still holds and the index; removes the file when no frame ever came.

        May be called from another thread than ``write``; a frame that is being written is finished first.

        Raises:
            OutputError: the end could not be written; the file plays as far as it goes, or is gone if it held nothing.
        """
        with self._turn:
            if self._closed:
                return
            self._finish()
            if self._file is not None and (failure := self._file.failure) is not None:
                raise self._write_error(failure) from failure

    def _finish(self) -> None:
        """Flush and close everything once; afterwards the file plays or is gone, whatever happened before."""
        self._closed = True
        with self._claimed:
            self._end()

    def _end(self) -> None:
        if self._container is None or self._file is None:
            if self.path.is_file() and self.path.stat().st_size == 0:
                self.path.unlink()
            return
        try:
            self._container.mux(self._stream.encode(None))
        except av.FFmpegError as error:
            raise self._encoder_error(error) from error
        finally:
            self._container.close()
            self._file.close()
            if self._file.failure is not None and not cut_to_whole_fragments(self.path):
                self.path.unlink()

    def _write_error(self, failure: OSError) -> OutputError:
        error = output_error(self.path, failure)
        return error if self.path.exists() else OutputError(f"{error}; nothing of the recording could be kept")

    def _encoder_error(self, error: av.FFmpegError) -> OutputError:
        return OutputError(f"cannot record to {self.path}: the encoder says: {error.strerror}; try another frame size")

    def _start(self, image: Image) -> tuple[av.container.OutputContainer, GuardedFile]:
        """Open container and encoder for the first frame's size."""
        file = GuardedFile(self.path, "wb+")
        options = {"movflags": "hybrid_fragmented+frag_keyframe+default_base_moof+negative_cts_offsets"}
        container = av.open(file, "w", format="mp4", options=options)
        codec = next(name for name in _CODECS if name in av.codecs_available)
        rate = Fraction(self._fps).limit_denominator(1001)
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = (max(_SMALLEST, side - side % 2) for side in image.shape[:2])
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _CLOCK)
        context.gop_size = max(1, round(self._fps * _KEYFRAME_SECONDS))
        # Untagged HD video is taken for BT.709 by players but made as BT.601 by converters: say which.
        context.colorspace, context.color_primaries = Colorspace.ITU709, ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        if codec == "libx264":
            stream.options = {"crf": str(self._crf), "preset": "veryfast"}
        else:
            stream.options = {"qscale": str(max(1, round(self._crf / 4))), "flags": "+qscale"}
        self._stream = stream
        return container, file


class _Clock:
    """Turns source times into strictly rising ticks, keeping gaps and bridging jumps back."""

    def __init__(self, step: float) -> None:
        self._step = max(1, round(step * _CLOCK))
        self._offset: int | None = None
        self._last = -1

    def tick(self, pts: float) -> int:
        """Ticks since the first frame; a time that does not advance (a loop, a reconnect) goes on one step later."""
        now = round(pts * _CLOCK)
        if self._offset is None:
            self._offset = now
        elif now - self._offset <= self._last:
            self._offset = now - self._last - self._step
        self._last = now - self._offset
        return self._last


def _fit(image: Image, width: int, height: int) -> Image:
    """The image at exactly this size: an odd edge is cut off, any other size is scaled and centred on black."""
    rows, columns = image.shape[:2]
    if 0 <= rows - height <= 1 and 0 <= columns - width <= 1:
        return np.ascontiguousarray(image[:height, :width])
    scale = min(width / columns, height / rows)
    new_width, new_height = max(1, round(columns * scale)), max(1, round(rows * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - new_width) // 2, (height - new_height) // 2
    small = cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_AREA)
    canvas[top : top + new_height, left : left + new_width] = small
    return canvas


def cut_to_whole_fragments(path: Path) -> bool:
    """Cut a fragmented MP4 whose writing broke off back to its last complete fragment.

    Args:
        path: the file; left as it is when it ends with a whole ``mdat`` box.

    Returns:
        Whether a fragment is left, so that there is something to play.
    """
    size = path.stat().st_size
    whole = position = 0
    playable = False
    with path.open("rb+") as file:
        while position + 8 <= size:
            file.seek(position)
            length, kind = int.from_bytes(file.read(4), "big"), file.read(4)
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            if length < 8 or position + length > size:
                break
            position += length
            if kind != b"moof":  # a fragment's index without its data is worth nothing
                whole = position
                playable |= kind == b"mdat"
        file.truncate(whole)
    return playable
