"""The annotation layouts that can be trained on; each yields :class:`~streamer.training.detection.data.Entry`.

* the project's own: ``annotations.json`` with ``images.tar`` and/or ``more.json`` with ``more.tar``;
* WIDER FACE: ``wider_face_train_bbx_gt.txt`` and ``…/images/<event>/<picture>.jpg`` (Yang et al., CVPR 2016);
* Pascal VOC: one ``.xml`` a picture, anywhere below the folder; objects whose name says face or mask;
* YOLO: one ``.txt`` a picture, beside it or with ``images`` replaced by ``labels`` in its path; a line is
  ``class cx cy w h`` in shares of the picture, perhaps followed by five keypoints ``x y`` or ``x y visible``.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from streamer.evaluation.detection_data import held_out
from streamer.training.datasets import DatasetError
from streamer.training.detection.data import Entry

_PICTURES: Final = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_WIDER: Final = "wider_face_train_bbx_gt.txt"
_WIDER_INVALID: Final = 7
"""Column of a WIDER line that says the annotators gave up on the face."""
_MASKED: Final = {
    True: True,
    "with_mask": True,
    "with_incorrect_mask": True,
    False: False,
    "without_mask": False,
    None: None,
}
_REACH: Final = {
    "fmd": (0.0, 0.17, 0.03, 0.05),
    "haonan": (-0.085, 0.07, 0.1, 0.08),
    "macwin": (-0.11, -0.13, 0.1, 0.03),
}
"""Shares of width and height by which boxes of these collections of ``more.json`` lie right of and below WIDER FACE's.

Medians against RetinaFace's boxes on 4,947 faces, which agree with WIDER FACE's own to 0.01, less what they leave out
of masked faces. More than half of the faces to learn from would else teach other boxes: at ten pixels that decides
over an IoU of 0.5.
"""
_TRIAL_SHARE: Final = 0.03
"""Share of a user's photographs that only measure."""


def read_entries(folders: Sequence[Path]) -> Iterator[Entry]:
    """All annotated pictures of the folders, whatever their layouts.

    Raises:
        DatasetError: a folder is missing or of no layout, or an annotation file of it cannot be read.
    """
    for folder in folders:
        if not folder.is_dir():
            raise DatasetError(f"{folder} is no folder; --data wants one with annotated photographs.")
        entries = _layout(folder)
        if entries is None:
            raise DatasetError(
                f"{folder} holds no annotation that can be read: wanted are annotations.json with images.tar, "
                f"{_WIDER}, Pascal VOC .xml files, or YOLO .txt files beside the pictures."
            )
        yield from entries


def _layout(folder: Path) -> Iterator[Entry] | None:
    """The reader that fits, or ``None``."""
    if (folder / "annotations.json").is_file() or (folder / "more.json").is_file():
        return _own(folder)
    wider = next(folder.rglob(_WIDER), None)
    if wider is not None:
        return _wider(folder, wider)
    if next(folder.rglob("*.xml"), None) is not None:
        return _voc(folder)
    pairs = _yolo_pairs(folder)
    return _yolo(folder, pairs) if pairs else None


def _own(folder: Path) -> Iterator[Entry]:
    """Both parts of the project's own data; photographs are held out of the first part only."""
    for table, archive, measured in (("annotations.json", "images.tar", True), ("more.json", "more.tar", False)):
        if not (folder / table).is_file():
            continue
        try:
            rows = json.loads((folder / table).read_text("utf-8"))
            files = _members(folder / archive)
            for row in rows:
                yield _own_entry(row, files, f"{archive}/", measured)
        except (OSError, ValueError, KeyError, TypeError, tarfile.TarError) as error:
            raise DatasetError(f"{folder / table} or {archive} is not as documented ({error!r}).") from error


def _own_entry(row: dict[str, Any], files: dict[str, bytes], prefix: str, measured: bool) -> Entry:
    file = str(row["file"])
    entry = Entry(prefix + file, lambda: files[file], searched="ignore" in row, source=str(row.get("source", "own")))
    entry.held_out = measured and held_out(file)
    if entry.searched:
        entry.reach = _REACH.get(entry.source, entry.reach)
    for face in row["faces"]:
        points = face.get("keypoints")
        numbers = None if points is None else [value for point in points for value in point]
        entry.add(face["box"], numbers, _MASKED[face.get("mask")])
    entry.ignore = list(row.get("ignore", ()))
    return entry


def _members(archive: Path) -> dict[str, bytes]:
    """Files of a tar, by name."""
    with tarfile.open(archive) as tar:
        return {member.name: stream.read() for member in tar if (stream := tar.extractfile(member)) is not None}


def _measures(name: str) -> bool:
    """Whether a picture of a user's folder measures; by the hash of its name, so always the same ones."""
    return int.from_bytes(hashlib.sha1(name.encode()).digest()[:4], "big") / 2**32 < _TRIAL_SHARE


def _wider(folder: Path, table: Path) -> Iterator[Entry]:
    """WIDER FACE's text: file name, number of faces, one line a face (one line of zeros when there is none)."""
    images = _wider_images(folder)
    lines = iter(table.read_text("utf-8").splitlines())
    for line in lines:
        name = line.strip()
        if not name:
            continue
        entry = Entry(name, (images / name).read_bytes, held_out=_measures(name), source="wider_face")
        try:
            count = int(next(lines))
            for _ in range(max(count, 1)):
                values = [float(value) for value in next(lines).split()]
                x, y, width, height = values[:4]
                box = (x, y, x + width, y + height)
                if len(values) > _WIDER_INVALID and values[_WIDER_INVALID]:
                    entry.ignore.append(box)
                elif count:
                    entry.add(box)
        except (StopIteration, ValueError) as error:
            raise DatasetError(f"{table} is not as WIDER FACE has it, near {name}; unpack it again.") from error
        yield entry


def _wider_images(folder: Path) -> Path:
    """Where WIDER's event folders lie: ``WIDER_train/images`` or ``images``."""
    for path in sorted(folder.rglob("images")):
        if path.is_dir() and "val" not in path.parent.name and "test" not in path.parent.name:
            return path
    raise DatasetError(f"{folder} has {_WIDER} but no folder `images`; unpack WIDER_train.zip there.")


def _voc(folder: Path) -> Iterator[Entry]:
    """One XML a picture; a wrong one is named and left out."""
    pictures = {path.stem: path for path in _pictures(folder)}
    for path in sorted(folder.rglob("*.xml")):
        name = str(path.relative_to(folder))
        picture = pictures.get(path.stem, path.with_suffix(".jpg"))
        entry = Entry(name, picture.read_bytes, held_out=_measures(name), source=folder.name)
        try:
            for thing in ElementTree.parse(path).getroot().iter("object"):
                _voc_object(thing, entry)
        except (ElementTree.ParseError, ValueError, OSError):
            entry.problem = "XML is no Pascal VOC annotation"
        yield entry


def _voc_object(thing: ElementTree.Element, entry: Entry) -> None:
    """Add a face; other things (persons, hats) are none."""
    label = (thing.findtext("name") or "").lower()
    if "face" not in label and "mask" not in label:
        return
    box = [float(thing.findtext(f"bndbox/{side}") or "nan") for side in ("xmin", "ymin", "xmax", "ymax")]
    if thing.findtext("difficult") == "1":
        entry.ignore.append(box)
    else:
        entry.add(box, masked=_is_masked(label))


def _is_masked(label: str) -> bool | None:
    """What a class name says about a mask: ``face`` alone says nothing."""
    if "mask" not in label:
        return None
    return not any(word in label for word in ("without", "no_mask", "nomask", "no-mask", "unmask"))


def _yolo(folder: Path, pairs: list[tuple[Path, Path]]) -> Iterator[Entry]:
    """One text file a picture; ``classes.txt`` names the classes, if it is there."""
    names = _class_names(folder)
    for picture, label in pairs:
        name = str(picture.relative_to(folder))
        entry = Entry(name, picture.read_bytes, unit=True, held_out=_measures(name), source=folder.name)
        try:
            for line in label.read_text("utf-8").splitlines():
                _yolo_line(line, names, entry)
        except (ValueError, OSError):
            entry.problem = "text holds no YOLO labels"
        yield entry


def _yolo_line(line: str, names: list[str], entry: Entry) -> None:
    values = [float(value) for value in line.split()]
    if not values:
        return
    if len(values) not in (5, 15, 20):
        raise ValueError(f"{len(values)} numbers in a line instead of 5, 15 or 20")
    middle_x, middle_y, width, height = values[1:5]
    number, rest = int(values[0]), values[5:]
    points = None
    if rest:
        step = len(rest) // 5
        points = [value for start in range(0, len(rest), step) for value in rest[start : start + 2]]
        if min(points) <= 0:  # the usual way to say that nobody marked them
            points = None
    masked = _is_masked(names[number].lower()) if 0 <= number < len(names) else None
    box = (middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
    entry.add(box, points, masked)


def _class_names(folder: Path) -> list[str]:
    path = next(folder.rglob("classes.txt"), None)
    return path.read_text("utf-8").split() if path is not None else []


def _yolo_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Pictures with a label file: beside them, or in the parallel folder ``labels``."""
    pairs = []
    for picture in _pictures(folder):
        parts = ["labels" if part == "images" else part for part in picture.relative_to(folder).parts]
        for label in (picture.with_suffix(".txt"), folder.joinpath(*parts).with_suffix(".txt")):
            if label.is_file():
                pairs.append((picture, label))
                break
    return pairs


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)
