"""Settings as forms show them, and the file of a user's own defaults."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from streamer import load_config, personal
from streamer.config import Config
from streamer.errors import ConfigError, OutputError
from streamer.options import user_config
from streamer.settings import describe, differing_yaml, get_value, section_help, with_values
from tests.disk import disk_full_after


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a working folder without any configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(personal, "notices", [])
    return tmp_path


def write_defaults(text: str) -> Path:
    path = personal.defaults_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# ---- the form -------------------------------------------------------------------------------------------------------


def test_every_key_has_what_a_form_needs() -> None:
    settings = describe()
    assert {s.key for s in settings} == {
        f"{section}.{name}" for section in Config.model_fields for name in dict(getattr(Config(), section))
    }
    for s in settings:
        assert s.title, s.key
        assert len(s.help) > 10, s.key
        assert s.default == get_value(Config(), s.key)
        assert (s.kind in ("int", "float")) == (s.step is not None), s.key
        assert (s.kind == "choice") == bool(s.choices), s.key
        assert section_help(s.section)


def test_limits_are_values_that_can_be_set() -> None:
    for s in describe():
        for value in (s.minimum, s.maximum, *s.choices, s.default):
            if value is not None:
                assert get_value(with_values(Config(), {s.key: value}), s.key) == value
        if s.nullable:
            assert get_value(with_values(Config(), {s.key: None}), s.key) is None


@pytest.mark.parametrize(
    ("key", "kind", "applies"),
    [
        ("detector.name", "choice", "load"),
        ("detector.score", "float", "live"),
        ("detector.max_side", "int", "live"),
        ("detector.weights", "path", "load"),
        ("detector.rotations", "bool", "live"),
        ("smoothing.kind", "choice", "live"),
        ("source.password", "secret", "restart"),
        ("source.loop", "bool", "live"),
        ("source.start", "float", "restart"),
        ("output.record_quality", "int", "next"),
    ],
)
def test_kinds_and_when_a_change_takes_effect(key: str, kind: str, applies: str) -> None:
    (setting,) = (s for s in describe() if s.key == key)
    assert (setting.kind, setting.applies) == (kind, applies)


@pytest.mark.parametrize("values", [{"detector.score": 2}, {"detector.no": 1}, {"no.key": 1}, {"smoothing.kind": "x"}])
def test_a_wrong_value_is_told(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        with_values(Config(), values)


def test_copy_as_yaml_holds_what_differs_and_no_secret() -> None:
    config = with_values(Config(), {"detector.score": 0.6, "output.folder": "/x y", "source.password": "hunter2"})
    text = differing_yaml(config)
    assert yaml.safe_load(text) == {"detector": {"score": 0.6}, "output": {"folder": "/x y"}}
    assert "hunter2" not in text
    assert differing_yaml(Config()) == ""
    assert differing_yaml(config, config) == ""


# ---- the user's defaults --------------------------------------------------------------------------------------------


def test_saved_defaults_are_read_at_the_next_start() -> None:
    config = with_values(Config(), {"detector.score": 0.6, "smoothing.kind": "kalman", "source.password": "hunter2"})
    path = personal.save_defaults(config)
    assert "hunter2" not in path.read_text()
    assert user_config(None, []) == with_values(Config(), {"detector.score": 0.6, "smoothing.kind": "kalman"})
    assert personal.notices == []
    personal.save_defaults(Config())
    assert user_config(None, []) == Config()
    assert [p.name for p in path.parent.iterdir()] == ["config.yaml"], "nothing temporary is left"


def test_what_is_nearer_wins(home: Path) -> None:
    personal.save_defaults(with_values(Config(), {"detector.score": 0.6, "tracking.max_faces": 4}))
    Path("config.yaml").write_text("detector: {score: 0.8, max_side: 512}\nsource: {password: hunter2}\n")
    config = user_config(None, ["tracking.max_faces=16"])
    assert (config.detector.score, config.tracking.max_faces) == (0.8, 16)
    assert config.source.password is not None
    (home / "mine.yaml").write_text("detector: {max_side: 256}\n")
    assert user_config(home / "mine.yaml", []) == load_config(None, ["detector.max_side=256"]), "a named file is alone"


def test_the_committed_file_in_the_working_folder_hides_nothing() -> None:
    Path("config.yaml").write_text((Path(__file__).resolve().parents[1] / "config.yaml").read_text())
    personal.save_defaults(with_values(Config(), {"detector.score": 0.6}))
    assert user_config(None, []).detector.score == 0.6


def test_wrong_settings_are_still_told() -> None:
    with pytest.raises(ConfigError, match="did you mean score"):
        user_config(None, ["detector.scor=0.5"])
    Path("config.yaml").write_text("detector: {score: 7}\n")
    with pytest.raises(ConfigError, match="above 0 and below 1"):
        user_config(None, [])


@pytest.mark.parametrize("text", ["detector: [1", "- a", "detector: 3", "\x00", "7"])
def test_a_damaged_file_is_set_aside_with_a_notice(text: str) -> None:
    path = write_defaults(text)
    assert user_config(None, []) == Config()
    (notice,) = personal.notices
    assert "config.damaged.yaml" in notice
    assert not path.exists()
    assert path.with_name("config.damaged.yaml").read_text() == text
    user_config(None, [])
    assert len(personal.notices) == 1


def test_a_file_of_another_version_keeps_what_is_known() -> None:
    write_defaults("detector: {score: 0.6, glow: 3}\nwarp: {speed: 9}\ntracking: {max_faces: many}\nsmoothing: null\n")
    config = user_config(None, [])
    assert config == with_values(Config(), {"detector.score": 0.6})
    (notice,) = personal.notices
    for key in ("detector.glow", "warp.speed", "tracking.max_faces"):
        assert key in notice
    personal.save_defaults(config)
    assert "glow" not in personal.defaults_path().read_text()


def test_defaults_that_cannot_be_saved_leave_the_old_ones() -> None:
    path = personal.save_defaults(with_values(Config(), {"detector.score": 0.6}))
    before = path.read_text()
    with disk_full_after(10), pytest.raises(OutputError, match="cannot write"):
        personal.save_defaults(Config())
    assert path.read_text() == before
    assert len(list(path.parent.iterdir())) == 1


def test_a_place_that_is_no_folder(home: Path) -> None:
    (home / "config").write_text("a file")
    with pytest.raises(OutputError, match="not a folder"):
        personal.save_defaults(Config())
    assert user_config(None, []) == Config()


def test_a_file_that_cannot_be_read_is_told() -> None:
    personal.defaults_path().mkdir(parents=True)
    assert user_config(None, []) == Config()
    assert "cannot read" in personal.notices[0]
