"""Faces for training: reads the sharded crops or a user's own folder, checks every item, splits by group.

Two layouts are read.

*Shards* (``labels.npz`` beside ``*.tar``): upright square face crops ``000000.jpg`` … and, row by row,
``landmarks`` (N, 106, 3), ``pose`` (N, 3), ``source``, ``sources`` and ``group``.

*Folder*: any tree of pictures, each with a JSON file of the same stem beside it::

    {"landmarks": [[x, y], …], "pose": [pitch, roll, yaw], "group": "anna"}

``landmarks`` holds 106 entries in pixels of the picture, in the order of ``streamer.landmarks.topology``; an
entry is ``[x, y]``, ``[x, y, depth]`` (away from the camera, same unit; with it the face can be turned in 3-D)
or ``null`` for a point nobody could label. The outer eye corners (66 and 79) must be there. ``pose`` in degrees
and ``group`` (person or clip: one group never lands on both sides of the split) may be left out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.errors import FacestreamError
from streamer.landmarks.topology import LEFT_OUTER_CORNER, POINTS, RIGHT_OUTER_CORNER
from streamer.types import FloatArray, Image

SIDE: Final = 160
"""Side of a stored face picture in pixels."""

_BOX_SCALE: Final = 1.35
_MAX_BAD: Final = 0.05
_SUFFIXES: Final = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}

_log = logging.getLogger(__name__)


class DatasetError(FacestreamError):
    """Training or evaluation data is missing, unreadable, or too much of it is bad."""

    exit_status = 3


class BadItem(ValueError):
    """One picture or label that is left out; the message says why."""


@dataclass(frozen=True)
class FaceSet:
    """Upright face pictures in memory with their labels; NaN marks what is not labelled.

    Attributes:
        images: ``(n, 160, 160, 3)`` BGR uint8.
        landmarks: ``(n, 106, 3)`` float32: x, y in pixels of the picture and depth away from the camera.
        pose: ``(n, 3)`` float32 degrees: pitch, roll, yaw.
        group: ``(n,)`` str: person or file.
        source: ``(n,)`` str: collection.
        names: ``(n,)`` str: file, for reports.
        skipped: why items were left out, one line each.
    """

    images: NDArray[np.uint8]
    landmarks: FloatArray
    pose: FloatArray
    group: NDArray[np.str_]
    source: NDArray[np.str_]
    names: NDArray[np.str_]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, rows: NDArray[Any]) -> FaceSet:
        """The faces at these rows (indices or mask)."""
        return FaceSet(
            self.images[rows],
            self.landmarks[rows],
            self.pose[rows],
            self.group[rows],
            self.source[rows],
            self.names[rows],
            self.skipped,
        )


def held_out(faces: FaceSet, fraction: float, always: Iterable[str] = ()) -> NDArray[np.bool_]:
    """Which faces belong to the held-out part; a group is in it as a whole or not at all.

    The choice hangs on the hash of the group's name, so it is the same whatever else is in the data.

    Args:
        faces: all faces.
        fraction: share of groups to hold out, 0..1.
        always: groups that are held out whatever their hash.

    Returns:
        ``(n,)`` mask.
    """
    named = set(always)

    def chosen(group: str) -> bool:
        digest = hashlib.sha1(group.encode()).digest()
        return group in named or int.from_bytes(digest[:4], "big") / 2**32 < fraction

    choice = {group: chosen(group) for group in set(faces.group.tolist())}
    return np.array([choice[group] for group in faces.group.tolist()], np.bool_)


def load_faces(folder: Path, limit: int | None = None) -> FaceSet:
    """Read a data folder of either layout.

    Args:
        folder: shards with ``labels.npz``, or pictures with JSON files beside them.
        limit: read at most this many items.

    Returns:
        All good faces; what was left out is logged and listed in ``skipped``.

    Raises:
        DatasetError: no such folder, nothing usable in it, or more than 5 % of it is bad.
    """
    if not folder.is_dir():
        raise DatasetError(
            f"{folder} is no folder: --data wants one with labels.npz and shards, or pictures with JSON."
        )
    items = _read_shards(folder, limit) if (folder / "labels.npz").is_file() else _read_pictures(folder, limit)
    return _collect(folder, items)


_Item = tuple[str, "Callable[[], _Face]"]


@dataclass(frozen=True)
class _Face:
    image: Image
    landmarks: FloatArray
    pose: FloatArray
    group: str
    source: str


def _collect(folder: Path, items: Iterator[_Item]) -> FaceSet:
    """Decode and check the items, leaving bad ones out with their reason."""
    faces: list[_Face] = []
    names: list[str] = []
    skipped: list[str] = []
    for name, read in items:
        try:
            face = read()
            _check(face)
        except BadItem as error:
            skipped.append(f"{name}: {error}")
            continue
        faces.append(face)
        names.append(name)
    for line in skipped[:20]:
        _log.warning("left out %s", line)
    total = len(faces) + len(skipped)
    if not total:
        raise DatasetError(
            f"{folder} holds no labelled face: --data wants labels.npz with shards, or pictures with a JSON file each."
        )
    if not faces or len(skipped) > _MAX_BAD * total:
        first = f" The first: {skipped[0]}." if skipped else ""
        raise DatasetError(f"{len(skipped)} of {total} items in {folder} are unusable; mend or remove them.{first}")
    if skipped:
        _log.warning("%d of %d items in %s left out", len(skipped), total, folder)
    return FaceSet(
        images=np.stack([face.image for face in faces]),
        landmarks=np.stack([face.landmarks for face in faces]),
        pose=np.stack([face.pose for face in faces]),
        group=np.array([face.group for face in faces]),
        source=np.array([face.source for face in faces]),
        names=np.array(names),
        skipped=tuple(skipped),
    )


def _check(face: _Face) -> None:
    """Reject a face whose labels cannot be right."""
    points = face.landmarks[:, :2]
    present = np.asarray(np.isfinite(points).all(axis=1))
    if not present[[LEFT_OUTER_CORNER, RIGHT_OUTER_CORNER]].all():
        raise BadItem("the outer eye corners (points 66 and 79) are missing or not finite")
    if present.sum() < POINTS // 2:
        raise BadItem(f"only {int(present.sum())} of {POINTS} points are labelled")
    if points[present].min() < -0.25 * SIDE or points[present].max() > 1.25 * SIDE:
        raise BadItem("points lie far outside the picture")
    if np.ptp(points[present], axis=0).min() < 0.1 * SIDE:
        raise BadItem("the points fall together")
    if np.isinf(face.pose).any() or (np.abs(face.pose) > 180).any():
        raise BadItem("the pose is no angle between -180 and 180 degrees")


def _decode(data: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise BadItem("the picture cannot be decoded")
    return np.asarray(image, np.uint8)


def _read_shards(folder: Path, limit: int | None) -> Iterator[_Item]:
    """Items of the sharded layout, in row order of ``labels.npz``."""
    try:
        with np.load(folder / "labels.npz") as table:
            landmarks = np.asarray(table["landmarks"], np.float32)
            pose = np.asarray(table["pose"], np.float32)
            sources = table["sources"][table["source"]].astype(str)
            groups = table["group"].astype(str)
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise DatasetError(f"{folder / 'labels.npz'} cannot be read as labels: {error}.") from error
    if landmarks.shape[1:] != (POINTS, 3) or len({len(landmarks), len(pose), len(sources), len(groups)}) != 1:
        raise DatasetError(f"{folder / 'labels.npz'} holds arrays of unequal length or not 106 points of 3 numbers.")
    count = 0
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as archive:
            for member in archive:
                if limit is not None and count >= limit:
                    return
                stream = archive.extractfile(member)
                data = stream.read() if stream else b""
                name, row = f"{shard.name}/{member.name}", Path(member.name).stem
                count += 1

                def read(data: bytes = data, row: str = row) -> _Face:
                    if not row.isdigit() or int(row) >= len(landmarks):
                        raise BadItem("no row in labels.npz belongs to it")
                    index = int(row)
                    image = _decode(data)
                    if image.shape != (SIDE, SIDE, 3):
                        raise BadItem(f"{image.shape[1]}x{image.shape[0]} pixels instead of {SIDE}x{SIDE}")
                    return _Face(image, landmarks[index], pose[index], str(groups[index]), str(sources[index]))

                yield name, read


def _read_pictures(folder: Path, limit: int | None) -> Iterator[_Item]:
    """Items of the folder layout, in name order."""
    pictures = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    for path in pictures[:limit]:
        yield str(path.relative_to(folder)), partial(_read_picture, path, folder)


def _read_picture(path: Path, folder: Path) -> _Face:
    """One picture and its JSON, cut to an upright square face picture.

    Raises:
        BadItem: either is missing or wrong.
    """
    label = path.with_suffix(".json")
    if not label.is_file():
        raise BadItem(f"{label.name} is missing")
    try:
        table = json.loads(label.read_text("utf-8"))
        rows = [[np.nan] * 3 if row is None else [*row, np.nan][:3] for row in table["landmarks"]]
        landmarks = np.array(rows, np.float32)
        given = table.get("pose")
        pose = np.full(3, np.nan, np.float32) if given is None else np.array(given, np.float32)
        group = str(table.get("group", path.relative_to(folder)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadItem(f"{label.name} is not as documented ({error})") from error
    if landmarks.shape != (POINTS, 3) or pose.shape != (3,):
        raise BadItem(f"{label.name} needs {POINTS} landmarks and a pose of 3 angles or none")
    image = _decode(path.read_bytes())
    return _upright(image, landmarks, pose, group, folder.name)


def _upright(image: Image, landmarks: FloatArray, pose: FloatArray, group: str, source: str) -> _Face:
    """Turn a face upright by its eye line and cut the square of 1.35 box sides around its points."""
    across = landmarks[RIGHT_OUTER_CORNER, :2] - landmarks[LEFT_OUTER_CORNER, :2]
    angle = float(np.arctan2(across[1], across[0]))
    if not np.isfinite(angle):
        raise BadItem("the outer eye corners (points 66 and 79) are missing or not finite")
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    level = landmarks[:, :2] @ turn.T
    low, high = np.nanmin(level, axis=0), np.nanmax(level, axis=0)
    extent = float((high - low).max())
    if not extent > 1:
        raise BadItem("the points fall together")
    scale = SIDE / (_BOX_SCALE * extent)
    matrix = np.hstack([turn * scale, (SIDE / 2 - (low + high)[:, None] / 2 * scale)]).astype(np.float32)
    crop = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    placed = np.column_stack([level * scale + matrix[:, 2], landmarks[:, 2] * scale]).astype(np.float32)
    return _Face(
        np.asarray(crop, np.uint8), placed, pose - np.array([0, np.degrees(angle), 0], np.float32), group, source
    )
