"""The pictures that ``make screenshots`` takes: one of every kind still comes about."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.ui.fakes import near
from ui import theme
from ui.pages import PAGES

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")


def pictures(folder: Path, *names: str) -> list[np.ndarray]:
    """Take pictures as a developer does; RGB."""
    command = [sys.executable, "-m", "tests.ui.screenshots", "--to", str(folder), "--only", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in names:
        assert str(folder / f"{name}.png") in done.stdout
    images = [cv2.imread(str(folder / f"{name}.png")) for name in names]
    return [image[:, :, ::-1] for image in images if image is not None]


def test_a_page_a_state_and_the_sheet(tmp_path: Path) -> None:
    page, state, large = pictures(tmp_path, "light/page_detector", "light/no_webcam", "scale-2/source_menu")
    assert page.shape == state.shape == (720, 1280, 3)
    assert large.shape == (1440, 2560, 3)
    tracks = [near(page[80:640, :880], color.getRgb()[:3], 6).sum() for color in theme.TRACKS]
    assert max(tracks) > 100, "a face with its box"
    assert near(state, theme.LIGHT.raised.getRgb()[:3], 2)[200:500, 250:650].mean() > 0.3, "the card"
    assert near(large, theme.DARK.raised.getRgb()[:3], 2)[150:500, 60:600].mean() > 0.5, "the menu"
    assert {path.name for path in tmp_path.glob("*.jpg")} == {"light.jpg", "scale-2.jpg"}


def test_every_page_has_a_picture() -> None:
    from tests.ui.screenshots import SETS

    for each in SETS:
        assert {f"page_{spec.name}" for spec in PAGES} <= set(each.shots)
