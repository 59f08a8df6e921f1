"""The configuration: the committed file, its errors, and what a user may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import load_config
from streamer.config import Config, render_yaml
from streamer.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[1]


def test_committed_config_documents_every_key_with_its_default() -> None:
    assert (REPOSITORY / "config.yaml").read_text() == render_yaml(Config())
    assert load_config(REPOSITORY / "config.yaml") == Config()


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("detector:\n  score: 0.8\ntracking:\n")
    config = load_config(file, ["detector.score=0.9", "smoothing.kind=kalman"])
    assert (config.detector.score, config.smoothing.kind, config.tracking) == (0.9, "kalman", Config().tracking)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("detector.scor=0.5", ["detector.scor", "did you mean score", "max_side"]),
        ("detectors.score=0.5", ["unknown config key 'detectors'", "detector"]),
        ("detector.score=2", ["detector.score", "2", "above 0 and below 1"]),
        ("detector.score=high", ["detector.score", "'high'", "number"]),
        ("detector.name=yolo", ["detector.name", "'yolo'", "retinaface", "mtcnn"]),
        ("tracking.max_faces=1.5", ["tracking.max_faces", "1.5", "whole number from 1"]),
        ("source.loop=perhaps", ["source.loop", "true or false"]),
        ("detector", ["section.key=value", "'detector'"]),
        ("a.b.c=1", ["section.key=value"]),
        ("source.password=[secret1]", ["source.password", "text"]),
    ],
)
def test_a_wrong_setting_names_the_key_the_value_and_what_is_allowed(override: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, [override])
    for word in words:
        assert word in str(caught.value)
    assert "secret1" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("detector: [1", "line"),
        ("- a\n- b", "must hold sections"),
        ("detector: 3", "'detector'"),
        ("\x00", "not valid"),
    ],
)
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=word):
        load_config(file)


def test_a_missing_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the config file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot read the config file"):
        load_config(tmp_path)


def test_passwords_are_not_shown() -> None:
    config = load_config(None, ["source.password=hunter2"])
    assert "hunter2" not in repr(config)
    assert "hunter2" not in render_yaml(config)
    assert config.source.password is not None
    assert config.source.password.get_secret_value() == "hunter2"
