"""``facestream evaluate detection``: several detectors side by side, on photographs, WIDER FACE or clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streamer.config import Config
from streamer.detectors import DETECTORS, Detector, load_detector
from streamer.errors import ConfigError, ImageError
from streamer.evaluation.detection_clips import ClipReport, clip_table, draw_suspects, measure_clips
from streamer.evaluation.detection_data import HeldOutPhotographs, roll_for, turned
from streamer.evaluation.detection_report import (
    PhotographReport,
    WiderReport,
    draw_photographs,
    draw_wider,
    photograph_table,
    wider_table,
)
from streamer.evaluation.detection_scores import Record, Shown
from streamer.evaluation.wider import WiderPicture, find_pictures, load_ground_truth, wider_scores
from streamer.settings import with_values
from streamer.sinks.base import prepare_folder
from streamer.sinks.jsonl import write_json
from streamer.sources.images import read_image
from streamer.training.datasets import DatasetError
from streamer.types import Detections, Image

PROTOCOL: Final = ("detector.score=0.02", "detector.min_face=1")
"""Settings under which AP is measured: nearly every candidate counts, however small, and its score ranks it.
They come after the configuration file and before ``--set``."""
SPEED_SIZES: Final = ((320, 240), (480, 360), (640, 480))
"""Widths and heights at which time is measured."""
_SPEED_PICTURES: Final = 12
_VGA: Final = (640, 480)
_TOLD: Final = 10

Report = PhotographReport | WiderReport | ClipReport


@dataclass(frozen=True, slots=True)
class Scale:
    """To which size a picture is shrunk before detection; it is never enlarged.

    Attributes:
        longest: most pixels of the longer side; ``None`` for any.
        shortest: the same of the shorter side.
    """

    longest: int | None = None
    shortest: int | None = None

    @classmethod
    def chosen(cls, name: str | None, max_side: int | None, default: int) -> Scale:
        """The scale that ``--scale`` or ``--max-side`` asks for; the configured longest side if neither does.

        Raises:
            ConfigError: both are given, or there is no such scale.
        """
        if name is not None and max_side is not None:
            raise ConfigError("--scale and --max-side exclude each other: give one of them.")
        if name is None:
            return cls(longest=max_side or default)
        scales = {"vga": cls(*_VGA), "original": cls()}
        if name not in scales:
            raise ConfigError(f"Unknown --scale {name!r}: choose vga or original, or give --max-side.")
        return scales[name]

    def __str__(self) -> str:
        if self.longest is None:
            return "original size"
        if self.shortest is None:
            return f"longest side at most {self.longest} px"
        return f"VGA: fits {self.longest} x {self.shortest} px, either way up"

    def side(self, image: Image) -> int:
        """Longest side in pixels to which this picture is shrunk."""
        height, width = image.shape[:2]
        short, long = min(height, width), max(height, width)
        ratio = min(1.0, (self.longest or long) / long, (self.shortest or short) / short)
        return int(max(1, round(long * ratio)))


@dataclass(frozen=True, slots=True)
class Contender:
    """A detector that is measured.

    Attributes:
        label: name in the tables.
        detector: made for the settings of :data:`PROTOCOL`.
        live_score: lowest score that counts as a face when it is used; time is measured with it, for the thousands
            of candidates that the protocol wants cost more than the network.
    """

    label: str
    detector: Detector
    live_score: float = 0.5

    def in_use(self) -> Contender:
        """The same as it is when used."""
        detector = copy(self.detector)
        detector.score = self.live_score
        return replace(self, detector=detector)

    def detect(self, image: Image, side: int) -> tuple[Detections, float]:
        """The faces of a picture whose longest side is shrunk to ``side``, and the time it took in ms."""
        self.detector.max_side = side
        start = time.perf_counter()
        found = self.detector.detect(image)
        return found, (time.perf_counter() - start) * 1e3


def load_contenders(names: Sequence[str], config: Config) -> list[Contender]:
    """Load the detectors to measure.

    Args:
        names: ``NAME`` or ``NAME=WEIGHTS``; none for the configured detector.
        config: thresholds, device, threads, and the weights of those that name none.

    Raises:
        ConfigError: there is no such detector, or one is named twice.
        WeightsError: weights are missing or of another network.
    """
    section = config.detector
    contenders: dict[str, Contender] = {}
    for text in names or [section.name]:
        name, _, file = text.partition("=")
        label = f"{name} {Path(file).stem}" if file else name
        if label in contenders:
            raise ConfigError(f"--detector {label} is given twice: name each once, as NAME or NAME=WEIGHTS.")
        detector = load_detector(
            name,
            score=section.score,
            nms=section.nms,
            min_face=section.min_face,
            weights=Path(file) if file else section.weights,
            device=config.runtime.device,
            threads=config.runtime.threads,
            structure=section.structure,
        )
        contenders[label] = Contender(label, detector, DETECTORS[name].score)
    return list(contenders.values())


def measure_photographs(
    photographs: HeldOutPhotographs, contenders: Sequence[Contender], scale: Scale, console: Console
) -> list[PhotographReport]:
    """Measure on the held-out photographs, as they are and turned by random rolls.

    A turned photograph keeps the scale its upright one had, so that its faces are as large.

    Raises:
        DatasetError: the pictures cannot be read.
    """
    upright, rolled = [Record() for _ in contenders], [Record() for _ in contenders]
    times: list[list[float]] = [[] for _ in contenders]
    sample: list[Image] = []
    for item in track(photographs, "detecting", total=len(photographs), console=console):
        if item is None:
            continue
        photograph, image = item
        if len(sample) < _SPEED_PICTURES:
            sample.append(image)
        side, roll = scale.side(image), roll_for(photograph.file)
        moved, canvas = turned(photograph, image, roll)
        wide = max(1, round(side * max(canvas.shape[:2]) / max(image.shape[:2])))
        for contender, straight, tilted, mine in zip(contenders, upright, rolled, times, strict=True):
            found, milliseconds = contender.detect(image, side)
            mine.append(milliseconds)
            straight.add(Shown(photograph), found)
            tilted.add(Shown(moved, roll), contender.detect(canvas, wide)[0])
    speeds = measure_speed(contenders, sample)
    return [
        PhotographReport(c.label, straight.slices(), tilted.slices(), float(np.median(mine)), speed)
        for c, straight, tilted, mine, speed in zip(contenders, upright, rolled, times, speeds, strict=True)
    ]


def measure_speed(contenders: Sequence[Contender], pictures: Sequence[Image]) -> list[dict[str, float]]:
    """Median time of one detection in use by input size, detectors taking turns so that load hits them alike.

    Returns:
        Milliseconds by size such as ``640x480``, per contender.
    """
    live = [contender.in_use() for contender in contenders]
    speeds: list[dict[str, float]] = [{} for _ in contenders]
    for size in SPEED_SIZES:
        resized = [np.asarray(cv2.resize(picture, size), np.uint8) for picture in pictures]
        times = [[contender.detect(image, max(size))[1] for contender in live] for image in [resized[0], *resized]]
        medians = np.median(times[1:], axis=0)  # the first look at a new size takes longer
        for speed, median in zip(speeds, medians.tolist(), strict=True):
            speed[f"{size[0]}x{size[1]}"] = median
    return speeds


def measure_wider(
    root: Path, truth: Sequence[WiderPicture], contenders: Sequence[Contender], scale: Scale, console: Console
) -> tuple[list[WiderReport], list[str]]:
    """Measure by the official WIDER FACE protocol, reading one picture at a time.

    Args:
        root: where the events' folders lie.
        truth: the ground truth.
        contenders: the detectors.
        scale: how pictures are shrunk.
        console: where progress is shown.

    Returns:
        The reports, and a line for each picture that cannot be read; its faces count as missed, as in the
        official tool.

    Raises:
        DatasetError: no picture can be read.
    """
    found: list[list[Detections]] = [[] for _ in contenders]
    times: list[list[float]] = [[] for _ in contenders]
    problems: list[str] = []
    for picture in track(truth, "detecting", console=console):
        try:
            image = read_image(root / picture.event / f"{picture.file}.jpg")
        except ImageError as error:
            problems.append(str(error))
            for rows in found:
                rows.append(Detections.empty())
            continue
        for contender, rows, mine in zip(contenders, found, times, strict=True):
            faces, milliseconds = contender.detect(image, scale.side(image))
            rows.append(faces)
            mine.append(milliseconds)
    if len(problems) == len(truth):
        raise DatasetError(f"No picture under {root} can be read; the first: {problems[0]}")
    reports = [
        WiderReport(contender.label, wider_scores(truth, rows), float(np.median(mine)))
        for contender, rows, mine in zip(contenders, found, times, strict=True)
    ]
    return reports, problems


def evaluate_detection(
    config: Config,
    *,
    clips: Sequence[str] = (),
    data: Path | None = None,
    wider: Path | None = None,
    gt: Path | None = None,
    detectors: Sequence[str] = (),
    max_side: int | None = None,
    scale: str | None = None,
    out: Path | None = None,
    console: Console | None = None,
) -> Sequence[Report]:
    """Measure detectors and print a table.

    Args:
        config: the configuration, with :data:`PROTOCOL` in it unless clips are measured.
        clips: files or other sources that end; or
        data: folder of annotated photographs; or
        wider: folder with the WIDER FACE validation pictures, and
        gt: folder with its official ground truth.
        detectors: ``NAME`` or ``NAME=WEIGHTS`` each; none for the configured one.
        max_side: longest side pictures are shrunk to; or
        scale: ``vga`` or ``original``; neither: the configured longest side.
        out: folder for ``detection.json`` and ``detection.png``, for clips the tracks that only one detector has.
        console: where to print; standard output by default.

    Returns:
        One report per detector.

    Raises:
        FacestreamError: an argument, the data, the weights or the output folder is unusable.
    """
    chosen = Scale.chosen(scale, max_side, config.detector.max_side)
    if out is not None:
        _prepare(out)
    console = console or Console()
    match bool(clips), data, wider, gt:
        case True, None, None, None:
            outcome = _on_clips(clips, detectors, _for_clips(config, scale, max_side), console)
        case False, Path(), None, None:
            outcome = _on_photographs(data, detectors, config, chosen, console)
        case False, None, Path(), Path():
            outcome = _on_wider(wider, gt, detectors, config, chosen, console)
        case _:
            raise ConfigError(
                "Give one of: clips, --data, or --wider with the pictures and --gt with the ground truth."
            )
    console.print(outcome.title, highlight=False)
    console.print(outcome.table)
    for line in outcome.problems[:_TOLD]:
        console.print(f"left out: {line}", style="yellow", soft_wrap=True, highlight=False)
    if outcome.problems:
        console.print(f"left out in all: {len(outcome.problems)}", style="yellow", highlight=False)
    if out is not None:
        write_json(out / "detection.json", outcome.as_table())
        outcome.draw(out / "detection.png")
        console.print(f"wrote {out / 'detection.json'} and {out / 'detection.png'}", soft_wrap=True, highlight=False)
    return outcome.reports


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is printed and written, whatever was measured."""

    title: str
    table: Table
    reports: Sequence[Report]
    problems: list[str]
    draw: Callable[[Path], None]

    def as_table(self) -> dict[str, Any]:
        reports = {report.label: report.as_table() for report in self.reports}
        return {"protocol": self.title, "detectors": reports, "left_out": self.problems}


def _on_photographs(data: Path, detectors: Sequence[str], config: Config, scale: Scale, console: Console) -> _Outcome:
    photographs = HeldOutPhotographs(data)
    reports = measure_photographs(photographs, load_contenders(detectors, config), scale, console)
    title = f"{len(photographs)} held-out photographs of {data.resolve().name}; {_conditions(scale, config)}"
    draw = partial(draw_photographs, reports=reports, title=title)
    return _Outcome(title, photograph_table(reports), reports, photographs.problems, draw)


def _on_wider(
    wider: Path, gt: Path, detectors: Sequence[str], config: Config, scale: Scale, console: Console
) -> _Outcome:
    truth = load_ground_truth(gt)
    root = find_pictures(wider, truth)
    reports, problems = measure_wider(root, truth, load_contenders(detectors, config), scale, console)
    title = f"WIDER FACE validation, {len(truth)} pictures, official protocol; {_conditions(scale, config)}"
    draw = partial(draw_wider, reports=reports, title=title)
    return _Outcome(title, wider_table(reports), reports, problems, draw)


def _on_clips(clips: Sequence[str], detectors: Sequence[str], config: Config, console: Console) -> _Outcome:
    contenders = {contender.label: contender.detector for contender in load_contenders(detectors, config)}
    reports, suspects = measure_clips(clips, contenders, config, console)
    title = (
        f"{len(clips)} clips, followed as `facestream run` does; longest side at most {config.detector.max_side} px; "
        "suspect: tracks that no other detector shares"
    )
    return _Outcome(title, clip_table(reports), reports, [], partial(draw_suspects, suspects=suspects))


def _for_clips(config: Config, scale: str | None, max_side: int | None) -> Config:
    """The configuration with the size asked for.

    Raises:
        ConfigError: a scale was given, which only photographs have.
    """
    if scale is not None:
        raise ConfigError("--scale is for photographs: give clips --max-side.")
    return config if max_side is None else with_values(config, {"detector.max_side": max_side})


def _conditions(scale: Scale, config: Config) -> str:
    """What the figures depend on, in words."""
    section, threads = config.detector, config.runtime.threads
    return (
        f"scale: {scale}, never enlarged; score from {section.score}, faces from {section.min_face} px; "
        f"{threads} network thread{'s' if threads > 1 else ''}"
    )


def _prepare(out: Path) -> None:
    """Find out before the work whether the pictures can be drawn and the folder written to."""
    if find_spec("matplotlib") is None:
        raise ConfigError("--out draws with matplotlib, which is not installed; run: pip install matplotlib")
    prepare_folder(out / "detection.json")
