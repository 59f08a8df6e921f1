"""The real program in a process of its own, with a person's hands and eyes for its window."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtWidgets import QApplication

from tests.ui.fakes import near, pixels
from ui import theme

needs_hands = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")

STAGE = (slice(80, 640), slice(70, 1100))  # where the picture lies in the 1280x720 window with the inspector folded
PATIENCE = 40.0  # hang guard in seconds for a crowded machine


class Program:
    """``facestream run …`` in a process of its own, and a look at its window."""

    def __init__(self, app: QApplication, folder: Path, *arguments: str, display: str | None = None) -> None:
        self._app, self._folder = app, folder
        self.settings = folder / "config" / "facestream" / "window.ini"
        if not self.settings.exists():
            self.settings.parent.mkdir(parents=True)
            self.settings.write_text("[inspector]\npage=\n")
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "XDG_CONFIG_HOME": str(folder / "config"),
            **({"DISPLAY": display} if display else {}),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamer", "run", *arguments],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def look(self) -> np.ndarray:
        """The screen, RGB (720, 1280, 3)."""
        screen = self._app.primaryScreen()
        assert screen is not None
        return pixels(screen.grabWindow(0).toImage())

    def wait_until(self, seen: Callable[[np.ndarray], bool], what: str) -> np.ndarray:
        """Look at the screen until it shows what is expected."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"ended before {what}: {self.process.communicate()}"
            image = self.look()
            if seen(image):
                return image
            time.sleep(0.05)
        picture = self._folder / "screen.png"
        self._app.primaryScreen().grabWindow(0).save(str(picture))
        pytest.fail(f"never saw {what}; the screen is in {picture}")

    def press(self, *keys: str, window: str = "facestream") -> None:
        """Type on the window as a keyboard does."""
        name = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", window], capture_output=True, text=True, check=True
        ).stdout.split()[0]
        subprocess.run(["xdotool", "windowfocus", "--sync", name, "key", *keys], check=True)

    def hand(self, *actions: str) -> None:
        """Use the mouse and the keyboard as ``xdotool`` spells it, wherever the keyboard is."""
        subprocess.run(["xdotool", *actions], check=True)

    def click(self, x: int, y: int) -> None:
        """Click on a place of the screen."""
        self.hand("mousemove", str(x), str(y), "click", "1")

    def answer(self, dialog: str, text: str) -> None:
        """Wait for a dialog, type into it, and press Return."""
        search = ["xdotool", "search", "--onlyvisible", "--name", dialog]
        self.wait_until(lambda _: not subprocess.run(search, capture_output=True, check=False).returncode, dialog)
        self.press("ctrl+a", window=dialog)
        self.hand("type", "--delay", "1", text)
        self.hand("key", "Return")

    def leave(self, expected: int) -> str:
        """Wait for the end; return what was written to stderr."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == expected, errors
        return errors


Start = Callable[..., Program]


def is_picture(image: np.ndarray) -> bool:
    """Whether the stage shows something bright with detail, and no card over it."""
    stage = image[STAGE]
    return bool(stage.mean() > 40 and stage.std() > 15)


def has_card(image: np.ndarray) -> bool:
    """Whether something is told over the picture."""
    return bool(near(image[STAGE], theme.DARK.raised.getRgb()[:3], 2).sum() > 20_000)


def offers_retry(image: np.ndarray) -> bool:
    """Whether there is a card with a filled button: the one that is shown while connecting has none."""
    accent = near(image[STAGE], theme.DARK.accent.getRgb()[:3], 2)
    return has_card(image) and bool((accent.sum(axis=0) > 15).sum() > 40)


def overlay_pixels(image: np.ndarray) -> int:
    """How much of the picture has the colour of the first face."""
    return int(near(image[STAGE], theme.track_color(1).getRgb()[:3], 6).sum())


def shows_a_face(image: np.ndarray) -> bool:
    return is_picture(image) and not has_card(image) and overlay_pixels(image) > 200
