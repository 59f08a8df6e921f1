"""The real program plays a real file: a person pauses, steps, keeps a picture and a recording, and goes to the end."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.ui.program import STAGE, Program, Start, has_card, needs_hands
from ui import theme

pytestmark = needs_hands

BAR = (slice(648, 690), slice(160, 700))  # where the seek bar lies in the 1280x720 window


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Eight seconds in which the whole picture gets brighter, so that every frame tells its time."""
    path = tmp_path / "brighter.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (640, 360))
    for number in range(200):
        writer.write(np.full((360, 640, 3), 40 + number, np.uint8))
    writer.release()
    return path


def brightness(image: np.ndarray) -> float:
    return float(np.median(image[STAGE]))


def handle(image: np.ndarray) -> int:
    """Column of the seek bar's right-most coloured pixel."""
    accent = np.abs(image[BAR].astype(int) - theme.DARK.accent.getRgb()[:3]).max(axis=2) < 12
    return int(np.flatnonzero(accent.any(axis=0)).max(initial=0))


def stands_still(program: Program) -> float:
    """The brightness of the stage once it has stopped to change."""
    deadline = time.monotonic() + 20
    before = brightness(program.look())
    while time.monotonic() < deadline:
        time.sleep(0.4)
        now = brightness(program.look())
        if now == before:
            return now
        before = now
    pytest.fail("the picture never stood still")


def wait_for(found: Callable[[], list[Path]]) -> Path:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if paths := found():
            return paths[0]
        time.sleep(0.05)
    pytest.fail("no file came")


def test_a_file_is_paused_stepped_kept_and_played_to_its_end(
    start: Start,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    program = start(str(clip))
    program.wait_until(lambda image: 60 < brightness(image) < 255 and handle(image) > 5, "the file playing")
    program.press("space")
    paused = stands_still(program)
    program.press("period", "period", "period")
    program.wait_until(lambda image: abs(brightness(image) - paused - 3) <= 1, "three frames on")
    program.press("comma", "comma", "comma")
    program.wait_until(lambda image: abs(brightness(image) - paused) <= 1, "three frames back")
    program.press("shift+s")
    snapshot = wait_for(lambda: list((tmp_path / "Pictures" / "facestream").glob("*.png")))
    program.press("Home")
    program.wait_until(lambda image: brightness(image) < 50 and handle(image) < 30, "the first frame")
    program.press("ctrl+r", "space")
    program.wait_until(lambda image: brightness(image) > 75, "the file playing on")
    program.press("ctrl+r", "End")
    program.wait_until(lambda image: brightness(image) > 225 and has_card(image), "the last frame, and a line about it")
    program.press("space")
    program.wait_until(lambda image: brightness(image) < 150, "the file playing again")
    program.press("ctrl+q")
    program.leave(0)
    assert np.median(cv2.imread(str(snapshot))) == pytest.approx(paused, abs=3)
    (recording,) = (tmp_path / "Videos" / "facestream").glob("*.mp4")
    video = cv2.VideoCapture(str(recording))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) >= 20
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 640
    video.release()
