"""The Effects page: every effect and setting there is, applied live, in steps that can be taken back; presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import (
    QApplication,
    QColorDialog,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QSlider,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from streamer.config import Config
from streamer.effects.base import Effect, Phase
from streamer.effects.listing import summary
from streamer.effects.presets import parse_effects, save_preset, user_folder
from streamer.effects.registry import all_effects
from streamer.settings import describe_section, with_values
from tests.ui.fakes import make_face, make_result
from tests.ui.stage import Stage
from ui.controls import Fold, Swatch, Switch
from ui.effects.group import Group
from ui.effects.row import EffectRow
from ui.pages.effects import GROUPS
from ui.settings_form import Row


@pytest.fixture(autouse=True)
def own_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's presets; there are none."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return user_folder()


@pytest.fixture
def page(stage: Stage) -> Stage:
    """A window that runs, with the page open and every group unfolded."""
    stage.run()
    open_page(stage)
    return stage


def open_page(stage: Stage) -> None:
    stage.window.commands["page.effects"].setChecked(True)
    for group in stage.window.findChildren(Group):
        group.unfold()


def row(stage: Stage, name: str) -> EffectRow:
    found = stage.window.findChild(EffectRow, name)
    assert found is not None
    return found


def control(stage: Stage, name: str, kind: type[Any]) -> Any:
    return row(stage, name).findChild(kind)


def setting(stage: Stage, key: str) -> Row:
    """A setting other than the strength, unfolded."""
    effect = row(stage, key.partition(".")[0])
    effect.findChild(Fold).setChecked(True)
    found = effect.findChild(Row, key)
    assert found is not None
    stage.look()  # what has just been unfolded finds its place
    return found


def look(stage: Stage) -> str:
    """What applies to the running camera."""
    return stage.camera.configs[-1].effects.look if stage.camera.configs else stage.session.config.effects.look


def effects(stage: Stage) -> dict[str, Effect]:
    return {effect.name(): effect for effect in parse_effects(look(stage)) if effect.strength > 0}


def becomes(stage: Stage, text: str) -> None:
    stage.qtbot.waitUntil(lambda: look(stage) == text)


def flip(stage: Stage, name: str) -> None:
    """Switch an effect by a click."""
    stage.qtbot.mouseClick(control(stage, name, Switch), Qt.LeftButton)


def command(stage: Stage, name: str) -> None:
    stage.window.commands[name].trigger()


def presets(stage: Stage) -> QComboBox:
    (box,) = (b for b in stage.window.findChildren(QComboBox) if b.accessibleName().startswith("Preset"))
    return box


def choose(stage: Stage, preset: str) -> None:
    """Choose a preset as a person does: the list tells of what is activated."""
    index = presets(stage).findData(preset)
    assert index >= 0
    presets(stage).setCurrentIndex(index)
    presets(stage).activated.emit(index)


def complaint(stage: Stage) -> str:
    """The sentence at the presets."""
    return next((label.text() for label in stage.window.findChildren(QLabel, "bannerText") if label.isVisible()), "")


# ---- every effect and every setting --------------------------------------------------------------------------------


def test_every_effect_is_there_under_its_kind_with_all_its_settings(page: Stage) -> None:
    assert set(GROUPS) == set(Phase)
    found = {effect.name(): group for group in page.window.findChildren(Group) for effect in group.effects}
    assert set(found) == set(all_effects())
    for name, effect in all_effects().items():
        assert found[name].findChild(Fold).text() == GROUPS[effect.phase]
        switch = control(page, name, Switch)
        assert switch.text() == effect.title
        assert switch.accessibleDescription() == summary(effect)
        others = [s for s in describe_section(name, effect) if s.name != "strength"]
        row(page, name).findChildren(Fold)[0].setChecked(True)
        assert [r.setting.key for r in row(page, name).findChildren(Row)] == [s.key for s in others]
        assert summary(effect) in [label.text() for label in row(page, name).findChildren(QLabel)]


def test_a_switch_puts_an_effect_on_and_its_slider_fits_it(page: Stage) -> None:
    assert control(page, "tone", QSlider).value() == 0
    flip(page, "tone")
    becomes(page, f"tone={all_effects()['tone']().strength:g}")
    assert control(page, "tone", QDoubleSpinBox).value() == all_effects()["tone"]().strength
    flip(page, "tone")
    becomes(page, "")
    assert control(page, "tone", QSlider).value() == 0


def test_a_slider_at_zero_is_off_and_switched_on_again_is_seen(page: Stage) -> None:
    slider = control(page, "tone", QSlider)
    slider.setValue(10)
    becomes(page, "tone=0.5")
    assert control(page, "tone", Switch).isChecked()
    slider.setValue(0)
    becomes(page, "")
    assert not control(page, "tone", Switch).isChecked()
    flip(page, "tone")
    becomes(page, f"tone={all_effects()['tone']().strength:g}")


def test_an_effect_comes_back_as_it_was_switched_off(page: Stage) -> None:
    control(page, "lipstick", QSlider).setValue(4)
    becomes(page, "lipstick=0.2")
    flip(page, "lipstick")
    becomes(page, "")
    flip(page, "lipstick")
    becomes(page, "lipstick=0.2")


def test_a_dragged_slider_is_sent_at_once_and_at_a_pace_and_at_the_end(page: Stage) -> None:
    slider = control(page, "tone", QSlider)
    slider.setSliderDown(True)
    for position in range(1, 18):
        slider.setValue(position)
    assert look(page) == "tone=0.05"  # the first at once
    slider.setSliderDown(False)
    becomes(page, "tone=0.85")  # the last always
    assert len(page.camera.configs) < 6
    assert len(page.cameras) == 1


def test_a_drag_is_one_step_back(page: Stage) -> None:
    tone = control(page, "tone", QSlider)
    for positions in (range(1, 9), range(9, 15)):
        tone.sliderPressed.emit()
        for position in positions:
            tone.setValue(position)
    flip(page, "lipstick")
    becomes(page, f"tone=0.7, lipstick={all_effects()['lipstick']().strength:g}")
    for text in ("tone=0.7", "tone=0.4", ""):
        page.press(Qt.Key_Z, Qt.ControlModifier)
        becomes(page, text)
    assert not page.window.commands["look.undo"].isEnabled()
    assert tone.value() == 0
    page.press(Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)
    page.press(Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)
    becomes(page, "tone=0.7")
    assert tone.value() == 14
    flip(page, "pixelate")
    assert not page.window.commands["look.redo"].isEnabled()


def test_a_colour_is_picked_typed_and_refused(page: Stage) -> None:
    flip(page, "lipstick")
    colour = setting(page, "lipstick.colour")
    page.qtbot.mouseClick(colour.findChild(Swatch), Qt.LeftButton)
    page.qtbot.waitUntil(lambda: page.window.findChild(QColorDialog) is not None)
    dialog = page.window.findChild(QColorDialog)
    dialog.setCurrentColor(Qt.blue)
    page.qtbot.waitUntil(lambda: effects(page)["lipstick"].colour == "#0000ff")  # seen while the dialog is open
    dialog.accept()
    page.qtbot.waitUntil(lambda: page.window.findChild(QColorDialog) is None)
    line = colour.findChild(QLineEdit)
    for typed, meant in (("red", "#ff0000"), ("00ff80", "#00ff80")):
        line.setText(typed)
        line.editingFinished.emit()
        page.qtbot.waitUntil(lambda: effects(page)["lipstick"].colour == meant)  # noqa: B023
    line.setText("reddish")
    line.editingFinished.emit()
    assert "a colour such as" in " ".join(label.text() for label in colour.findChildren(QLabel) if label.isVisible())
    assert effects(page)["lipstick"].colour == "#00ff80"


def test_a_colour_dialog_that_is_cancelled_leaves_the_colour(page: Stage) -> None:
    flip(page, "lipstick")
    before = look(page)
    page.qtbot.mouseClick(setting(page, "lipstick.colour").findChild(Swatch), Qt.LeftButton)
    dialog = page.window.findChild(QColorDialog)
    dialog.setCurrentColor(Qt.blue)
    page.qtbot.waitUntil(lambda: effects(page)["lipstick"].colour == "#0000ff")
    dialog.reject()
    becomes(page, before)


def test_a_setting_of_an_effect_that_is_off_switches_it_on(page: Stage) -> None:
    box = setting(page, "lipstick.finish").findChild(QComboBox)
    box.setCurrentText("gloss")
    box.activated[str].emit("gloss")
    page.qtbot.waitUntil(lambda: "lipstick" in effects(page))
    assert effects(page)["lipstick"].finish == "gloss"


def test_a_file_that_is_no_sticker_is_told_at_its_field_and_the_look_stays(page: Stage, tmp_path: Path) -> None:
    flip(page, "sticker")
    before = look(page)
    field = setting(page, "sticker.file")
    line = field.findChild(QLineEdit)
    line.setText(str(tmp_path / "none.png"))
    line.editingFinished.emit()
    assert "cannot read" in " ".join(label.text() for label in field.findChildren(QLabel) if label.isVisible())
    assert look(page) == before


def test_reset_is_back_to_the_preset(page: Stage) -> None:
    save_preset("mine", parse_effects("tone=0.5"))
    page.click("Reload")
    choose(page, "mine")
    becomes(page, "mine")
    control(page, "tone", QSlider).setValue(20)
    becomes(page, "mine, tone=1")
    page.qtbot.mouseClick(page.button("Reset"), Qt.LeftButton)
    becomes(page, "mine")
    flip(page, "lipstick")
    page.qtbot.mouseClick(page.button("Reset"), Qt.LeftButton)
    becomes(page, "mine")


def test_a_search_shows_what_is_called_that_wherever_it_is_folded(stage: Stage) -> None:
    stage.run()
    stage.window.commands["page.effects"].setChecked(True)
    assert stage.window.findChild(EffectRow, "lipstick") is None
    (field,) = (f for f in stage.window.findChildren(QLineEdit) if f.accessibleName() == "Search effects")
    field.setText("lipstick")
    assert row(stage, "lipstick").isVisible()
    assert not row(stage, "tone").isVisible()
    folds = {fold.text(): fold for fold in stage.window.findChildren(Fold) if fold.text()}
    assert folds["Make-up"].isChecked()  # its arrow tells so
    stage.qtbot.mouseClick(folds["Make-up"], Qt.LeftButton)
    assert not row(stage, "lipstick").isVisible()
    field.setText("no such thing")
    assert "No effect is called that." in stage.texts()
    field.clear()
    assert not folds["Make-up"].isChecked()
    assert not row(stage, "lipstick").isVisible()
    assert row(stage, "tone").isVisible()


def search_field(stage: Stage) -> QLineEdit:
    return next(f for f in stage.window.findChildren(QLineEdit) if f.accessibleName() == "Search effects")


@pytest.mark.parametrize(
    ("word", "name"),
    [("color", "lipstick"), ("whitening", "tone"), ("beauty", "skin"), ("lips", "mouth"), ("mustache", "moustache"),
     ("eyebrow", "brow_tint"), ("anonym", "blur"), ("makeup", "blush"), ("sunglasses", "glasses"), ("cat", "ears")],
)  # fmt: skip
def test_a_search_knows_other_words_for_it(page: Stage, word: str, name: str) -> None:
    search_field(page).setText(word)
    assert row(page, name).isVisible()
    assert not all(row(page, other).isVisible() for other in all_effects())


def listed(stage: Stage) -> list[str]:
    """The effects that are to be seen, from top to bottom."""
    rows = [found for found in stage.window.findChildren(EffectRow) if found.isVisible()]
    return [found.objectName() for found in sorted(rows, key=lambda each: each.mapTo(stage.window, QPoint()).y())]


@pytest.mark.parametrize(
    ("word", "first"),
    [("lipst", ["lipstick"]), ("lip", ["lipstick", "mouth"]), ("chin", ["chin"]), ("hat", ["hat"]),
     ("eye", ["eyes_sharp"]), ("eye shad", ["eye_shadow"]), ("whiten", ["teeth", "tone"])],
)  # fmt: skip
def test_what_is_called_so_comes_first(page: Stage, word: str, first: list[str]) -> None:
    before = listed(page)
    search_field(page).setText(word)
    page.qtbot.waitUntil(lambda: listed(page)[: len(first)] == first)  # layouts take a moment
    assert word != "lipst" or listed(page) == first
    search_field(page).clear()
    page.qtbot.waitUntil(lambda: listed(page) == before)


def test_escape_empties_the_search(page: Stage) -> None:
    field = search_field(page)
    page.qtbot.keyClicks(field, "lipstick")
    page.qtbot.keyClick(field, Qt.Key_Escape)
    assert field.text() == ""
    assert row(page, "tone").isVisible()


def test_nothing_moves_when_the_first_effect_hides_the_overlays(page: Stage) -> None:
    switch = control(page, "tone", Switch)
    before = switch.mapTo(page.window, QPoint())
    flip(page, "tone")
    page.qtbot.waitUntil(lambda: any("Overlays are hidden" in text for text in page.texts()))
    page.look()
    assert switch.mapTo(page.window, QPoint()) == before


def test_a_face_swap_says_that_it_needs_two_faces(page: Stage) -> None:
    def told() -> bool:
        return any("needs 2 faces" in text for text in page.texts())

    assert not told()
    flip(page, "face_swap")
    page.qtbot.waitUntil(told)
    page.camera.show(make_result(faces=(make_face(), make_face((500, 180), track_id=2)), index=1))
    page.qtbot.waitUntil(lambda: not told())
    page.camera.show(make_result(faces=(make_face(),), index=2))
    page.qtbot.waitUntil(told)


# ---- looks that come from elsewhere --------------------------------------------------------------------------------


def test_a_look_of_the_start_is_shown_and_its_group_is_unfolded(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = with_values(Config(), {"effects.look": "lipstick=0.3"})
    monkeypatch.setattr("tests.ui.stage.Config", lambda: started)
    stage = Stage(qtbot, tmp_path / "window.ini")
    stage.window.commands["page.effects"].setChecked(True)
    assert control(stage, "lipstick", Switch).isChecked()
    assert control(stage, "lipstick", Switch).isVisible()
    assert control(stage, "lipstick", QDoubleSpinBox).value() == 0.3
    assert any("Overlays are hidden" in text for text in stage.texts())
    stage.close()


def test_what_others_set_is_shown_and_can_be_taken_back(page: Stage) -> None:
    page.session.configure(with_values(page.session.config, {"effects.look": "tone=0.5"}))
    assert control(page, "tone", QSlider).value() == 10
    page.session.configure(Config())  # as "Reset all" does
    assert control(page, "tone", QSlider).value() == 0
    page.press(Qt.Key_Z, Qt.ControlModifier)
    becomes(page, "tone=0.5")


def test_the_look_is_copied_with_the_other_settings(page: Stage) -> None:
    flip(page, "tone")
    command(page, "settings.copy")
    assert f"look: {look(page)}" in QApplication.clipboard().text()
    QApplication.clipboard().clear()


def test_the_button_compares_for_as_long_as_it_is_held(page: Stage) -> None:
    (hold,) = (b for b in page.window.findChildren(QToolButton) if b.text() == "Hold: before")
    page.qtbot.mousePress(hold, Qt.LeftButton)
    assert page.view.compare.before
    page.qtbot.mouseRelease(hold, Qt.LeftButton)
    assert not page.view.compare.before
    hold.setFocus()
    page.qtbot.keyPress(hold, Qt.Key_Space)
    assert page.view.compare.before
    page.qtbot.keyRelease(hold, Qt.Key_Space)
    assert not page.view.compare.before
