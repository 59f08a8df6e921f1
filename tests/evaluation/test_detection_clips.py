"""``facestream evaluate detection CLIP...``: detectors measured by each other on pictures in motion, and bad input."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from streamer.cli import app
from streamer.config import load_config
from streamer.detectors import Detector, load_detector
from streamer.errors import ConfigError, SourceNotFoundError
from streamer.evaluation.detection import evaluate_detection
from streamer.evaluation.detection_clips import measure_clips
from streamer.types import Detections, Image

FRAMES = 14


@pytest.fixture(scope="module")
def clip(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The astronaut drifting to the right, out of the picture at the end."""
    folder = tmp_path_factory.mktemp("clip")
    for number in range(FRAMES):
        shifted = np.roll(astronaut, 2 * number, axis=1) if number < FRAMES - 1 else np.zeros_like(astronaut)
        cv2.imwrite(str(folder / f"{number:03d}.png"), shifted)
    return str(folder)


class Blind(Detector):
    """Finds nothing."""

    def __init__(self) -> None:
        super().__init__(name="retinaface", max_side=512, score=0.5, nms=0.4, min_face=1)

    def _detect(self, bgr: Image, min_face: float) -> Detections:
        return Detections.empty()


def quiet() -> Console:
    return Console(file=io.StringIO(), width=160)


def test_what_only_one_detector_shows_is_suspect(clip: str) -> None:
    reports, suspects = measure_clips([clip], {"sees": load_detector(), "blind": Blind()}, load_config(), quiet())
    sees, blind = (report.clips[Path(clip).name] for report in reports)
    assert (sees.frames, sees.tracks, sees.suspects, sees.gaps) == (FRAMES, 1, 1, 0)
    assert FRAMES - 4 <= sees.with_face == sees.faces == sees.of == blind.of < FRAMES
    assert sees.first is not None
    assert 0 < sees.first < 0.2
    assert (blind.with_face, blind.faces, blind.tracks, blind.suspects, blind.first) == (0, 0, 0, 0, None)
    (suspect,) = suspects
    assert (suspect.detector, suspect.frames) == ("sees", sees.faces)
    assert len(load_detector(min_face=1).detect(suspect.picture)) == 1


def test_the_command_prints_and_writes(clip: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["evaluate", "detection", clip, "--detector", "retinaface", "--detector", "tinymog", "--out", str(out)]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    assert "longest side at most 512 px" in result.output
    table = json.loads((out / "detection.json").read_bytes())["detectors"]
    for label in ("retinaface", "tinymog"):
        assert label in result.output
        row = table[label][Path(clip).name]
        assert (row["tracks"], row["suspects"]) == (1, 0)  # both show the astronaut
        assert FRAMES - 4 <= row["faces"] <= row["of"] < FRAMES
        assert row["cpu_ms"] > 0
    assert cv2.imread(str(out / "detection.png")) is not None


def test_one_detector_alone_is_not_judged(clip: str) -> None:
    (report,) = evaluate_detection(load_config(), clips=[clip], max_side=320, console=(console := quiet()))
    assert report.label == "retinaface"
    assert isinstance(console.file, io.StringIO)
    assert "at most 320 px" in console.file.getvalue()
    assert "–" in console.file.getvalue()


def test_mistakes_are_told(clip: str, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"none\.mp4"):
        evaluate_detection(load_config(), clips=[str(tmp_path / "none.mp4")], console=quiet())
    with pytest.raises(ConfigError, match="give clips --max-side"):
        evaluate_detection(load_config(), clips=[clip], scale="vga", console=quiet())
    with pytest.raises(ConfigError, match="Give one of: clips, --data"):
        evaluate_detection(load_config(), clips=[clip], data=tmp_path, console=quiet())
