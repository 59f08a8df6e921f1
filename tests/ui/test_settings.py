"""What the window remembers: typed, forgiving, and never a reason not to start."""

import enum
from pathlib import Path

import pytest

from ui.settings import Settings, settings_path


class Shape(enum.Enum):
    ROUND = "round"
    FLAT = "flat"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "window.ini"


VALUES = [
    (True, False),
    (7, 1),
    (0.25, 1.0),
    ("a, b = [c] ü%", ""),
    (["/a b.mp4", "rtsp://host/x?y=1,2"], []),
    (["one"], []),
    ([], ["default"]),
    (b"\x00\xff\x01", b""),
    (Shape.FLAT, Shape.ROUND),
]


@pytest.mark.parametrize(("value", "default"), VALUES, ids=[repr(value) for value, _ in VALUES])
def test_values_come_back_as_they_were(path: Path, value: object, default: object) -> None:
    settings = Settings(path)
    settings.set("some/key", value)
    assert settings.get("some/key", default) == value
    settings.save()
    again = Settings(path).get("some/key", default)
    assert again == value
    assert type(again) is type(value)


def test_what_was_never_set_has_its_default(path: Path) -> None:
    assert Settings(path).get("some/key", 0.5) == 0.5
    assert Settings(path).problem == ""


@pytest.mark.parametrize("default", [True, 7, 0.5, Shape.ROUND, b"x"])
def test_a_value_of_another_version_gives_the_default(path: Path, default: object) -> None:
    path.parent.mkdir()
    path.write_text("[some]\nkey=banana\nother=5\n")
    settings = Settings(path)
    assert settings.get("some/key", default) == default
    assert settings.get("some/other", 1) == 5
    assert settings.problem == ""


def test_keys_of_another_version_are_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[future]\nthing=5\n")
    settings = Settings(path)
    settings.set("mine/key", 1)
    settings.save()
    assert Settings(path).get("future/thing", 0) == 5


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"this is\nno settings file\n", b"\xff\xfe[a]\nb=1"])
def test_a_damaged_file_is_set_aside_and_told(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    settings = Settings(path)
    assert "window.ini.broken" in settings.problem
    assert (path.parent / "window.ini.broken").read_bytes() == content
    settings.set("a/b", 1)
    settings.save()
    assert Settings(path).problem == ""


def test_a_place_that_cannot_be_written_to_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(tmp_path / "file" / "window.ini")
    told: list[str] = []
    settings.told.connect(told.append)
    for value in (1, 2):
        settings.set("a/b", value)
        settings.save()
    assert len(told) == 1
    assert "window.ini" in told[0]


def test_the_file_lies_where_the_system_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path() == tmp_path / "facestream" / "window.ini"
