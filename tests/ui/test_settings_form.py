"""The settings form: every kind of setting can be changed, reset, and told wrong; a new key needs no form code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QLabel, QLineEdit, QMessageBox, QSlider, QWidget

from streamer.config import Config
from streamer.errors import ConfigError, WeightsError
from streamer.schema import Section, key
from streamer.settings import describe, get_value, with_values
from tests.ui.stage import Stage, settle
from ui import settings_form
from ui.controls import Switch
from ui.settings_form import Row, SettingsForm


@pytest.fixture
def opened(stage: Stage) -> Stage:
    """A running stage whose form pages have all been opened; the detector's is shown."""
    stage.window.resize(1280, 700)
    stage.run()
    for name in ("tracking", "settings", "detector"):
        stage.window.commands[f"page.{name}"].setChecked(True)
    return stage


def row(stage: Stage, name: str) -> Row:
    found = stage.window.findChild(Row, name)
    assert found is not None
    return found


def control(stage: Stage, name: str, kind: type[Any]) -> Any:
    return row(stage, name).findChild(kind)


def shown(stage: Stage, name: str) -> str:
    return " ".join(label.text() for label in row(stage, name).findChildren(QLabel) if not label.isHidden())


def applied(stage: Stage, name: str, value: object) -> bool:
    """Whether a value has reached the running camera."""
    return bool(stage.camera.configs) and get_value(stage.camera.configs[-1], name) == value


def test_every_setting_is_on_one_page_with_its_help_and_its_limits(opened: Stage) -> None:
    rows = {row.setting.key: row for row in opened.window.findChildren(Row)}
    assert len(rows) == len(opened.window.findChildren(Row))
    for setting in describe():
        text = shown(opened, setting.key)
        assert setting.title in text
        assert setting.help.split(";")[0].lower().split("null")[0].strip() in text.lower()
        if setting.kind in ("int", "float"):
            field = rows[setting.key].findChild(QDoubleSpinBox)
            assert setting.minimum is None or field.minimum() == pytest.approx(setting.minimum)
            assert setting.maximum is None or field.maximum() == pytest.approx(setting.maximum)
            assert field.suffix().strip() == setting.unit
        if setting.applies == "restart":
            assert "started again" in text


def test_a_dragged_slider_reaches_the_running_stream_once_it_rests(opened: Stage) -> None:
    slider = control(opened, "detector.min_face", QSlider)
    for position in range(20):
        slider.setValue(position)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.min_face", 77))
    assert len(opened.camera.configs) == 1
    assert control(opened, "detector.min_face", QDoubleSpinBox).value() == 77
    assert len(opened.cameras) == 1  # neither restarted nor a window dropped


def test_a_value_can_be_typed_finer_than_the_slider(opened: Stage) -> None:
    opened.window.commands["page.tracking"].setChecked(True)
    field = control(opened, "smoothing.strength", QDoubleSpinBox)
    field.setFocus()
    field.selectAll()
    opened.qtbot.keyClicks(field, "0.123")
    opened.qtbot.keyClick(field, Qt.Key_Return)
    opened.qtbot.waitUntil(lambda: applied(opened, "smoothing.strength", 0.123))


def test_keys_that_are_shortcuts_elsewhere_stay_in_the_field(opened: Stage) -> None:
    line = control(opened, "detector.structure", QLineEdit)
    line.setFocus()
    line.clear()
    opened.qtbot.keyClicks(line, "blp s")
    assert line.text() == "blp s"
    assert opened.view.overlays.box


def test_a_choice_a_switch_and_a_path_are_applied(opened: Stage, tmp_path: Path) -> None:
    box = control(opened, "detector.name", QComboBox)
    assert [box.itemText(i) for i in range(box.count())] == ["retinaface", "retinaface_resnet50", "mtcnn", "tinymog"]
    box.setFocus()
    opened.qtbot.keyClick(box, Qt.Key_Down)
    opened.qtbot.keyClick(box, Qt.Key_Down)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.name", "mtcnn"))
    opened.qtbot.mouseClick(control(opened, "detector.rotations", Switch), Qt.LeftButton)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.rotations", False))
    line = control(opened, "detector.weights", QLineEdit)
    line.setText(str(tmp_path / "w.pth"))
    opened.qtbot.keyClick(line, Qt.Key_Return)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.weights", tmp_path / "w.pth"))
    line.clear()
    opened.qtbot.keyClick(line, Qt.Key_Return)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.weights", None))


def test_automatic_can_be_left_and_come_back_to(opened: Stage) -> None:
    switch, field = control(opened, "detector.score", Switch), control(opened, "detector.score", QDoubleSpinBox)
    assert switch.isChecked()
    assert not field.isVisible()
    opened.qtbot.mouseClick(switch, Qt.LeftButton)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.score", 0.5))
    assert field.isVisible()
    opened.qtbot.mouseClick(switch, Qt.LeftButton)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.score", None))


def test_the_way_back_to_the_default_is_there_when_it_leads_somewhere(opened: Stage) -> None:
    button = row(opened, "detector.max_side").findChild(QWidget, "reset")
    assert not button.isVisible()
    control(opened, "detector.max_side", QDoubleSpinBox).setValue(320)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.max_side", 320))
    assert button.isVisible()
    assert "512 px" in button.toolTip()
    opened.qtbot.mouseClick(button, Qt.LeftButton)
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.max_side", 512))
    assert not button.isVisible()


def test_a_wrong_value_is_told_at_its_field_and_keeps_back_no_other(
    opened: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(config: Config, values: dict[str, Any]) -> Config:
        if "detector.weights" in values:
            raise ConfigError("there is no file w.pth; check the path")
        return with_values(config, values)

    monkeypatch.setattr(settings_form, "with_values", refuse)
    line = control(opened, "detector.weights", QLineEdit)
    line.setText("w.pth")
    opened.qtbot.keyClick(line, Qt.Key_Return)
    control(opened, "detector.min_face", QSlider).setValue(2)
    opened.qtbot.waitUntil(lambda: "There is no file w.pth; check the path" in shown(opened, "detector.weights"))
    opened.qtbot.waitUntil(lambda: applied(opened, "detector.min_face", 9))
    assert opened.session.config.detector.weights is None
    monkeypatch.setattr(settings_form, "with_values", with_values)
    opened.qtbot.mouseClick(row(opened, "detector.weights").findChild(QWidget, "reset"), Qt.LeftButton)
    opened.qtbot.waitUntil(lambda: "no file" not in shown(opened, "detector.weights"))


def test_a_password_is_never_shown(stage: Stage) -> None:
    stage.session.configure(with_values(Config(), {"source.password": "s3cret"}))
    stage.window.commands["page.settings"].setChecked(True)
    line = control(stage, "source.password", QLineEdit)
    assert line.echoMode() == QLineEdit.Password
    assert line.text() == ""
    assert "Set" in line.placeholderText()
    stage.window.commands["settings.copy"].trigger()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert "s3cret" not in clipboard.text()


def test_loading_moves_nothing_under_the_pointer(opened: Stage) -> None:
    form = opened.window.findChild(SettingsForm)
    assert form is not None
    before = form.geometry()
    opened.camera.become(loading="loading mtcnn")
    opened.qtbot.waitUntil(lambda: "Loading mtcnn…" in opened.texts())
    settle(opened.qtbot, opened.view)
    assert form.geometry() == before


def test_numbers_stand_below_each_other(opened: Stage) -> None:
    form = opened.window.findChild(SettingsForm)
    assert form is not None
    assert len({field.width() for field in form.findChildren(QDoubleSpinBox)}) == 1


def test_loading_is_shown_and_its_failure_while_the_old_detector_goes_on(opened: Stage) -> None:
    opened.camera.become(loading="loading mtcnn")
    opened.qtbot.waitUntil(lambda: "Loading mtcnn…" in opened.texts())
    failure = WeightsError("retinaface goes on, because tinymog cannot be loaded: give detector.weights")
    opened.camera.become(loading="", warnings=(failure,))
    opened.qtbot.waitUntil(lambda: any("Retinaface goes on" in text for text in opened.texts()))
    assert sum("goes on" in text for text in opened.texts()) == 1
    assert "Loading mtcnn…" not in opened.texts()


def test_what_is_waiting_is_applied_when_the_page_is_left(opened: Stage) -> None:
    control(opened, "detector.min_face", QSlider).setValue(3)
    opened.window.commands["page.view"].setChecked(True)
    assert applied(opened, "detector.min_face", 13)


def test_the_wheel_over_a_control_scrolls_the_page_and_changes_nothing(opened: Stage) -> None:
    field = control(opened, "detector.max_side", QDoubleSpinBox)
    opened.view.setFocus()
    here = QPointF(field.rect().center())
    event = QWheelEvent(
        here, QPointF(field.mapToGlobal(here.toPoint())), QPoint(), QPoint(0, -120), Qt.NoButton, Qt.NoModifier,
        Qt.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(field, event)
    assert field.value() == 512


def test_settings_are_copied_as_yaml(opened: Stage) -> None:
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.clear()
    opened.window.commands["settings.copy"].trigger()
    assert clipboard.text() == ""
    opened.session.configure(with_values(Config(), {"detector.score": 0.6, "smoothing.kind": "kalman"}))
    opened.window.commands["settings.copy"].trigger()
    assert yaml.safe_load(clipboard.text()) == {"detector": {"score": 0.6}, "smoothing": {"kind": "kalman"}}


def test_settings_are_saved_as_defaults_behind_the_window(
    opened: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    opened.session.configure(with_values(Config(), {"tracking.max_faces": 2}))
    opened.window.commands["settings.save"].trigger()
    file = tmp_path / "facestream" / "config.yaml"
    opened.qtbot.waitUntil(file.exists)
    opened.qtbot.waitUntil(lambda: any(str(file) in text for text in opened.texts()))
    assert yaml.safe_load(file.read_text()) == {"tracking": {"max_faces": 2}}


def test_a_folder_that_cannot_be_written_is_told(
    opened: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "facestream").write_text("in the way")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    opened.window.commands["settings.save"].trigger()
    opened.qtbot.waitUntil(lambda: any("config.yaml" in text or "facestream" in text for text in banner(opened)))


def banner(stage: Stage) -> list[str]:
    return [label.text() for label in stage.window.findChildren(QLabel, "bannerText") if label.isVisible()]


@pytest.mark.parametrize(("answer", "kept"), [("Reset all", 16), ("Cancel", 2)])
def test_all_settings_are_reset_after_a_question(opened: Stage, answer: str, kept: int) -> None:
    opened.session.configure(with_values(Config(), {"tracking.max_faces": 2}))
    opened.window.commands["settings.reset"].trigger()
    box = opened.window.findChild(QMessageBox)
    assert box is not None
    assert "1 changed setting " in box.text()
    button = next(button for button in box.buttons() if button.text() == answer)
    opened.qtbot.mouseClick(button, Qt.LeftButton)
    opened.qtbot.waitUntil(lambda: opened.window.findChild(QMessageBox) is None)
    assert opened.session.config.tracking.max_faces == kept
    assert control(opened, "tracking.max_faces", QDoubleSpinBox).value() == kept


class StickerConfig(Section):
    """What is put on faces."""

    kind: Literal["none", "hat", "glasses"] = key("none", "which sticker")
    size: float = key(1.0, "how large", gt=0, le=3, unit="faces", step=0.1)
    glow: bool = key(False, "shine")
    picture: Path | None = key(None, "your own sticker; null = none", applies="load")


class NextConfig(Config):
    """A configuration of another year."""

    stickers: StickerConfig = StickerConfig()


@pytest.fixture
def grown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The program of another year: its schema has grown, and nothing else."""
    monkeypatch.setattr("streamer.settings.Config", NextConfig)
    for user in ("ui.settings_form", "ui.pages.settings"):
        monkeypatch.setattr(f"{user}.describe", lambda: describe(NextConfig))
    stage.session.configure(NextConfig())
    stage.run()
    stage.window.commands["page.settings"].setChecked(True)
    return stage


def test_a_new_section_needs_no_form_code(grown: Stage) -> None:
    rows = [row for row in grown.window.findChildren(Row) if row.setting.section == "stickers"]
    assert [row.setting.name for row in rows] == ["kind", "size", "glow", "picture"]
    assert all(row.isVisibleTo(grown.window) for row in rows)
    assert {"Stickers", "What is put on faces.", "Size", "Your own sticker; empty = none."} <= set(grown.texts())
    control(grown, "stickers.size", QDoubleSpinBox).setValue(2.5)
    grown.qtbot.mouseClick(control(grown, "stickers.glow", Switch), Qt.LeftButton)
    grown.qtbot.waitUntil(lambda: applied(grown, "stickers.glow", True))
    assert applied(grown, "stickers.size", 2.5)
    assert applied(grown, "stickers.kind", "none")


def test_a_value_no_step_reaches_is_shown_as_it_is(stage: Stage) -> None:
    stage.session.configure(with_values(Config(), {"source.connect_timeout": 0.2}))
    stage.window.commands["page.settings"].setChecked(True)
    assert control(stage, "source.connect_timeout", QDoubleSpinBox).value() == pytest.approx(0.2)
    assert stage.session.config.source.connect_timeout == 0.2


def test_a_setting_changed_while_a_run_is_prepared_reaches_it(stage: Stage) -> None:
    stage.session.start()
    stage.session.configure(with_values(Config(), {"tracking.max_faces": 3}))
    stage.qtbot.waitUntil(lambda: bool(stage.cameras) and applied(stage, "tracking.max_faces", 3))
