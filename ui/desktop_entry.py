"""Puts the window into the desktop's menu: ``python -m ui.desktop_entry``, for this user and this installation."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from platformdirs import user_data_path

_ENTRY = """[Desktop Entry]
Type=Application
Name=facestream
GenericName=Face tracking
Comment=Faces, landmarks and head pose in live video
Exec={command} run %U
Icon=facestream
Terminal=false
Categories=AudioVideo;Video;Graphics;
MimeType=video/mp4;video/x-matroska;video/quicktime;video/x-msvideo;video/webm;x-scheme-handler/rtsp;
StartupWMClass=facestream
"""


def install(data: Path) -> Path:
    """Write the entry and the icons below a data folder such as ``~/.local/share``; return the entry.

    A running ``QApplication`` is needed to draw the icons.

    Raises:
        OSError: the folder cannot be written to.
    """
    from ui.icon import SIZES, draw

    for side in SIZES:
        folder = data / "icons" / "hicolor" / f"{side}x{side}" / "apps"
        folder.mkdir(parents=True, exist_ok=True)
        if not draw(side).save(str(folder / "facestream.png")):
            raise OSError(f"cannot write {folder / 'facestream.png'}")
    entry = data / "applications" / "facestream.desktop"
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_text(_ENTRY.format(command=_command()), encoding="utf-8")
    return entry


def _command() -> str:
    """How the desktop starts this installation, quoted as the specification of desktop entries wants it."""
    script = Path(sys.executable).with_name("facestream")
    parts = [str(script)] if script.is_file() else [sys.executable, "-m", "streamer"]
    escaped = (part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") for part in parts)
    return " ".join(f'"{part}"' for part in escaped)


def main() -> None:
    """Install for the user who runs this."""
    from PyQt5.QtWidgets import QApplication

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    try:
        sys.stdout.write(f"wrote {install(user_data_path())}\n")
    except OSError as error:
        sys.exit(f"facestream: the desktop entry cannot be written: {error}")
    del app


if __name__ == "__main__":
    main()
