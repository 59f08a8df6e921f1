"""Applies effects to the faces of clips and measures what they take away, what they keep, and what they cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from streamer.config import Config
from streamer.effects import Effects, Memory
from streamer.effects.masks import skin_mask
from streamer.effects.memory import Moment
from streamer.effects.region import FaceRegion, Mask, face_unit
from streamer.errors import ConfigError
from streamer.evaluation.effects_sheet import Moments, check_suffix, write_sheet
from streamer.evaluation.frames import frames_of
from streamer.pipeline.analyzer import FaceAnalyzer, Models, load_models
from streamer.sinks.jsonl import write_json
from streamer.types import Face, FloatArray, Image

_PORES: Final = 0.03  # units: what is finer than this on the skin is texture
_BARE: Final = 200  # of 255: from here on a pixel counts as skin
_BAND: Final = 0.04  # units around an eye, the lips or a brow that belong to its edge
_MARGIN: Final = 0.15  # units around a face's outline where an effect may still fade out
_STILL: Final = 0.003  # units: a face whose landmarks move less than this from frame to frame keeps still
_COLUMNS: Final = {
    "faces": 5,
    "texture before": 7,
    "after": 6,
    "kept": 6,
    "edges kept": 6,
    "own flicker": 7,
    "pixels outside": 7,
    "ms a face": 6,
}
"""Figures of the table and the width each needs."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How a face looks before and after.

    Attributes:
        texture: contrast of what is finer than 0.03 units on the bare skin, root mean square of 0..255.
        edges: mean gradient at eyes, lips and brows, in levels a pixel.
    """

    texture: tuple[float, float]
    edges: tuple[float, float]


@dataclass(frozen=True, slots=True)
class EffectsResult:
    """What effects did to one clip.

    Attributes:
        clip: display name.
        frames: frames read.
        faces: faces changed, counted in every frame.
        texture_before: see :class:`Looks`; mean over faces, ``None`` where none was found.
        texture_after: likewise, with the effects.
        texture_kept: share of the texture that is left, in percent.
        edges_kept: share of the edges of eyes, lips and brows that is left, in percent; shape effects move them.
        flicker: how much more a pixel that the effects reach changes from frame to frame than without them, while
            the face keeps still; mean of 0..255.
        outside: pixels changed further than 0.15 units from every face's outline, over all frames: 0 for whatever
            works on skin, eyes and lips; shape effects, stickers and covers reach further.
        ms: time per face in milliseconds, without copying the frame; median of the frames.
    """

    clip: str
    frames: int = 0
    faces: int = 0
    texture_before: float | None = None
    texture_after: float | None = None
    texture_kept: float | None = None
    edges_kept: float | None = None
    flicker: float | None = None
    outside: int = 0
    ms: float | None = None


@dataclass(slots=True)
class _Record:
    """What is gathered while a clip runs."""

    frames: int = 0
    faces: int = 0
    outside: int = 0
    looks: list[Looks] = field(default_factory=list)
    flicker: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)

    def result(self, clip: str) -> EffectsResult:
        """The figures."""
        if not self.looks:
            return EffectsResult(clip, self.frames, self.faces, outside=self.outside, ms=_median(self.ms))
        texture = np.mean([looks.texture for looks in self.looks], axis=0)
        edges = np.mean([looks.edges for looks in self.looks], axis=0)
        return EffectsResult(
            clip,
            frames=self.frames,
            faces=self.faces,
            texture_before=float(texture[0]),
            texture_after=float(texture[1]),
            texture_kept=_percent(texture),
            edges_kept=_percent(edges),
            flicker=float(np.mean(self.flicker)) if self.flicker else None,
            outside=self.outside,
            ms=_median(self.ms),
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """A frame before and after, with its faces."""

    before: Image
    after: Image
    faces: Sequence[Face]


def measure_looks(before: Image, after: Image, face: Face) -> Looks | None:
    """How a face looks before and after; ``None`` where no bare skin shows or its landmarks are missing.

    Args:
        before: BGR uint8 ``(H, W, 3)``.
        after: the same picture with effects.
        face: one of its faces.
    """
    region = FaceRegion.of(before, before, face)
    if region is None:
        return None
    skin, lines = skin_mask(region) >= _BARE, _lines(region) > 0
    if not skin.any() or not lines.any():
        return None
    x1, y1, x2, y2 = region.rect
    greys = [_grey(picture[y1:y2, x1:x2]) for picture in (before, after)]
    first, second = (_texture(grey, region.unit)[skin] for grey in greys)
    third, fourth = (_gradient(grey)[lines] for grey in greys)
    return Looks((_rms(first), _rms(second)), (float(third.mean()), float(fourth.mean())))


def evaluate_effects(
    clips: Sequence[str],
    effects: Effects,
    config: Config,
    *,
    max_frames: int | None = None,
    sheet: Path | None = None,
    json: Path | None = None,
    console: Console | None = None,
) -> list[EffectsResult]:
    """Apply effects to clips, print a table, and draw faces before and after.

    Args:
        clips: files or other sources that end.
        effects: what to apply.
        config: how to detect, track and smooth.
        max_frames: use no more than this many frames of each clip.
        sheet: write a picture of faces before and after here.
        json: write the results here.
        console: where to print; standard output by default.

    Raises:
        ConfigError: there are no effects, or all are at strength 0.
        SourceError: a clip cannot be opened or read.
        OutputError: a file cannot be written.
    """
    if not effects:
        raise ConfigError("no effect is at work: name a preset or an effect with --effects, such as --effects glam")
    if sheet is not None:
        check_suffix(sheet)
    console = console or Console()
    models = load_models(config)
    results, shown = [], []
    for clip in clips:
        moments = Moments(Path(clip).name)
        with console.status(f"applying effects to the faces of {clip}"):
            results.append(_run(clip, effects, config, models, max_frames, moments))
        shown.append(moments)
    console.print(_table(results, effects))
    if json is not None:
        write_json(json, [asdict(result) for result in results])
    if sheet is not None and write_sheet(sheet, shown):
        console.print(f"Faces before and after: {sheet}", soft_wrap=True)
    return results


def _run(
    clip: str, effects: Effects, config: Config, models: Models, max_frames: int | None, moments: Moments
) -> EffectsResult:
    """Follow the faces of a clip as the product does and apply the effects to each frame."""
    analyzer, record, memory = FaceAnalyzer(config, models=models), _Record(), Memory()
    analyzer.vigilant = effects.covers
    last: _Step | None = None
    with frames_of(clip, config, max_frames) as frames:
        for frame in frames:
            faces = analyzer.track(frame.image, frame.pts)
            after, ms = _timed(effects, frame.image, faces, analyzer.hidden, memory.at(frame.pts))
            step = _Step(frame.image, after, faces)
            record.frames += 1
            if faces:
                record.ms.append(ms / len(faces))
                moments.add(step.before, step.after, max(faces, key=_height), frame.pts)
            _measure(record, step, last)
            last = step
    return record.result(Path(clip).name)


def _timed(
    effects: Effects, image: Image, faces: Sequence[Face], hidden: FloatArray, moment: Moment
) -> tuple[Image, float]:
    """The picture with effects, and the milliseconds they took beyond a copy of the frame."""
    began = time.perf_counter()
    image.copy()
    copied = time.perf_counter()
    after = effects.apply(image, faces, hidden, moment)
    return after, max(0.0, (time.perf_counter() - copied) - (copied - began)) * 1e3


def _measure(record: _Record, step: _Step, last: _Step | None) -> None:
    record.faces += len(step.faces)
    record.looks += filter(None, (measure_looks(step.before, step.after, face) for face in step.faces))
    changed = _changed(step.before, step.after)
    record.outside += int(cv2.countNonZero(cv2.bitwise_and(changed, _outside(step))))
    if last is not None and _still(step.faces, last.faces):
        reached = cv2.bitwise_or(changed, _changed(last.before, last.after))
        if cv2.countNonZero(reached):
            before, after = (cv2.absdiff(a, b) for a, b in ((last.before, step.before), (last.after, step.after)))
            own = np.subtract(cv2.mean(after, mask=reached)[:3], cv2.mean(before, mask=reached)[:3])
            record.flicker.append(float(own.mean()))


def _changed(before: Image, after: Image) -> Mask:
    """255 where any channel differs."""
    difference = cv2.absdiff(before, after)
    most = cv2.max(cv2.max(difference[..., 0], difference[..., 1]), difference[..., 2])
    return np.asarray(cv2.threshold(most, 0, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _outside(step: _Step) -> Mask:
    """255 further than ``_MARGIN`` from every face."""
    outside: Mask = np.full(step.before.shape[:2], 255, np.uint8)
    for face in step.faces:
        region = FaceRegion.of(step.before, step.before, face)
        if region is None:
            continue
        hull = cv2.convexHull(np.concatenate([region.points, region.outline]))
        inside = region.fill(np.asarray(hull[:, 0], np.float32))
        side = 2 * round(_MARGIN * region.unit) + 1
        grown = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        x1, y1, x2, y2 = region.rect
        outside[y1:y2, x1:x2][grown > 0] = 0
    return outside


def _still(faces: Sequence[Face], before: Sequence[Face]) -> bool:
    """Whether the same faces are there as in the frame before, and none has moved."""
    places = {face.track_id: face.landmarks for face in before}
    if not faces or {face.track_id for face in faces} != set(places):
        return False
    return all(_moved(face, places[face.track_id]) < _STILL for face in faces)


def _moved(face: Face, before: FloatArray) -> float:
    return float(np.linalg.norm(face.landmarks - before, axis=1).mean()) / max(1e-6, face_unit(face.landmarks))


def _lines(region: FaceRegion) -> Mask:
    """Eyes, lips and brows with a band around each."""
    names = ("brow_left", "brow_right", "lip_outer")
    eyes = region.part("eye_left")[:8], region.part("eye_right")[:8]
    side = 2 * round(_BAND * region.unit) + 1
    mask = region.fill(*(region.part(name) for name in names), *eyes)
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), np.uint8)


def _grey(picture: Image) -> FloatArray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)


def _texture(grey: FloatArray, unit: float) -> FloatArray:
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), max(0.5, _PORES * unit)), np.float32)


def _gradient(grey: FloatArray) -> FloatArray:
    across, along = (cv2.Scharr(grey, cv2.CV_32F, *order, scale=1 / 32) for order in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, along), np.float32)


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _percent(pair: NDArray[np.float64]) -> float:
    return float(100 * pair[1] / max(1e-9, pair[0]))


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _height(face: Face) -> float:
    return float(face.box[3] - face.box[1])


def _table(results: Sequence[EffectsResult], effects: Effects) -> Table:
    names = ", ".join(f"{effect.name()} {effect.strength:g}" for effect in effects.effects if effect.strength > 0)
    caption = (
        "– : no face, or none that keeps still. Texture and flicker: levels of 0..255. "
        "Outside: beyond the outline, where only shapes, stickers and covers may reach."
    )
    table = Table(title=f"Effects: {names}", caption=caption, box=None, pad_edge=False)
    table.add_column("clip", overflow="fold", min_width=10)
    for heading, width in _COLUMNS.items():  # on 80 columns the clip's name gives way, never a figure
        table.add_column(heading, justify="right", width=width)
    for r in results:
        table.add_row(
            r.clip,
            str(r.faces),
            _cell(r.texture_before, ".2f"),
            _cell(r.texture_after, ".2f"),
            _cell(r.texture_kept, ".0f", " %"),
            _cell(r.edges_kept, ".0f", " %"),
            _cell(r.flicker, "+.2f"),
            str(r.outside),
            _cell(r.ms, ".1f"),
        )
    return table


def _cell(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"
