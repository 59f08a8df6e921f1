"""Files and addresses dragged out of another program and dropped on the real window, through the X server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.dragging import Drag
from tests.ui.program import needs_hands
from tests.ui.stage import Stage

pytestmark = needs_hands

PATIENCE = 30_000  # ms; a hang guard for a crowded machine


@pytest.fixture
def drag(qtbot: QtBot, stage: Stage, tmp_path: Path) -> Iterator[Callable[..., Drag]]:
    drags: list[Drag] = []

    def begin(kind: str, *values: str) -> Drag:
        target = stage.view.mapToGlobal(stage.view.rect().center())
        assert stage.window.frameGeometry().contains(target)
        wait = partial(qtbot.waitUntil, timeout=PATIENCE)
        drags.append(Drag(tmp_path / "drag.log", wait, target, kind, *values))
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
