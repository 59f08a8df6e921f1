"""Takes pictures of every page and every state of the real window, on private X servers; ``make screenshots``.

Usage: python -m tests.ui.screenshots [--to FOLDER] [--only WORD…]
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tests.ui.shots import PAGE_SHOTS, SHOTS
from tests.ui.xvfb import private_display

_SOME = (*PAGE_SHOTS, "running", "refused", "wrong_password", "shortcuts", "internal_error", "source_menu")
_TILE = 640, 360
_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Set:
    """Pictures that are taken on one screen.

    Attributes:
        name: of the folder they go to.
        size: of the screen in device pixels.
        look: the theme.
        shots: which.
        scale: device pixels per logical one.
    """

    name: str
    size: tuple[int, int]
    look: str
    shots: tuple[str, ...]
    scale: int = 1


SETS = (
    Set("dark", (1280, 720), "dark", tuple(SHOTS)),
    Set("light", (1280, 720), "light", tuple(SHOTS)),
    Set("1024x640", (1024, 640), "dark", _SOME),
    Set("1920x1080", (1920, 1080), "dark", _SOME),
    Set("scale-2", (2560, 1440), "dark", _SOME, scale=2),
)


def take(screen: Set, shots: list[str], folder: Path) -> int:
    """Take some of a set's pictures; 1 where one could not be taken."""
    target = folder / screen.name
    target.mkdir(parents=True, exist_ok=True)
    with private_display(*screen.size) as display, tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "QT_SCALE_FACTOR": str(screen.scale),
            "XDG_CONFIG_HOME": home,
            "XDG_RUNTIME_DIR": home,
        }
        environment.pop("WAYLAND_DISPLAY", None)
        command = [sys.executable, "-m", "tests.ui.shots", str(target), screen.look, *shots]
        return subprocess.run(command, env=environment, check=False).returncode


def write_sheet(paths: list[Path], path: Path) -> None:
    """Write small copies of pictures with their names, side by side, as one JPEG."""
    width, height = _TILE
    rows = math.ceil(len(paths) / _COLUMNS)
    sheet = np.full((rows * (height + 24), _COLUMNS * (width + 8), 3), 128, np.uint8)
    for number, each in enumerate(paths):
        image = cv2.imread(str(each))
        assert image is not None
        scale = min(width / image.shape[1], height / image.shape[0])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = number // _COLUMNS * (height + 24) + 20, number % _COLUMNS * (width + 8) + 4
        sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
        cv2.putText(sheet, f"{each.parent.name}/{each.stem}", (left, top - 6), 0, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.imwrite(str(path), sheet)


def main() -> int:
    """Take what is asked for, everything by default; print every file."""
    parser = argparse.ArgumentParser(prog="make screenshots", description="Pictures of the window in every state.")
    parser.add_argument("--to", type=Path, default=Path("out", "screenshots"), help="folder (default: %(default)s)")
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD", help="set/shot has one of these in its name")
    arguments = parser.parse_args()
    missed = 0
    for screen in SETS:
        shots = [
            shot
            for shot in screen.shots
            if not arguments.only or any(word in f"{screen.name}/{shot}" for word in arguments.only)
        ]
        if not shots:
            continue
        missed |= take(screen, shots, arguments.to)
        paths = [path for shot in shots if (path := arguments.to / screen.name / f"{shot}.png").exists()]
        write_sheet(paths, sheet := arguments.to / f"{screen.name}.jpg")
        print(sheet)
    return missed


if __name__ == "__main__":
    sys.exit(main())
