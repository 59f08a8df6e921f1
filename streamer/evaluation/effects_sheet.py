"""A contact sheet of faces before and after effects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from streamer.evaluation.pictures import sheet
from streamer.sinks.base import output_error, prepare_folder, refuse_suffix
from streamer.sinks.snapshot import SUFFIXES
from streamer.types import Face, Image

_TILE: Final = 360
_AROUND: Final = 1.6  # side of a tile in heights of the face: what is beside it shows halos and seams
_PAIRS: Final = 6  # moments of a clip
_COLUMNS: Final = 6
_INK: Final = (255, 255, 255)


class Moments:
    """Faces of a clip before and after, at moments spread evenly over it, however long it is."""

    def __init__(self, clip: str) -> None:
        """Begin with none.

        Args:
            clip: name to write on the tiles.
        """
        self._clip = clip
        self._kept: list[tuple[Image, Image, float]] = []
        self._every = 1
        self._seen = 0

    def add(self, before: Image, after: Image, face: Face, seconds: float) -> None:
        """Offer a moment; which ones stay depends on how many come.

        Args:
            before: the frame, BGR ``(H, W, 3)``.
            after: the frame with effects.
            face: the face to show.
            seconds: where in the clip it is.
        """
        if self._seen % self._every == 0:
            self._kept.append((_enlarged(before, face), _enlarged(after, face), seconds))
            if len(self._kept) == 4 * _PAIRS:
                del self._kept[1::2]
                self._every *= 2
        self._seen += 1

    def tiles(self) -> list[Image]:
        """Pairs of equal tiles, before and after."""
        places = np.linspace(0, len(self._kept) - 1, min(_PAIRS, len(self._kept))).round().astype(int)
        tiles = []
        for before, after, seconds in (self._kept[place] for place in places.tolist()):
            tiles += [_labelled(before, f"{self._clip} {seconds:.1f} s"), after]
        return tiles


def check_suffix(path: Path) -> None:
    """Make sure that a sheet can be written in the format a name asks for.

    Raises:
        OutputError: it ends in something else.
    """
    refuse_suffix(path, SUFFIXES, "sheets are PNG or JPEG pictures")


def write_sheet(path: Path, clips: Sequence[Moments]) -> bool:
    """Write the moments of all clips as one picture.

    Args:
        path: a .png or .jpg.
        clips: each begins in a row of its own.

    Returns:
        Whether there was a face to show.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [sheet(tiles, _COLUMNS) for clip in clips if (tiles := clip.tiles())]
    if not rows:
        return False
    data = cv2.imencode(path.suffix.lower(), np.vstack(rows))[1]
    prepare_folder(path)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise output_error(path, error) from error
    return True


def _enlarged(picture: Image, face: Face) -> Image:
    """A square around the face; where the picture ends it is black."""
    x1, y1, x2, y2 = face.box.tolist()
    scale = _TILE / max(1.0, _AROUND * max(x2 - x1, y2 - y1))
    middle = _TILE / 2 - scale * (x1 + x2) / 2, _TILE / 2 - scale * (y1 + y2) / 2
    matrix = np.array(((scale, 0, middle[0]), (0, scale, middle[1])), np.float32)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(picture, matrix, (_TILE, _TILE), flags=how), np.uint8)


def _labelled(tile: Image, text: str) -> Image:
    tile = tile.copy()
    for thickness, ink in ((3, (0, 0, 0)), (1, _INK)):
        cv2.putText(tile, text, (6, _TILE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, ink, thickness, cv2.LINE_AA)
    return tile
