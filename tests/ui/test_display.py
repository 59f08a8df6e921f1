"""Without a display, or a library Qt needs, there is a sentence instead of an aborted process."""

import ctypes
import os
import socket
from pathlib import Path

import pytest

from streamer.errors import DisplayError
from ui import display


@pytest.fixture(autouse=True)
def plain_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def test_a_reachable_x_server_is_chosen(x_server: str) -> None:
    assert display.choose_platform() == "xcb"


def test_no_display_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(DisplayError, match=r"no display .* --headless"):
        display.choose_platform()


def test_a_dead_display_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(DisplayError, match=r"display :4711 cannot be reached.* --headless"):
        display.choose_platform()


def test_a_platform_without_windows_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.choose_platform() is None


def test_wayland_is_taken_where_there_is_no_x(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(DisplayError, match="wayland-7 cannot be reached"):
        display.choose_platform()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        assert display.choose_platform() == "wayland"


def test_missing_libraries_are_named_by_package(monkeypatch: pytest.MonkeyPatch) -> None:
    load = ctypes.CDLL

    def without(name: str) -> ctypes.CDLL:
        if "libxcb-icccm" in name or "libxkbcommon" in name or "libqxcb" in name:
            raise OSError("libxcb-icccm.so.4: cannot open shared object file: No such file or directory")
        return load(name)

    monkeypatch.setattr(ctypes, "CDLL", without)
    expected = (
        r"libxcb-icccm\.so\.4.*apt-get install libxcb-icccm4 libxkbcommon-x11-0 libxkbcommon0, or run with --headless"
    )
    with pytest.raises(DisplayError, match=expected):
        display.choose_platform()


def test_here_no_package_is_missing() -> None:
    assert display.missing_packages() == []


def test_the_plugins_of_opencv_are_forgotten_and_others_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/venv/site-packages/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/my/fonts")
    display.drop_foreign_plugins()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/my/fonts"
