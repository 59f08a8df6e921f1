"""Runs the real tracker over clips and measures what smoothing gains (flicker) and costs (lag)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from streamer.config import Config
from streamer.evaluation.frames import frames_of
from streamer.evaluation.steadiness import (
    Array,
    Piece,
    eye_distances,
    eye_opening,
    flicker,
    lag,
    mouth_opening,
    range_kept,
)
from streamer.pipeline.analyzer import FaceAnalyzer, Models, load_models
from streamer.sinks.jsonl import write_json
from trackers import FaceSmoother
from trackers.smoothing import Kind

_COLUMNS = {
    "faces seen": 5,
    "ids": 3,
    "gaps": 4,
    "raw": 6,
    "smoothed": 8,
    "less flicker": 7,
    "lag": 7,
    "mouth kept": 5,
    "eyes kept": 4,
}
"""Figures of the table and the width each needs."""


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """Everything one track showed in a clip.

    Attributes:
        track_id: its id.
        frames: ``(t,)`` numbers of the frames it was visible in.
        times: ``(t,)`` their pts in seconds.
        raw: ``(t, 106, 2)`` landmarks before smoothing.
        smooth: ``(t, 106, 2)`` landmarks after smoothing.
    """

    track_id: int
    frames: np.ndarray[tuple[int], np.dtype[np.int64]]
    times: Array
    raw: Array
    smooth: Array

    def pieces(self) -> list[Piece]:
        """The track cut where frames are missing, or time does not advance."""
        broken = (np.diff(self.frames) != 1) | (np.diff(self.times) <= 0)
        cuts = np.flatnonzero(broken) + 1
        parts = zip(*(np.split(values, cuts) for values in (self.times, self.raw, self.smooth)), strict=True)
        return [Piece(*part) for part in parts]


@dataclass(frozen=True, slots=True)
class JitterResult:
    """Steadiness of one clip, or of several together.

    Attributes:
        clip: display name.
        frames: frames in which a face was visible, counted per face.
        tracks: number of ids.
        gaps: how often a track was hidden and came back.
        nmf_raw: flicker before smoothing, in eye distances (see :func:`streamer.evaluation.steadiness.flicker`).
        nmf_smooth: flicker after smoothing.
        reduction: flicker taken away, in percent.
        lag_ms: delay on fast moves in milliseconds; ``None`` if nothing moved fast.
        mouth_kept: share of the lips' range of opening that smoothing keeps.
        eyes_kept: likewise of the eyelids.
    """

    clip: str
    frames: int = 0
    tracks: int = 0
    gaps: int = 0
    nmf_raw: float | None = None
    nmf_smooth: float | None = None
    reduction: float | None = None
    lag_ms: float | None = None
    mouth_kept: float | None = None
    eyes_kept: float | None = None


def record_tracks(
    clip: str, config: Config, *, models: Models | None = None, max_frames: int | None = None
) -> list[TrackRecord]:
    """Follow the faces of a clip as the product does and keep their landmarks.

    Args:
        clip: any source that ends.
        config: how to detect, track and smooth.
        models: networks to share between clips.
        max_frames: stop after this many frames.

    Raises:
        SourceError: the clip cannot be opened or read.
    """
    analyzer = FaceAnalyzer(config, models=models)
    seen: dict[int, list[tuple[int, float, np.ndarray, np.ndarray]]] = {}
    with frames_of(clip, config, max_frames) as frames:
        for frame in frames:
            for face in analyzer.track(frame.image, frame.pts):
                if face.track_id is not None:
                    shown = frame.index, frame.pts, face.raw_landmarks, face.landmarks
                    seen.setdefault(face.track_id, []).append(shown)
    return [_record(track_id, rows) for track_id, rows in seen.items()]


def smooth_again(record: TrackRecord, kind: Kind, strength: float) -> TrackRecord:
    """The same track as another smoother would have shown it."""
    smoother = FaceSmoother(kind, strength)
    pose = np.zeros((1, 3))
    smooth = [
        smoother.smooth([record.track_id], points[None], pose, float(time))[0][0]
        for points, time in zip(record.raw, record.times, strict=True)
    ]
    return TrackRecord(record.track_id, record.frames, record.times, record.raw, np.array(smooth, np.float64))


def measure(clip: str, records: Sequence[TrackRecord]) -> JitterResult:
    """Measure the tracks of one clip."""
    pieces = [piece for record in records for piece in record.pieces()]
    eyes = [eye_distances(piece.raw) for piece in pieces]
    raw = _joined(flicker(piece.raw, eye) for piece, eye in zip(pieces, eyes, strict=True))
    smooth = _joined(flicker(piece.smooth, eye) for piece, eye in zip(pieces, eyes, strict=True))
    counted = JitterResult(
        clip,
        frames=sum(len(record.frames) for record in records),
        tracks=len(records),
        gaps=sum(int((np.diff(record.frames) > 1).sum()) for record in records),
    )
    if not len(raw):
        return counted
    delay = lag(pieces)
    return replace(
        counted,
        nmf_raw=float(raw.mean()),
        nmf_smooth=float(smooth.mean()),
        reduction=100.0 * (1.0 - float(smooth.mean() / raw.mean())),
        lag_ms=None if delay is None else delay * 1e3,
        mouth_kept=_longest_kept(records, mouth_opening),
        eyes_kept=_longest_kept(records, eye_opening),
    )


def evaluate_jitter(
    clips: Sequence[str],
    config: Config,
    *,
    max_frames: int | None = None,
    plot: Path | None = None,
    json: Path | None = None,
    console: Console | None = None,
) -> list[JitterResult]:
    """Measure flicker and lag on clips and print a table.

    Args:
        clips: files or other sources that end.
        config: how to detect, track and smooth.
        max_frames: use no more than this many frames of each clip.
        plot: write a picture of flicker against lag over all strengths here.
        json: write the results here.
        console: where to print; standard output by default.

    Raises:
        SourceError: a clip cannot be opened or read.
        ConfigError: a plot was asked for and matplotlib is not installed.
        OutputError: a file cannot be written, or the plot's name is none of a picture.
    """
    if plot is not None:
        from streamer.evaluation.jitter_plot import refuse_undrawable

        refuse_undrawable(plot)
    console = console or Console()
    models = load_models(config)
    records: dict[str, list[TrackRecord]] = {}
    for clip in clips:
        with console.status(f"following the faces of {clip}"):
            records[clip] = record_tracks(clip, config, models=models, max_frames=max_frames)
    results = [measure(Path(clip).name, tracks) for clip, tracks in records.items()]
    console.print(_table(results, config))
    if json is not None:
        write_json(json, [asdict(result) for result in results])
    if plot is not None:
        from streamer.evaluation.jitter_plot import draw_trade_off

        draw_trade_off(list(records.values()), plot)
        console.print(f"Flicker against lag over all strengths: {plot}")
    return results


def _record(track_id: int, rows: list[tuple[int, float, np.ndarray, np.ndarray]]) -> TrackRecord:
    frames, times, raw, smooth = zip(*rows, strict=True)
    return TrackRecord(
        track_id,
        np.array(frames, np.int64),
        np.array(times, np.float64),
        np.array(raw, np.float64),
        np.array(smooth, np.float64),
    )


def _joined(parts: Iterable[Array]) -> Array:
    return np.concatenate([np.zeros(0), *parts])


def _longest_kept(records: Sequence[TrackRecord], opening: Callable[[Array], Array]) -> float | None:
    """Range kept by the track that was visible longest."""
    longest = max(records, key=lambda record: len(record.frames))
    return range_kept(opening(longest.raw), opening(longest.smooth))


def _table(results: Sequence[JitterResult], config: Config) -> Table:
    smoothing = config.smoothing
    title = f"Flicker (NMF) and lag, {smoothing.kind} smoothing at strength {smoothing.strength:g}"
    caption = "– : no face, or nothing that moves fast enough to measure lag"
    table = Table(title=title, caption=caption, box=None, pad_edge=False)
    table.add_column("clip", overflow="fold", min_width=10)
    for heading, width in _COLUMNS.items():  # on 80 columns the clip's name gives way, never a figure
        table.add_column(heading, justify="right", width=width)
    for r in results:
        table.add_row(
            r.clip,
            str(r.frames),
            str(r.tracks),
            str(r.gaps),
            _cell(r.nmf_raw, ".4f"),
            _cell(r.nmf_smooth, ".4f"),
            _cell(r.reduction, ".1f", " %"),
            _cell(r.lag_ms, ".1f", " ms"),
            _cell(r.mouth_kept, ".2f"),
            _cell(r.eyes_kept, ".2f"),
        )
    return table


def _cell(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"
