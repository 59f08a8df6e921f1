"""Whether a window can be opened at all, found out before Qt is asked: Qt aborts the process when it cannot."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import Final

from streamer.errors import DisplayError

PACKAGES: Final = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libXext.so.6": "libxext6",
    "libxcb.so.1": "libxcb1",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What PyQt5's wheel needs from the system on X11 (``ldd libqxcb.so``), and Debian's package for each."""

_WINDOWLESS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs", "webgl")
_REMEDY = "run with --headless, or in a graphical session"


def choose_platform() -> str | None:
    """Find the Qt platform plugin a window can be opened with, and make sure that it can.

    Returns:
        The plugin's name for ``-platform``; ``None`` to leave the choice to Qt (no X11 or Wayland system, or the
        user has chosen a plugin without windows by ``QT_QPA_PLATFORM``).

    Raises:
        DisplayError: there is no display, it cannot be reached, or a system library is missing.
    """
    if sys.platform in ("win32", "darwin", "cygwin"):
        return None
    drop_foreign_plugins()
    _require_libraries()
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if chosen.startswith(_WINDOWLESS):
        return None
    if os.environ.get("DISPLAY") and not chosen.startswith("wayland"):
        _require_x_server(os.environ["DISPLAY"])
        return "xcb"
    if os.environ.get("WAYLAND_DISPLAY"):
        _require_wayland(os.environ["WAYLAND_DISPLAY"])
        return "wayland"
    raise DisplayError(f"there is no display to open a window on (DISPLAY is not set); {_REMEDY}")


def drop_foreign_plugins() -> None:
    """Forget the Qt plugins and fonts that ``import cv2`` points to: its own Qt is built differently from PyQt5's."""
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in Path(os.environ.get(name, "")).parts:
            del os.environ[name]


def missing_packages() -> list[str]:
    """Debian packages whose libraries PyQt5 needs and the system does not have, in alphabetical order."""
    return sorted({package for library, package in PACKAGES.items() if not _loads(library)})


def _require_libraries() -> None:
    try:
        from PyQt5 import QtWidgets  # noqa: F401

        plugin = _plugin("libqxcb.so")
        if plugin is not None:
            ctypes.CDLL(str(plugin))
    except (ImportError, OSError) as error:
        packages = missing_packages()
        remedy = f"install it with: apt-get install {' '.join(packages)}" if packages else "install that library"
        raise DisplayError(f"Qt cannot open a window because {error}; {remedy}, or run with --headless") from error


def _plugin(name: str) -> Path | None:
    """The platform plugin inside the PyQt5 wheel; ``None`` for a PyQt5 from elsewhere, whose packager cares."""
    spec = importlib.util.find_spec("PyQt5")
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(next(iter(folders or ()), "")) / "Qt5" / "plugins" / "platforms" / name
    return path if path.is_file() else None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _require_x_server(display: str) -> None:
    """Connect and disconnect as Qt will, authorisation included."""
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if failed:
        raise DisplayError(f"the display {display} cannot be reached, or does not let you in; {_REMEDY}")


def _require_wayland(name: str) -> None:
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except OSError as error:
            raise DisplayError(f"the display {name} cannot be reached ({error.strerror}); {_REMEDY}") from error
