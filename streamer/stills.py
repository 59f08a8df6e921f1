"""Single pictures: analysing them one by one and showing what was found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape
from rich.table import Column, Table

from streamer.config import Config
from streamer.console import open_console
from streamer.errors import FacestreamError, ImageError, SourceError
from streamer.picture_file import Draw, PictureFile, read_picture
from streamer.session import STDOUT, tell
from streamer.sources.images import find_images, is_pattern
from streamer.types import Face, FloatArray, Image

if TYPE_CHECKING:
    from streamer.effects import Effects
    from streamer.effects.base import Effect

_FIGURES: Final = ("face", "score", "box", "pitch", "roll", "yaw")


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
    from streamer.sinks.base import prepare_output_folder, refuse_unwritable
    from streamer.sinks.jsonl import write_json

    if json is not None and json != STDOUT:
        refuse_unwritable(json)
    if save is not None:
        prepare_output_folder(save)
    effects, analyzer = Effects.parse(config.effects.look), FaceAnalyzer(config)
    analyzer.vigilant = effects.covers
    console = open_console(stderr=json == STDOUT)  # who reads the JSON from a pipe must not find a table in it
    table = Table(Column("picture", overflow="fold", min_width=7), *(Column(name, no_wrap=True) for name in _FIGURES))
    records: list[dict[str, Any]] = []
    failures: list[FacestreamError] = []
    pictures, written = list(_expand(paths, failures)), set[Path]()
    for path in pictures:
        try:
            picture = read_picture(path)
            faces = analyzer.analyze(picture.image)
        except ImageError as error:
            _tell(error, failures)
            continue
        _add_rows(table, path, faces)
        records.append(_record(path, picture.image, faces))
        if save is not None:
            target = _free(save / f"{path.stem}{picture.suffix}", {each.resolve() for each in pictures} | written)
            _save(picture, target, effects, faces, analyzer.hidden)
            written.add(target.resolve())
    if table.row_count:
        console.print(table)
    if written:
        count = "1 picture" if len(written) == 1 else f"{len(written)} pictures"
        console.print(f"wrote {count} into {save}", soft_wrap=True, markup=False)
    if json is not None:
        write_json(json, records)
        if json != STDOUT:
            console.print(f"wrote {json}", soft_wrap=True, markup=False)
    return failures[-1].exit_status if failures else 0


def _expand(paths: Iterable[Path], failures: list[FacestreamError]) -> Iterator[Path]:
    """The pictures that are meant; a folder without any is told."""
    for path in paths:
        several = os.path.isdir(path) or (is_pattern(str(path)) and not os.path.exists(path))
        try:
            yield from find_images(str(path)) if several else (path,)
        except SourceError as error:
            _tell(error, failures)


def _tell(error: FacestreamError, failures: list[FacestreamError]) -> None:
    tell(error)
    failures.append(error)


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
        table.add_row(escape(path.name) if number == 1 else "", str(number), f"{face.score:.2f}", box, *angles)
    if not faces:
        table.add_row(escape(path.name), "none", "", "", "", "", "")


def _record(path: Path, image: Image, faces: tuple[Face, ...]) -> dict[str, Any]:
    from streamer.sinks.jsonl import face_record, readable

    height, width = image.shape[:2]
    return {
        "image": readable(str(path)),
        "width": width,
        "height": height,
        "faces": [face_record(face) for face in faces],
    }


def _save(picture: PictureFile, path: Path, effects: Effects, faces: tuple[Face, ...], hidden: FloatArray) -> None:
    """Write a picture as its look shows it; without a look, with the faces drawn."""
    from streamer.effects import Effects
    from streamer.effects.base import Phase
    from streamer.effects.shown import is_look
    from streamer.sinks.drawing import annotate

    def draw(*some: Effect) -> Draw | None:
        return partial(Effects(some).apply, faces=faces, hidden=hidden) if some else None

    if not is_look(effects):
        picture.save(path, cover=partial(annotate, faces=faces))
    elif picture.alpha is None:
        picture.save(path, paint=draw(*effects.active), secret=effects.covers)
    else:  # a hat is seen above a head that was cut out, and a cover hides what transparency tells of a face
        laid = [effect for effect in effects.active if effect.phase >= Phase.STICKER]
        paint = draw(*(effect for effect in effects.active if effect not in laid))
        picture.save(path, paint=paint, cover=draw(*laid), secret=effects.covers)
