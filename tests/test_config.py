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
        ("source.start=.inf", ["source.start", "inf", "number from 0"]),
        ("detector.score=2024-99-99", ["detector.score", "'2024-99-99'", "number"]),
        (f"detector.score={'1' * 5000}", ["detector.score", "'111", "1…;", "number"]),
        (f"detector.score={'[' * 30_000}", ["detector.score", "number"]),
        ("tracking.max_faces=yes", ["tracking.max_faces", "it is true", "whole number from 1"]),
        ("landmarks.weights=~nobody-here/x.onnx", ["landmarks.weights", "no home folder", "write the whole path"]),
    ],
)
def test_a_wrong_setting_names_the_key_the_value_and_what_is_allowed(override: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, [override])
    for word in words:
        assert word in str(caught.value)
    assert len(str(caught.value)) < 500


def test_words_are_taken_as_they_are_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    names = ["source.username=007", "source.password=12 #3", "output.folder=2024", "landmarks.weights=~/x.onnx"]
    config = load_config(None, names)
    assert (config.source.username, config.output.folder) == ("007", Path("2024"))
    assert config.source.password is not None
    assert config.source.password.get_secret_value() == "12 #3"
    assert config.landmarks.weights == tmp_path / "x.onnx"
    empty = load_config(None, ["source.username=", "landmarks.weights=null", "source.password='a: b'"])
    assert (empty.source.username, empty.landmarks.weights) == (None, None)
    assert empty.source.password is not None
    assert empty.source.password.get_secret_value() == "a: b"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("detector: [1", "line"),
        ("- a\n- b", "must hold sections"),
        ("detector: 3", "'detector'"),
        ("\x00", "not valid"),
        ("detector:\n  score: 0.5\n  score: 0.6\n", "line 3: score is there twice"),
        ("detector:\n\tscore: 0.5\n", "line 2: tabs cannot indent, use spaces"),
        ("source: {password: [secret1]}", r"broken\.yaml: config key 'source\.password' is a secret; allowed: text"),
        ("source: {username: 007}", r"allowed: text, or null \(in quotation marks\)"),
        ("1: {score: 0.5}", "unknown config key '1'"),
        ("detector: {nmae: mtcnn}", r"broken\.yaml: unknown config key 'detector\.nmae'; did you mean name"),
    ],
)
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=word) as caught:
        load_config(file)
    assert str(file) in str(caught.value)
    assert "secret1" not in str(caught.value)


def test_a_wrong_override_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("detector: {score: 0.5}")
    with pytest.raises(ConfigError) as caught:
        load_config(file, ["detector.score=2"])
    assert "mine.yaml" not in str(caught.value)


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
