"""Presets on the Effects page: chosen, changed, saved, broken, read again, gone."""

# ruff: noqa: F811 (fixtures of another file)
from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QLineEdit, QMessageBox, QSlider

from streamer.effects.presets import parse_effects, save_preset
from streamer.effects.registry import all_effects
from tests.ui.stage import Stage
from tests.ui.test_effects_page import (  # noqa: F401
    becomes,
    choose,
    complaint,
    control,
    effects,
    flip,
    look,
    own_presets,
    page,
    presets,
)
from ui.controls import Switch
from ui.effects.name_dialog import NameDialog


def test_a_preset_is_chosen_changed_and_chosen_again(page: Stage) -> None:
    assert presets(page).currentData() == ""
    choose(page, "privacy")
    becomes(page, "privacy")
    assert "pixelate" in effects(page)
    assert presets(page).accessibleName() == "Preset"
    flip(page, "tone")
    assert presets(page).accessibleName() == "Preset, changed"
    assert "changed" in page.texts()
    choose(page, "privacy")
    becomes(page, "privacy")
    choose(page, "")
    becomes(page, "")


def name_preset(page: Stage, name: str) -> NameDialog:
    dialog = page.window.findChild(NameDialog)
    page.qtbot.keyClicks(dialog.findChild(QLineEdit), name)
    page.qtbot.keyClick(dialog.findChild(QLineEdit), Qt.Key_Return)
    return dialog


def test_effects_are_saved_as_ones_own_preset_and_deleted(page: Stage, own_presets: Path) -> None:
    flip(page, "tone")
    page.click("Save as…")
    name_preset(page, "evening")
    becomes(page, "evening")
    assert (own_presets / "evening.yaml").exists()
    assert presets(page).currentData() == "evening"
    page.click("Delete")
    page.window.findChild(QMessageBox).accept()
    becomes(page, f"tone={all_effects()['tone']().strength:g}")  # what is on stays on
    assert not (own_presets / "evening.yaml").exists()
    assert presets(page).findData("evening") < 0


def test_a_built_in_preset_can_neither_be_deleted_nor_replaced(page: Stage) -> None:
    choose(page, "privacy")
    assert not page.button("Delete").isEnabled()
    page.click("Save as…")
    dialog = name_preset(page, "privacy")
    page.qtbot.waitUntil(lambda: any("is taken" in label.text() for label in dialog.findChildren(QLabel)))
    assert dialog.findChild(QLineEdit).text() == "privacy"  # what was typed stays, and can be typed over
    name_preset(page, "evening")
    becomes(page, "evening")


def test_a_broken_preset_says_what_is_wrong_and_the_look_stays(page: Stage, own_presets: Path) -> None:
    flip(page, "tone")
    before = look(page)
    own_presets.mkdir(parents=True)
    (own_presets / "mine.yaml").write_text("effects: {tone: 7}\n")
    page.click("Reload")
    assert "tone.strength is 7" in complaint(page)
    choose(page, "mine")
    assert "tone.strength is 7" in complaint(page)
    assert look(page) == before
    assert presets(page).currentIndex() == -1, "the mix of no preset"
    (own_presets / "mine.yaml").write_text("effects: {tone: 0.7}\n")
    choose(page, "mine")
    becomes(page, "mine")
    assert not complaint(page)


def test_reload_takes_over_what_the_file_says_now(page: Stage, own_presets: Path) -> None:
    path = save_preset("mine", parse_effects("tone=0.5"))
    page.click("Reload")
    choose(page, "mine")
    flip(page, "pixelate")
    page.qtbot.waitUntil(lambda: "pixelate" in look(page))
    path.write_text("effects: {tone: 0.25}\n")
    page.click("Reload")
    page.qtbot.waitUntil(lambda: "mine" not in look(page))  # under the old text nobody would read the file again
    assert effects(page)["tone"].strength == 0.25
    assert "pixelate" in effects(page)
    path.write_text("nonsense")
    page.click("Reload")
    assert complaint(page)
    control(page, "tone", QSlider).setValue(20)  # and one can go on
    page.qtbot.waitUntil(lambda: effects(page)["tone"].strength == 1)


def test_reload_of_a_preset_that_is_gone_keeps_its_effects_and_says_so(page: Stage) -> None:
    path = save_preset("mine", parse_effects("tone=0.5"))
    page.click("Reload")
    choose(page, "mine")
    becomes(page, "mine")
    path.unlink()
    page.click("Reload")
    becomes(page, "tone=0.5")
    assert complaint(page) == "There is no preset mine any more; its effects stay as they are."
    assert presets(page).currentIndex() == -1, "the mix of no preset"


def test_a_step_back_to_a_preset_that_is_gone_is_told(page: Stage) -> None:
    path = save_preset("mine", parse_effects("tone=0.5"))
    page.click("Reload")
    choose(page, "mine")
    becomes(page, "mine")
    choose(page, "")
    becomes(page, "")
    path.unlink()
    page.press(Qt.Key_Z, Qt.ControlModifier)
    page.qtbot.waitUntil(lambda: any("no effect or preset 'mine'" in text for text in page.texts()))
    assert look(page) == ""
    assert not control(page, "tone", Switch).isChecked()
