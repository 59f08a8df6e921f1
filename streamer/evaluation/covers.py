"""Runs clips with faces covered, as the product does, and lets another look tell which faces show all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from streamer.config import Config
from streamer.detectors import load_detector
from streamer.effects import Effects
from streamer.errors import ConfigError
from streamer.pipeline.camera import Camera
from streamer.settings import with_values
from streamer.sinks.jsonl import write_json
from streamer.types import FloatArray, FrameResult

_SIDE: Final = 1920  # pixels: every frame is judged at its full size, or nearly
_SCORE: Final = 0.7  # from which the judge's find is a face
_SMALLEST: Final = 20  # pixels of the shorter side from which a face counts
_COVERED: Final = 0.85  # share of a face's box that must be changed
_TOLD: Final = 5  # moments that are named for each clip


@dataclass(slots=True)
class CoversResult:
    """How well the faces of a clip were covered.

    Attributes:
        clip: display name.
        frames: frames judged.
        faces: faces found in them, counted in every frame.
        shown: faces of which less than 85 % was covered.
        moments: seconds at which they show.
        area: percent of all pixels that were covered.
    """

    clip: str
    frames: int = 0
    faces: int = 0
    shown: int = 0
    moments: list[float] = field(default_factory=list)
    area: float = 0.0


class CoverJudge:
    """A sink that looks for faces in every frame, at full size, and counts those that are not covered.

    The judge is RetinaFace (MobileNet0.25), one frame at a time, without tracks. Some of its finds are hands.

    Attributes:
        path: it writes no file.
        result: what it has counted.
    """

    path = None

    def __init__(self, clip: str) -> None:
        """Load the judge.

        Raises:
            WeightsError: its network is missing.
        """
        self.result = CoversResult(clip)
        self._detector = load_detector("retinaface", max_side=_SIDE, min_face=_SMALLEST, score=_SCORE, device="cpu")
        self._noise = np.zeros((0, 0, 3), np.uint8)

    def write(self, result: FrameResult) -> None:
        """Judge a frame."""
        counted, covered = self.result, self._covered(result)
        counted.area += (100 * float(covered.mean()) - counted.area) / (counted.frames + 1)
        counted.frames += 1
        for box in self._detector.detect(result.frame.image).boxes:
            left, top, right, bottom = np.maximum(box.round(), 0).astype(int).tolist()
            counted.faces += 1
            if covered[top:bottom, left:right].mean() < _COVERED:
                counted.shown += 1
                counted.moments.append(result.frame.pts)

    def _covered(self, result: FrameResult) -> FloatArray:
        """``(H, W)``: 1 where a cover lies, told from a picture in which any cover changes every pixel."""
        shape = result.frame.image.shape
        if self._noise.shape != shape:
            self._noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        if result.shown is None:
            return np.zeros(shape[:2], np.float32)
        changed = result.shown.effects.covering().apply(self._noise, result.faces, result.hidden) != self._noise
        return np.asarray(changed.any(axis=2), np.float32)

    def close(self) -> None:
        """Nothing is left open."""


def evaluate_covers(
    clips: Sequence[str],
    config: Config,
    *,
    max_frames: int | None = None,
    json: Path | None = None,
    console: Console | None = None,
) -> list[CoversResult]:
    """Count the faces that show although they are to be covered, and print a table.

    Args:
        clips: what ``facestream run`` accepts.
        config: its look must cover faces; without a look, ``pixelate`` is measured.
        max_frames: use no more frames of each clip.
        json: write the results here, too.
        console: where to print.

    Returns:
        One result a clip.

    Raises:
        FacestreamError: a clip cannot be read, or the look covers no faces.
    """
    if not config.effects.look:
        config = with_values(config, {"effects.look": "pixelate"})
    if not Effects.parse(config.effects.look).covers:
        raise ConfigError(f"{config.effects.look!r} covers no faces: name blur, pixelate, emoji or black_bar")
    console = console or Console()
    results = []
    for clip in clips:
        with console.status(f"looking for faces that show in {clip}"):
            results.append(_run(clip, config, max_frames))
    console.print(_table(results, config.effects.look))
    if json is not None:
        write_json(json, [asdict(result) for result in results])
    return results


def _run(clip: str, config: Config, max_frames: int | None) -> CoversResult:
    judge = CoverJudge(Path(clip).name)
    camera = Camera(clip, config, sinks=[judge], realtime=False, max_frames=max_frames)
    try:
        camera.start()
        camera.wait()
    finally:
        camera.close()
    status = camera.status()
    for error in (status.error, *status.warnings):
        if error is not None:
            raise error
    return judge.result


def _table(results: Sequence[CoversResult], look: str) -> Table:
    table = Table(title=f"Faces that show under {look}", title_justify="left")
    for heading in ("clip", "frames", "faces", "shown", "covered %", "shown at (s)"):
        table.add_column(heading, justify="right" if heading not in ("clip", "shown at (s)") else "left")
    for each in results:
        moments = ", ".join(f"{pts:.2f}" for pts in each.moments[:_TOLD]) + " …" * (len(each.moments) > _TOLD)
        row = str(each.frames), str(each.faces), str(each.shown), f"{each.area:.1f}", moments
        table.add_row(each.clip, *row)
    return table
