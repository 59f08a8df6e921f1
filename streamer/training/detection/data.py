"""Photographs with face boxes: what every annotation layout becomes, checked, in memory.

Files stay compressed; decoded pictures are kept too while they fit a byte budget, for decoding costs as much as
all of the augmentation. Worker processes are forked and share both.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.training.datasets import DatasetError
from streamer.types import FloatArray, Image

DECODED_BYTES: Final = 3 << 30
"""How much memory decoded pictures may take; both parts of the shared data need 2.6 GB."""

_EDGE: Final = 3.0
"""Pixels a box may reach over the edge before it is told: annotators and rounding are this generous."""
_NAMED: Final = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Photograph:
    """A compressed picture and its faces, in pixels of the picture.

    Attributes:
        name: file, with the folder or archive where names repeat.
        data: the compressed file.
        size: width and height.
        boxes: ``(n, 4)`` float32 xyxy inside the picture.
        keypoints: ``(n, 5, 2)`` float32, NaN where not annotated.
        masked: ``(n,)`` float32: 1 with a mask, 0 without, NaN unknown.
        ignore: ``(m, 4)`` float32: places to leave out of the loss.
        source: the collection it comes from.
        searched: whether a detector's finds that no annotation names are in ``ignore`` already.
        held_out: whether it is for measuring only.
    """

    name: str
    data: bytes
    size: tuple[int, int]
    boxes: FloatArray
    keypoints: FloatArray
    masked: FloatArray
    ignore: FloatArray
    source: str = "photographs"
    searched: bool = False
    held_out: bool = False

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass
class Entry:
    """An annotation as a layout states it, unchecked.

    Attributes:
        name: as in :class:`Photograph`.
        read: gives the compressed file; may raise OSError.
        boxes: xyxy rows.
        keypoints: per box ten numbers, or ``None``.
        masked: per box ``True``, ``False`` or ``None``.
        ignore: xyxy rows.
        unit: whether coordinates are shares of width and height instead of pixels.
        problem: why the annotation cannot be used; the picture is then left out.
        source: as in :class:`Photograph`.
        searched: as in :class:`Photograph`.
        held_out: as in :class:`Photograph`.
        reach: shares of a box's width and height by which its edges lie right of and below where WIDER FACE draws
            them; they are moved back.
    """

    name: str
    read: Callable[[], bytes]
    boxes: list[Sequence[float]] = field(default_factory=list)
    keypoints: list[Sequence[float] | None] = field(default_factory=list)
    masked: list[bool | None] = field(default_factory=list)
    ignore: list[Sequence[float]] = field(default_factory=list)
    unit: bool = False
    problem: str = ""
    source: str = "photographs"
    searched: bool = False
    held_out: bool = False
    reach: Sequence[float] = (0.0, 0.0, 0.0, 0.0)

    def add(self, box: Sequence[float], keypoints: Sequence[float] | None = None, masked: bool | None = None) -> None:
        """Append a face."""
        self.boxes.append(box)
        self.keypoints.append(keypoints)
        self.masked.append(masked)


class Problems:
    """What was left out or mended, by reason: counted, and the first few named."""

    def __init__(self) -> None:
        self._names: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, reason: str, name: str, times: int = 1) -> None:
        """Note a problem of a picture."""
        self._names[reason].extend([name] * times)

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each reason was met."""
        return {reason: len(names) for reason, names in self._names.items()}

    def lines(self) -> Iterator[str]:
        """One line a reason."""
        for reason, names in sorted(self._names.items()):
            first = list(dict.fromkeys(names))
            more = ", …" if len(first) > _NAMED else ""
            yield f"{len(names)} × {reason}: {', '.join(first[:_NAMED])}{more}"


class PhotoSet:
    """Photographs with their decoded pictures.

    Args:
        photographs: in a fixed order.
        decoded: pictures already decoded, by photograph name.
        problems: what reading met.
    """

    def __init__(
        self, photographs: Sequence[Photograph], decoded: Mapping[str, Image], problems: Problems | None = None
    ) -> None:
        self.photographs = tuple(photographs)
        self.problems = problems or Problems()
        self._decoded = decoded

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index: int) -> Photograph:
        return self.photographs[index]

    def picture(self, index: int) -> Image:
        """The decoded picture: read it, never write to it."""
        photograph = self.photographs[index]
        image = self._decoded.get(photograph.name)
        if image is None:
            image = decode(photograph.data)
            assert image is not None  # it was decoded once when it was read
        return image

    def replaced(self, photographs: Sequence[Photograph]) -> PhotoSet:
        """Other photographs, or others' labels, over the same pictures."""
        return PhotoSet(photographs, self._decoded, self.problems)


def decode(data: bytes) -> Image | None:
    """BGR picture of a compressed file, ``None`` if it is none."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    return None if image is None else np.asarray(image, np.uint8)


def collect(entries: Iterable[Entry], where: Sequence[Path], decoded_bytes: int = DECODED_BYTES) -> PhotoSet:
    """Read, decode and check annotated pictures; problems are named and counted, never fatal one by one.

    Args:
        entries: from ``streamer.training.detection.layouts``.
        where: folders, for the message when nothing is left.
        decoded_bytes: memory for decoded pictures.

    Raises:
        DatasetError: no picture with a face is left.
    """
    problems, left = Problems(), decoded_bytes
    photographs: list[Photograph] = []
    decoded: dict[str, Image] = {}
    for entry in entries:
        if entry.problem:
            problems.add(entry.problem, entry.name)
            continue
        try:
            data = entry.read()
        except (OSError, KeyError):
            problems.add("picture is missing", entry.name)
            continue
        image = decode(data)
        if image is None:
            problems.add("picture cannot be decoded", entry.name)
            continue
        photographs.append(_checked(entry, data, image.shape, problems))
        if image.nbytes <= left and entry.name not in decoded:
            decoded[entry.name] = image
            left -= image.nbytes
    for line in problems.lines():
        _log.warning("%s", line)
    if not any(len(photograph) for photograph in photographs):
        folders = ", ".join(str(folder) for folder in where)
        raise DatasetError(
            f"No usable picture with a face is in {folders}; " + ("; ".join(problems.lines()) or "empty")
        )
    return PhotoSet(photographs, decoded, problems)


def _checked(entry: Entry, data: bytes, shape: tuple[int, ...], problems: Problems) -> Photograph:
    """The photograph of an entry, without its impossible boxes."""
    height, width = shape[:2]
    unit = np.array([width, height], np.float32) if entry.unit else np.ones(2, np.float32)
    rows = np.array(entry.boxes, np.float32).reshape(-1, 4) * np.tile(unit, 2)
    boxes, kept, inverted = clip_boxes(rows, (width, height), entry.name, problems)
    points = [np.full(10, np.nan) if given is None else np.array(given, float).reshape(10) for given in entry.keypoints]
    keypoints = np.array(points, np.float32).reshape(-1, 5, 2) * unit
    masked = np.array([np.nan if given is None else float(given) for given in entry.masked], np.float32)
    ignored = np.array(entry.ignore, np.float32).reshape(-1, 4) * np.tile(unit, 2)
    ignored = np.concatenate([ignored, rows[inverted][:, [2, 3, 0, 1]]])
    ignore, good, _ = clip_boxes(ignored, (width, height), entry.name, None)
    if not kept.any() and not good.any():
        problems.add("no face in the picture (kept as background)", entry.name)
    return Photograph(
        entry.name,
        data,
        (width, height),
        _moved_back(boxes[kept], entry.reach, (width, height)),
        keypoints[kept],
        masked[kept],
        ignore[good],
        entry.source,
        entry.searched,
        entry.held_out,
    )


def _moved_back(boxes: FloatArray, reach: Sequence[float], size: tuple[int, int]) -> FloatArray:
    """Boxes as WIDER FACE would have them, see :class:`Entry`; edges at the picture's stay."""
    limit = np.array([*size, *size], np.float32)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = (boxes - np.array(reach, np.float32) * sides).clip(0, limit)
    return np.asarray(np.where((boxes <= 1) | (boxes >= limit - 1), boxes, moved), np.float32)


def clip_boxes(
    rows: FloatArray, size: tuple[int, int], name: str, problems: Problems | None
) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    """Clip boxes to a picture and tell which are possible at all.

    Args:
        rows: ``(n, 4)`` as annotated.
        size: width and height of the picture.
        name: of the picture, for the problems.
        problems: where to note them; ``None``: nowhere.

    Returns:
        Clipped boxes ``(n, 4)``, which of them to keep ``(n,)``, and which are inverted both ways ``(n,)``: there
        may be a face between the swapped corners, so that place is no background.
    """
    limit = np.array([*size, *size], np.float32)
    finite = np.asarray(np.isfinite(rows).all(axis=1))
    upright = finite & (rows[:, 2:] > rows[:, :2]).all(axis=1)
    clipped = np.nan_to_num(rows).clip(0, limit)
    inside = (clipped[:, 2:] - clipped[:, :2] >= 1).all(axis=1)
    over = (np.abs(np.nan_to_num(rows) - clipped) > _EDGE).any(axis=1)
    if problems is not None:
        for reason, which in (
            ("box is inverted, empty or no number (left out)", ~upright),
            ("box lies outside the picture (left out)", upright & ~inside),
            ("box reaches over the picture's edge (clipped)", upright & inside & over),
        ):
            if which.any():
                problems.add(reason, name, int(which.sum()))
    inverted = finite & (rows[:, 2:] < rows[:, :2]).all(axis=1)
    return clipped.astype(np.float32), upright & inside, inverted


def split(photos: PhotoSet) -> tuple[PhotoSet, PhotoSet]:
    """Photographs to learn from, and those held out for measuring."""
    train = [photograph for photograph in photos.photographs if not photograph.held_out]
    held = [photograph for photograph in photos.photographs if photograph.held_out]
    return photos.replaced(train), photos.replaced(held)


def with_faces(
    photograph: Photograph, boxes: FloatArray, keypoints: FloatArray, ignore: FloatArray | None = None
) -> Photograph:
    """The photograph with further faces (mask unknown) and ignored places.

    Args:
        photograph: the present one.
        boxes: ``(k, 4)`` to add.
        keypoints: ``(k, 5, 2)`` of them.
        ignore: ``(j, 4)`` to add.
    """
    unknown = np.full(len(boxes), np.nan, np.float32)
    return replace(
        photograph,
        boxes=np.concatenate([photograph.boxes, boxes]).astype(np.float32),
        keypoints=np.concatenate([photograph.keypoints, keypoints]).astype(np.float32),
        masked=np.concatenate([photograph.masked, unknown]),
        ignore=photograph.ignore if ignore is None else np.concatenate([photograph.ignore, ignore]).astype(np.float32),
    )
