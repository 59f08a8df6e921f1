"""A contact sheet of training samples with their labels drawn: look at it before a long run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from streamer.errors import OutputError
from streamer.evaluation.pictures import sheet
from streamer.training.detection.cut import Sample
from streamer.types import Image

_COLUMNS: Final = 6
_TILE: Final = 320
_GREEN: Final = (0, 230, 0)
_GREY: Final = (150, 150, 150)
_ORANGE: Final = (0, 140, 255)
_POINTS: Final = ((0, 0, 255), (255, 120, 0), (0, 255, 255), (255, 0, 255), (255, 255, 0))


def write_sheet(samples: list[Sample], path: Path) -> None:
    """Write a picture: faces green, ignored places grey, the teacher's hints as orange dots.

    A face's keypoints are red (left eye), blue (right eye), yellow (nose), magenta and cyan (mouth corners).

    Args:
        samples: of one size.
        path: PNG or JPEG to write.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _, data = cv2.imencode(path.suffix or ".png", sheet([_tile(sample) for sample in samples], _COLUMNS))
        path.write_bytes(data.tobytes())
    except (OSError, cv2.error) as error:
        raise OutputError(f"{path} cannot be written ({error}); choose another file, such as sheet.png.") from error


def _tile(sample: Sample) -> Image:
    scale = _TILE / sample.image.shape[0]
    tile = np.asarray(cv2.resize(sample.image, (_TILE, _TILE), interpolation=cv2.INTER_LINEAR), np.uint8)
    for boxes, colour in ((sample.ignore, _GREY), (sample.boxes, _GREEN)):
        for x0, y0, x1, y1 in (boxes * scale).round().astype(int).tolist():
            cv2.rectangle(tile, (x0, y0), (x1, y1), colour, 1)
    for x, y in (sample.hints.centres * scale).round().astype(int).tolist():
        cv2.circle(tile, (x, y), 1, _ORANGE, -1)
    for points in sample.keypoints[np.isfinite(sample.keypoints).all(axis=(1, 2))] * scale:
        for (x, y), colour in zip(points.round().astype(int).tolist(), _POINTS, strict=True):
            cv2.circle(tile, (x, y), 2, colour, -1, cv2.LINE_AA)
    return tile
