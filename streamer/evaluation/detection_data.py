"""Photographs with annotated faces for measuring detectors: reading, the held-out part, turning them.

The layout is a folder with ``annotations.json`` and ``images.tar``. The JSON is a list of photographs::

    {"file": "00000.jpg", "source": "wider_face", "faces": [{"box": [x1, y1, x2, y2], "mask": null}], "ignore": []}

Boxes are in pixels of the photograph. ``mask`` is ``with_mask`` (or ``true``), ``without_mask`` (``false``),
``with_incorrect_mask`` or ``null`` where nobody looked; ``ignore`` lists places that count neither way.
"""

from __future__ import annotations

import hashlib
import json
import math
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.detectors.postprocess import turn_boxes
from streamer.training.datasets import DatasetError
from streamer.types import FloatArray, Image

HELD_OUT_SHARE: Final = 0.25
"""Share of the photographs that training never sees; the hash gives 305 of the 1,149 of our own set."""

_MASKS: Final = {
    True: "masked",
    "with_mask": "masked",
    False: "bare",
    "without_mask": "bare",
    "with_incorrect_mask": "worn wrongly",
    None: "unknown",
}


@dataclass(frozen=True, slots=True)
class Photograph:
    """The annotation of one photograph.

    Attributes:
        file: its name.
        source: the collection it comes from.
        boxes: ``(n, 4)`` float32 ``xyxy`` of the faces, in pixels of the photograph.
        masks: ``(n,)`` str: ``masked``, ``bare``, ``worn wrongly`` or ``unknown``.
        ignore: ``(m, 4)`` boxes of places where a detection counts neither way.
    """

    file: str
    source: str
    boxes: FloatArray
    masks: NDArray[np.str_]
    ignore: FloatArray


def held_out(file: str) -> bool:
    """Whether a photograph belongs to the part that measures detectors and that training never sees.

    The choice hangs on the hash of the file's name alone, so it is the same whatever else is in the data and
    in which order. Training and evaluation must both ask this function.

    Args:
        file: the name in the annotation, such as ``00012.jpg``.
    """
    digest = hashlib.sha1(file.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < HELD_OUT_SHARE


class HeldOutPhotographs:
    """The held-out photographs of a folder; iterating reads the pictures one by one.

    Attributes:
        entries: their annotations.
        problems: what could not be used so far, one line each: boxes that are inverted or outside their
            picture (they become places to ignore) and pictures that cannot be read (they are left out).
    """

    def __init__(self, folder: Path) -> None:
        """Read the annotation.

        Raises:
            DatasetError: there is no such folder, a file of it is missing or not as documented, or no
                photograph with a face is held out.
        """
        if not folder.is_dir():
            raise DatasetError(f"{folder} is no folder: --data wants one with annotations.json and images.tar.")
        self._folder = folder
        self._archive = folder / "images.tar"
        if not self._archive.is_file():
            raise DatasetError(f"{folder} holds no images.tar: --data wants a folder with annotations.json and it.")
        self.entries = [entry for entry in read_annotations(folder / "annotations.json") if held_out(entry.file)]
        self.problems: list[str] = []
        if not any(len(entry.boxes) for entry in self.entries):
            raise DatasetError(
                f"No annotated face in the held-out part of {folder}: of every four photographs, chosen by the "
                "hash of the file name, one is measured. Give more photographs."
            )

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[tuple[Photograph, Image] | None]:
        """Yield each photograph with its picture, BGR ``(H, W, 3)``; ``None`` for one that is left out.

        Raises:
            DatasetError: the archive is damaged, or no face is left: no picture can be read or every box is wrong.
        """
        faces = 0
        self.problems.clear()
        try:
            with tarfile.open(self._archive) as archive:
                for entry in self.entries:
                    image = _picture(archive, entry.file)
                    if image is None:
                        self.problems.append(f"{entry.file}: the picture is missing or cannot be decoded")
                        yield None
                        continue
                    checked, problems = _checked(entry, image)
                    self.problems += problems
                    faces += len(checked.boxes)
                    yield checked, image
        except (tarfile.TarError, OSError) as error:
            raise DatasetError(f"{self._archive} is no readable tar archive ({error}); copy it again.") from error
        if not faces:
            raise DatasetError(f"No face of {self._folder} can be used; the first problem: {self.problems[0]}.")


def read_annotations(path: Path) -> list[Photograph]:
    """All photographs of an annotation file; whether they can be read, and their boxes right, is not checked.

    Raises:
        DatasetError: the file is missing, no JSON, or not as documented above; names the photograph.
    """
    try:
        table = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}); --data wants a folder with it.") from error
    except ValueError as error:
        raise DatasetError(f"{path} is no JSON ({error}); copy it again.") from error
    if not isinstance(table, list):
        raise DatasetError(f"{path} must hold a list of photographs, not a {type(table).__name__}.")
    return [_entry(row, f"{path}, entry {number}") for number, row in enumerate(table)]


def _entry(row: Any, where: str) -> Photograph:
    try:
        faces = row["faces"]
        return Photograph(
            file=str(row["file"]),
            source=str(row.get("source", "photographs")),
            boxes=_boxes([face["box"] for face in faces]),
            masks=np.array([_MASKS[face.get("mask")] for face in faces], np.str_),
            ignore=_boxes(row.get("ignore", [])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(
            f"{where} is not as documented ({type(error).__name__}: {error}): it needs file and faces with box "
            "[x1, y1, x2, y2], and mask is with_mask, without_mask, with_incorrect_mask or null."
        ) from error


def _boxes(rows: list[Any]) -> FloatArray:
    boxes = np.array(rows, np.float32).reshape(len(rows), 4)
    if not np.isfinite(boxes).all():
        raise ValueError("a box holds a value that is no number")
    return boxes


def _picture(archive: tarfile.TarFile, file: str) -> Image | None:
    try:
        stream = archive.extractfile(file)
        data = stream.read() if stream else b""
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except (KeyError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _checked(entry: Photograph, image: Image) -> tuple[Photograph, list[str]]:
    """The annotation with impossible boxes turned into places to ignore, and a line about each of them."""
    height, width = image.shape[:2]
    ordered = np.hstack([np.minimum(*np.split(entry.boxes, 2, 1)), np.maximum(*np.split(entry.boxes, 2, 1))])
    inverted = np.any(entry.boxes[:, 2:] <= entry.boxes[:, :2], axis=1)
    middle = (entry.boxes[:, :2] + entry.boxes[:, 2:]) / 2
    outside = np.any((middle < 0) | (middle > (width, height)), axis=1)
    bad = inverted | outside
    problems = [
        f"{entry.file}: box {[round(float(side), 1) for side in entry.boxes[row]]} is "
        f"{'inverted' if inverted[row] else f'outside the {width} x {height} picture'}"
        for row in np.flatnonzero(bad)
    ]
    good = replace(
        entry, boxes=entry.boxes[~bad], masks=entry.masks[~bad], ignore=np.vstack([entry.ignore, ordered[bad]])
    )
    return good, problems


def roll_for(file: str) -> float:
    """The random roll in degrees, 0..360, at which a photograph is shown turned: always the same for one name."""
    return float(np.random.default_rng(list(hashlib.sha1(file.encode()).digest())).uniform(0, 360))


def turned(entry: Photograph, image: Image, roll: float) -> tuple[Photograph, Image]:
    """A photograph turned clockwise by ``roll`` degrees, on a canvas that holds all of it, grey around.

    Turned boxes: a face fills about the ellipse inscribed in its box, so a turned face's box is the axis-aligned
    bounds of that ellipse turned. The bounds of the turned *box* would be up to 1.4 times too large.

    Returns:
        The annotation and the picture.
    """
    height, width = image.shape[:2]
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    turn = np.array([[cos, -sin], [sin, cos]], np.float32)
    size = np.ceil(np.abs(turn) @ np.array([width, height], np.float32) - 1e-3)
    shift = size / 2 - turn @ np.array([width, height], np.float32) / 2
    matrix = np.hstack([turn, shift[:, None]]).astype(np.float32)
    pixels = matrix.copy()  # between pixel centres and edges lies half a pixel, on either side of the map
    pixels[:, 2] += turn @ np.full(2, 0.5, np.float32) - 0.5
    canvas = cv2.warpAffine(image, pixels, tuple(size.astype(int).tolist()), borderValue=(114, 114, 114))
    moved = replace(entry, boxes=turn_boxes(entry.boxes, matrix), ignore=turn_boxes(entry.ignore, matrix))
    return moved, np.asarray(canvas, np.uint8)
