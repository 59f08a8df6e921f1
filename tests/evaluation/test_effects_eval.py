"""``facestream evaluate effects`` on the demo, on real clips, and with bad arguments."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from streamer import FaceAnalyzer
from streamer.config import load_config
from streamer.effects import Effects
from streamer.errors import ConfigError, OutputError, SourceNotFoundError
from streamer.evaluation.commands import effects as command
from streamer.evaluation.effects import evaluate_effects, measure_looks
from streamer.evaluation.effects_sheet import Moments
from streamer.types import Face

SKIN, LIPS = Effects.parse("skin=1"), Effects.parse("lipstick=1")


def quiet() -> Console:
    return Console(file=io.StringIO(), width=160)


@pytest.fixture(scope="module")
def face(astronaut: np.ndarray) -> Face:
    (found,) = FaceAnalyzer(load_config()).analyze(astronaut)
    return found


def test_a_blurred_face_has_less_texture_and_softer_edges(astronaut: np.ndarray, face: Face) -> None:
    looks = measure_looks(astronaut, cv2.GaussianBlur(astronaut, (0, 0), 3), face)
    assert looks is not None
    assert looks.texture[1] < 0.6 * looks.texture[0]
    assert looks.edges[1] < 0.6 * looks.edges[0]


def test_what_is_not_changed_measures_the_same(astronaut: np.ndarray, face: Face) -> None:
    looks = measure_looks(astronaut, astronaut.copy(), face)
    assert looks is not None
    assert looks.texture[0] == looks.texture[1]
    assert looks.edges[0] == looks.edges[1]


def test_the_demo_is_measured_drawn_and_written_as_json(tmp_path: Path) -> None:
    console, out, sheet = quiet(), tmp_path / "effects.json", tmp_path / "new folder" / "sheet.png"
    (result,) = evaluate_effects(
        ["demo"], SKIN, load_config(None), max_frames=14, json=out, sheet=sheet, console=console
    )
    assert result.faces > 5
    assert result.frames == 14
    assert result.outside == 0
    assert result.texture_kept is not None
    assert result.texture_kept < 90
    assert result.edges_kept is not None
    assert result.edges_kept > 90
    assert json.loads(out.read_text())[0]["texture_kept"] == pytest.approx(result.texture_kept)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "skin 1" in text
    assert "sheet.png" in text
    picture = cv2.imread(str(sheet))
    assert picture.shape == (720, 2160, 3)
    before, after = picture[:340, :360].astype(int), picture[:340, 360:720]
    assert 0 < np.abs(before - after).mean() < 20


def test_a_real_face_that_keeps_still_hardly_flickers(clips: Path) -> None:
    clip = str(clips / "retalk_man_suit.mp4")
    (result,) = evaluate_effects([clip], SKIN, load_config(None), max_frames=24, console=quiet())
    assert result.flicker is not None
    assert abs(result.flicker) < 0.25
    assert result.texture_kept is not None
    assert result.texture_kept < 90
    assert result.outside == 0


def test_a_cover_is_seen_to_reach_beyond_the_face(clips: Path) -> None:
    clip = str(clips / "selfie_expressions.mp4")
    (result,) = evaluate_effects(
        [clip], Effects.parse("black_bar=1"), load_config(None), max_frames=10, console=quiet()
    )
    assert result.outside > 0


def test_no_face_gives_no_numbers_and_no_sheet(clips: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    clip = str(clips / "no_face.mp4")
    (result,) = evaluate_effects([clip], LIPS, load_config(None), max_frames=5, sheet=sheet, console=quiet())
    assert (result.faces, result.outside, result.texture_kept, result.flicker, result.ms) == (0, 0, None, None, None)
    assert not sheet.exists()


def test_moments_are_spread_over_a_clip_of_any_length(astronaut: np.ndarray, face: Face) -> None:
    for frames in (1, 5, 120):
        moments = Moments("clip")
        for number in range(frames):
            moments.add(astronaut, np.full_like(astronaut, number * 255 // frames), face, number / 30)
        shades = [int(tile[180, 180, 0]) for tile in moments.tiles()[1::2]]
        assert len(shades) == min(6, frames)
        assert shades == sorted(shades)
        assert shades[0] == 0
        assert frames == 1 or shades[-1] > 255 * 0.7


def test_mistakes_end_in_typed_errors(tmp_path: Path) -> None:
    config = load_config(None)
    with pytest.raises(SourceNotFoundError):
        evaluate_effects([str(tmp_path / "none.mp4")], SKIN, config, console=quiet())
    for nothing in (Effects(), Effects.parse("skin=0")):
        with pytest.raises(ConfigError, match="--effects glam"):
            evaluate_effects(["demo"], nothing, config, console=quiet())
    with pytest.raises(OutputError, match=r"sheet\.png"):
        evaluate_effects(["demo"], SKIN, config, sheet=tmp_path / "sheet.gif", console=quiet())
    (tmp_path / "file").write_text("")
    for key in ("json", "sheet"):
        with pytest.raises(OutputError, match="correct the path"):
            evaluate_effects(
                ["demo"], SKIN, config, max_frames=4, console=quiet(), **{key: tmp_path / "file" / "x.png"}
            )  # type: ignore[arg-type]


def test_the_command_prints_a_table_and_names_what_it_does_not_know() -> None:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["demo", "--max-frames", "6", "--effects", "skin=0.4, tone"])
    assert result.exit_code == 0, result.output
    assert "skin 0.4" in result.output
    wrong = CliRunner().invoke(app, ["demo", "--effects", "skni"])
    assert isinstance(wrong.exception, ConfigError)
    assert "skin" in str(wrong.exception)
    assert isinstance(CliRunner().invoke(app, ["demo"]).exception, ConfigError)
