"""A contact sheet of what augmentation makes: look at it before a long run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from streamer.errors import OutputError
from streamer.evaluation.pictures import sheet
from streamer.training.augment import View, draw_error, draw_face, draw_view, nudge
from streamer.training.datasets import load_faces
from streamer.training.shape_trend import learn_trend
from streamer.types import Image

_TILE: Final = 144
_PAIRS_PER_ROW: Final = 5
_READ: Final = 4000
"""Faces read for a sheet: plenty to choose from, in a second."""


def augmentation_sheet(data: Path, out: Path, pairs: int, seed: int) -> None:
    """Write a PNG of view pairs; under each pair stands its pose, and the points are drawn on the second view.

    Args:
        data: training folder.
        out: PNG to write.
        pairs: how many faces.
        seed: of everything drawn.

    Raises:
        FacestreamError: the data is unusable or the file cannot be written.
    """
    faces = load_faces(data, limit=_READ)
    rng = np.random.default_rng(seed)
    trend = learn_trend(faces)
    tiles: list[Image] = []
    for index in rng.choice(len(faces), pairs).tolist():
        face, error = draw_face(rng, faces, index, trend), draw_error(rng)
        tiles.append(_tile(draw_view(rng, face, error), points=False))
        tiles.append(_tile(draw_view(rng, face, nudge(rng, error)), points=True))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _, data_png = cv2.imencode(".png", sheet(tiles, 2 * _PAIRS_PER_ROW))
        out.write_bytes(data_png.tobytes())
    except OSError as error_:
        raise OutputError(f"{out} cannot be written ({error_}); choose another --out.") from error_


def _tile(view: View, points: bool) -> Image:
    """The crop enlarged, with its pose, and with its points where wanted."""
    tile = np.asarray(cv2.resize(view.image, (_TILE, _TILE), interpolation=cv2.INTER_LINEAR), np.uint8)
    if points:
        for x, y in (view.points * _TILE * 8).round().astype(int).tolist():
            cv2.circle(tile, (x, y), 8, (0, 230, 0), -1, cv2.LINE_AA, 3)
        return tile
    text = "p{:.0f} r{:.0f} y{:.0f}".format(*np.nan_to_num(view.pose).tolist())
    cv2.putText(tile, text, (3, _TILE - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return tile
