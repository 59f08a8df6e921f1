"""Files and addresses dragged out of another program and dropped on the real window, through the X server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, QRect
from PyQt5.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from tests.ui.stage import Stage

pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")

PATIENCE = 30_000  # ms; a hang guard for a crowded machine
PROGRAM = Path(__file__).with_name("drag_source.py")


class Drag:
    """Another program with something to drag, and the hand that drags it over a window."""

    def __init__(self, qtbot: QtBot, stage: Stage, log: Path, kind: str, *values: str) -> None:
        self._qtbot, self._stage = qtbot, stage
        window = stage.window.frameGeometry()
        screen = stage.window.screen().availableGeometry()
        corner = QPoint(screen.left(), screen.bottom() - 40)
        self._handle = QRect(corner, corner + QPoint(80, 30)).center()
        self._target = stage.view.mapToGlobal(stage.view.rect().center())
        assert window.contains(self._target)
        command = [sys.executable, str(PROGRAM), str(corner.x()), str(corner.y()), kind, *values]
        self._log = log
        with log.open("w") as out:
            self._process = subprocess.Popen(command, stdout=out)
        qtbot.waitUntil(lambda: self._told("ready"), timeout=PATIENCE)

    def _told(self, word: str) -> bool:
        return word in self._log.read_text().split()

    def hover(self, seen: Callable[[], bool]) -> None:
        """Take hold, and move over the stage until both programs know that it can be dropped there."""
        self._hand("mousemove", *self._at(self._handle), "mousedown", "1")
        self._hand("mousemove", *self._at(self._handle + QPoint(9, -9)))
        moves = 0

        def wiggle() -> bool:
            nonlocal moves
            moves += 1
            self._hand("mousemove", *self._at(self._target + QPoint(4 * (moves % 8), 3 * (moves % 5))))
            return seen() and self._told("accepted")

        self._qtbot.waitUntil(wiggle, timeout=PATIENCE)

    def drop(self) -> None:
        self._hand("mouseup", "1")

    def close(self) -> None:
        self._hand("mouseup", "1")
        self._process.kill()
        self._process.wait()

    @staticmethod
    def _at(point: QPoint) -> tuple[str, str]:
        return str(point.x()), str(point.y())

    @staticmethod
    def _hand(*actions: str) -> None:
        """Move as a hand does, while the windows go on."""
        subprocess.run(["xdotool", *actions], check=True)
        QApplication.processEvents()


@pytest.fixture
def drag(qtbot: QtBot, stage: Stage, tmp_path: Path) -> Iterator[Callable[..., Drag]]:
    drags: list[Drag] = []

    def begin(kind: str, *values: str) -> Drag:
        drags.append(Drag(qtbot, stage, tmp_path / "drag.log", kind, *values))
        return drags[-1]

    yield begin
    for each in drags:
        each.close()


def hint(stage: Stage) -> QLabel:
    found = stage.child("dropHint")
    assert isinstance(found, QLabel)
    return found


def dropped(stage: Stage, drag: Drag) -> str:
    """The source that is shown after the drop."""
    shown = len(stage.cameras)
    drag.hover(hint(stage).isVisible)
    drag.drop()
    stage.qtbot.waitUntil(lambda: len(stage.cameras) > shown and stage.camera.started == 1, timeout=PATIENCE)
    assert not hint(stage).isVisible()
    return stage.camera.status().source


def test_a_file_with_a_strange_name(stage: Stage, drag: Callable[..., Drag], tmp_path: Path) -> None:
    stage.run()
    path = tmp_path / "my clip ü & 100%.mp4"
    path.touch()
    assert dropped(stage, drag("uris", str(path))) == str(path)
    assert stage.settings.get("sources/recent", list[str]())[0] == str(path)


def test_several_files_are_one_and_a_sentence(stage: Stage, drag: Callable[..., Drag], tmp_path: Path) -> None:
    stage.run()
    paths = [tmp_path / name for name in ("one.mp4", "two.mp4", "three.mp4")]
    for path in paths:
        path.touch()
    assert dropped(stage, drag("uris", *map(str, paths))) == str(paths[0])
    assert any(text.startswith("3 files were dropped") for text in stage.texts())


def test_a_folder(stage: Stage, drag: Callable[..., Drag], tmp_path: Path) -> None:
    stage.run()
    assert dropped(stage, drag("uris", str(tmp_path))).rstrip("/") == str(tmp_path)


@pytest.mark.parametrize("kind", ["uris", "text"])
@pytest.mark.parametrize("address", ["rtsp://cam.local:554/live?x=1", "http://cam.local/video.mjpg"])
def test_an_address(stage: Stage, drag: Callable[..., Drag], kind: str, address: str) -> None:
    stage.run()
    assert dropped(stage, drag(kind, address)) == address


def test_a_file_dragged_as_text(stage: Stage, drag: Callable[..., Drag], tmp_path: Path) -> None:
    stage.run()
    path = tmp_path / "from a terminal.mp4"
    path.touch()
    assert dropped(stage, drag("text", str(path))) == str(path)
