"""``facestream evaluate jitter`` on the demo, on real clips, and with bad arguments."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from streamer.config import load_config
from streamer.errors import ConfigError, OutputError, SourceNotFoundError
from streamer.evaluation import jitter_plot
from streamer.evaluation.commands import jitter
from streamer.evaluation.jitter import TrackRecord, evaluate_jitter, measure, smooth_again
from streamer.evaluation.jitter_plot import draw_trade_off, trade_off
from streamer.landmarks.topology import MEAN_FACE


def quiet() -> Console:
    return Console(file=io.StringIO(), width=160)


def record(frames: list[int], seed: int = 0) -> TrackRecord:
    rng = np.random.default_rng(seed)
    face = np.array(MEAN_FACE, np.float64).reshape(106, 2) * 200
    times = np.array(frames) / 30
    sway = np.stack([np.sin(times * 3) * 60, 0 * times], axis=-1)[:, None]
    raw = face + sway + rng.normal(0, 1.0, (len(frames), 106, 2))
    plain = TrackRecord(1, np.array(frames, np.int64), times, raw, raw)
    return smooth_again(plain, "one_euro", 0.5)


def test_a_track_is_cut_where_frames_are_missing() -> None:
    pieces = record([0, 1, 2, 3, 7, 8, 9, 20]).pieces()
    assert [len(piece.times) for piece in pieces] == [4, 3, 1]
    result = measure("clip", [record([0, 1, 2, 3, 7, 8, 9, 20])])
    assert (result.frames, result.tracks, result.gaps) == (8, 1, 2)


def test_smoothing_is_measured_as_less_flicker_and_some_lag() -> None:
    result = measure("clip", [record(list(range(150)))])
    assert result.nmf_raw is not None
    assert result.nmf_smooth is not None
    assert result.nmf_smooth < result.nmf_raw
    assert result.reduction == pytest.approx(100 * (1 - result.nmf_smooth / result.nmf_raw))
    assert result.lag_ms is not None
    assert 0 < result.lag_ms < 34


def test_no_face_gives_no_numbers() -> None:
    result = measure("clip", [])
    assert (result.frames, result.tracks, result.nmf_raw, result.lag_ms) == (0, 0, None, None)


def test_more_strength_trades_lag_for_flicker_and_the_plot_is_drawn(tmp_path: Path) -> None:
    clip = [record(list(range(150)))]
    for kind in ("one_euro", "kalman"):
        points = trade_off([clip], kind, (0.2, 0.5, 0.9))  # type: ignore[arg-type]
        assert points == sorted(points)
        assert [reduction for _, reduction in points] == sorted(reduction for _, reduction in points)
    draw_trade_off([clip], tmp_path / "new folder" / "plot.png")
    assert (tmp_path / "new folder" / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_is_measured_and_written_as_json(tmp_path: Path) -> None:
    console, path = quiet(), tmp_path / "jitter.json"
    (result,) = evaluate_jitter(["demo"], load_config(None), max_frames=25, json=path, console=console)
    assert result.frames > 15
    assert result.nmf_smooth is not None
    assert result.nmf_raw is not None
    assert result.nmf_smooth < result.nmf_raw
    assert json.loads(path.read_text())[0]["reduction"] == pytest.approx(result.reduction)
    assert "demo" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_real_talking_head_flickers_at_least_sixty_percent_less(clips: Path) -> None:
    clip = str(clips / "retalk_man_suit.mp4")
    (result,) = evaluate_jitter([clip], load_config(None), max_frames=90, console=quiet())
    assert (result.tracks, result.gaps) == (1, 0)
    assert result.reduction is not None
    assert result.reduction > 60


def test_a_real_fast_mover_lags_less_than_a_frame_at_30_fps(clips: Path) -> None:
    clip = str(clips / "webcam_moving_face.avi")
    (result,) = evaluate_jitter([clip], load_config(None), max_frames=160, console=quiet())
    assert (result.tracks, result.gaps) == (1, 0)
    assert result.lag_ms is not None
    assert 0 < result.lag_ms < 1000 / 30


def test_mistakes_end_in_typed_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config(None)
    with pytest.raises(SourceNotFoundError):
        evaluate_jitter([str(tmp_path / "none.mp4")], config, console=quiet())
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="correct the path"):
        evaluate_jitter(["demo"], config, max_frames=3, json=tmp_path / "file" / "x.json", console=quiet())
    with pytest.raises(OutputError, match=r"\.png"):
        evaluate_jitter(["demo"], config, plot=tmp_path / "plot.unknown", console=quiet())
    monkeypatch.setattr(jitter_plot, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install matplotlib"):
        evaluate_jitter(["demo"], config, plot=tmp_path / "p.png", console=quiet())


def test_the_command_prints_a_table() -> None:
    app = typer.Typer()
    app.command()(jitter)
    result = CliRunner().invoke(app, ["demo", "--max-frames", "8", "--set", "smoothing.kind=kalman"])
    assert result.exit_code == 0, result.output
    assert "kalman smoothing" in result.output
