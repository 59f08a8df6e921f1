"""What covers faces is told: at the top of the Effects page, and at the bottom of the window, whatever is folded."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QComboBox, QLabel, QLineEdit, QScrollArea

from streamer.config import Config
from streamer.settings import with_values
from tests.ui.stage import Stage
from ui.controls import Switch
from ui.effects.cover_line import CoverLine
from ui.effects.row import EffectRow


@pytest.fixture(autouse=True)
def no_own_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def wear(stage: Stage, look: str) -> None:
    stage.session.configure(with_values(stage.session.config, {"effects.look": look}))


def line(stage: Stage) -> str:
    """What the page says."""
    found = stage.window.findChild(CoverLine)
    assert found is not None
    return " ".join(label.text() for label in found.findChildren(QLabel))


def at_the_bottom(stage: Stage) -> str:
    """What the window says, on the page or without it."""
    return next((text for text in stage.texts() if text.startswith("Faces covered:")), "")


def is_in_view(stage: Stage, name: str) -> bool:
    row = stage.window.findChild(EffectRow, name)
    if row is None or not row.isVisible():
        return False
    area = next(area for area in stage.window.findChildren(QScrollArea) if area.isAncestorOf(row))
    switch = row.findChild(Switch)
    return area.viewport().rect().contains(switch.geometry().translated(row.mapTo(area.viewport(), QPoint())))


def test_covers_are_told_at_the_top_of_the_page(stage: Stage) -> None:
    stage.run()
    stage.window.commands["page.effects"].setChecked(True)
    assert line(stage) == "Faces covered no"
    wear(stage, "lipstick=0.3")
    assert line(stage) == "Faces covered no"
    wear(stage, "lipstick=0.3, blur")
    assert line(stage) == "Faces covered Blur"
    wear(stage, "privacy, black_bar")
    assert line(stage) == "Faces covered Black bar, Pixelate"
    stage.look()
    assert stage.window.findChild(CoverLine).y() < 20, "the first line"


def test_covers_are_told_without_any_page_and_after_the_start(stage: Stage) -> None:
    assert at_the_bottom(stage) == ""
    wear(stage, "blur")
    stage.run()
    stage.window.commands["inspector.fold"].setChecked(False)
    assert at_the_bottom(stage) == "Faces covered: Blur"
    stage.look()
    told = stage.button(at_the_bottom(stage))
    assert stage.child("statusBar").rect().contains(told.geometry())
    wear(stage, "")
    assert at_the_bottom(stage) == ""


def test_a_look_of_the_start_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = with_values(Config(), {"effects.look": "privacy"})
    monkeypatch.setattr("tests.ui.stage.Config", lambda: started)
    again = Stage(stage.qtbot, tmp_path / "window.ini")
    assert at_the_bottom(again) == "Faces covered: Pixelate"
    again.close()


@pytest.mark.parametrize("opened", [False, True])
def test_a_click_leads_to_what_covers(stage: Stage, opened: bool) -> None:
    stage.run()
    stage.window.commands["page.effects"].setChecked(opened)
    if opened:
        next(f for f in stage.window.findChildren(QLineEdit) if f.accessibleName() == "Search effects").setText(
            "lipstick"
        )
    wear(stage, "pixelate")
    stage.click("Faces covered: Pixelate")
    row = stage.window.findChild(EffectRow, "pixelate")
    stage.qtbot.waitUntil(lambda: stage.window.focusWidget() is row.findChild(Switch))
    stage.qtbot.waitUntil(lambda: is_in_view(stage, "pixelate"))
    stage.press(Qt.Key_Space)
    stage.qtbot.waitUntil(lambda: stage.session.config.effects.look == "")


def test_the_page_shows_what_could_cover(stage: Stage) -> None:
    stage.run()
    stage.window.commands["page.effects"].setChecked(True)
    stage.click("Show")
    stage.qtbot.waitUntil(lambda: is_in_view(stage, "black_bar"))


def test_effects_of_no_preset_are_not_called_none(stage: Stage) -> None:
    stage.run()
    stage.window.commands["page.effects"].setChecked(True)
    (box,) = (b for b in stage.window.findChildren(QComboBox) if b.accessibleName().startswith("Preset"))
    assert box.currentText() == "None"
    wear(stage, "blur")
    assert (box.currentText(), box.placeholderText()) == ("", "Own mix")
    assert "changed" not in stage.texts()
    box.setCurrentIndex(0)
    box.activated.emit(0)
    stage.qtbot.waitUntil(lambda: stage.session.config.effects.look == "")
    assert box.currentText() == "None"
