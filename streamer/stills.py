"""Single pictures: analysing them one by one and showing what was found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
from rich.console import Console
from rich.table import Table

from streamer.config import Config
from streamer.errors import ImageError, OutputError
from streamer.sources.images import find_images, read_image
from streamer.types import Face, FloatArray, Image

if TYPE_CHECKING:
    from streamer.effects import Effects


def analyze_pictures(paths: Iterable[Path], config: Config, *, json: Path | None, save: Path | None) -> int:
    """Analyse pictures, print a table, and write JSON and drawn or dressed pictures when asked.

    A picture that cannot be read is told and skipped.

    Returns:
        The exit status: 0, or that of the last picture that could not be read.

    Raises:
        FacestreamError: nothing can be analysed (weights, output path).
    """
    from streamer.effects import Effects
    from streamer.pipeline.analyzer import FaceAnalyzer
    from streamer.sinks.base import prepare_folder
    from streamer.sinks.jsonl import write_json

    for target in (json, None if save is None else save / "picture"):
        if target is not None:
            prepare_folder(target)
    effects, analyzer = Effects.parse(config.effects.look), FaceAnalyzer(config)
    analyzer.vigilant = effects.covers
    console, errors = Console(), Console(stderr=True)
    table = Table("picture", "face", "score", "box", "pitch", "roll", "yaw")
    records: list[dict[str, Any]] = []
    pictures, written, status = list(_expand(paths)), set[Path](), 0
    for path in pictures:
        try:
            image = read_image(path)
            faces = analyzer.analyze(image)
        except ImageError as error:
            errors.print(f"facestream: {error}", style="red", soft_wrap=True, highlight=False)
            status = error.exit_status
            continue
        _add_rows(table, path, faces)
        records.append(_record(path, image, faces))
        if save is not None:
            target = _free(save / f"{path.stem}.png", {each.resolve() for each in pictures} | written)
            _save(target, _dressed(effects, image, faces, analyzer.hidden))
            written.add(target.resolve())
    if table.row_count:
        console.print(table)
    if written:
        console.print(f"wrote {len(written)} picture{'s'[: len(written) > 1]} into {save}", soft_wrap=True)
    if json is not None:
        write_json(json, records)
        console.print(f"wrote {json}", soft_wrap=True)
    return status


def _expand(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        yield from find_images(str(path)) if path.is_dir() else (path,)


def _free(path: Path, taken: set[Path]) -> Path:
    """A name that is none of the user's own pictures, nor written before in this run."""
    number, free = 1, path
    while free.resolve() in taken:
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _add_rows(table: Table, path: Path, faces: tuple[Face, ...]) -> None:
    for number, face in enumerate(faces, 1):
        box = ", ".join(f"{v:.0f}" for v in face.box)
        angles = (f"{v:.1f}°" for v in (face.pose.pitch, face.pose.roll, face.pose.yaw))
        table.add_row(path.name if number == 1 else "", str(number), f"{face.score:.2f}", box, *angles)
    if not faces:
        table.add_row(path.name, "none", "", "", "", "", "")


def _record(path: Path, image: Image, faces: tuple[Face, ...]) -> dict[str, Any]:
    from streamer.sinks.jsonl import face_record

    height, width = image.shape[:2]
    return {"image": str(path), "width": width, "height": height, "faces": [face_record(face) for face in faces]}


def _dressed(effects: Effects, image: Image, faces: tuple[Face, ...], hidden: FloatArray) -> Image:
    """The picture to save: with effects where there are any, else with the faces drawn."""
    from streamer.sinks.drawing import annotate

    return effects.apply(image, faces, hidden) if effects else annotate(image, faces)


def _save(path: Path, picture: Image) -> None:
    try:
        written = cv2.imwrite(str(path), picture)
    except cv2.error:
        written = False
    if not written:
        raise OutputError(f"cannot write {path}; check that the folder may be written to and the disk is not full")
