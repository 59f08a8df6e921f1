"""The colours can be read."""

import pytest
from PyQt5.QtGui import QColor
from pytestqt.qtbot import QtBot

from ui import theme
from ui.controls import ComboBox
from ui.stage.labels import PLATE, PLATE_TEXT


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize("text", ["text", "muted", "accent", "good", "warning", "bad"])
@pytest.mark.parametrize("surface", ["stage", "surface", "raised"])
def test_text_contrasts_with_every_surface(name: str, text: str, surface: str) -> None:
    colors = theme.THEMES[name]
    assert theme.contrast(getattr(colors, text), getattr(colors, surface)) >= 4.5


@pytest.mark.parametrize("name", theme.THEMES)
def test_text_contrasts_with_the_accent(name: str) -> None:
    colors = theme.THEMES[name]
    assert theme.contrast(colors.on_accent, colors.accent) >= 4.5


def test_numbers_contrast_with_their_plate_on_any_picture() -> None:
    for below in (QColor("black"), QColor("white")):
        part = PLATE.alphaF()
        seen = [
            part * plate + (1 - part) * under for plate, under in zip(PLATE.getRgbF(), below.getRgbF(), strict=True)
        ]
        assert theme.contrast(PLATE_TEXT, QColor.fromRgbF(*seen[:3])) >= 4.5


@pytest.mark.parametrize("color", theme.TRACKS)
def test_ids_contrast_with_their_tags(color: QColor) -> None:
    assert theme.contrast(theme.text_on(color), color) >= 4.5


def test_contrast_is_the_one_of_wcag() -> None:
    assert theme.contrast(QColor("black"), QColor("white")) == pytest.approx(21)
    assert theme.contrast(QColor("#777777"), QColor("white")) == pytest.approx(4.48, abs=0.01)


def test_tracks_take_their_colours_in_turn() -> None:
    colors = [theme.track_color(track_id).name() for track_id in range(1, len(theme.TRACKS) + 2)]
    assert len(set(colors)) == len(theme.TRACKS)
    assert colors[0] == colors[-1] == theme.track_color(None).name()


def test_a_list_opens_as_high_as_its_entries(qtbot: QtBot) -> None:
    box = ComboBox()
    box.addItems(["retinaface", "retinaface_resnet50", "mtcnn", "tinymog"])
    box.setStyleSheet(theme._style_sheet(theme.DARK))
    qtbot.addWidget(box)
    box.show()
    box.showPopup()
    entries, model = box.view(), box.model()
    assert entries is not None
    assert model is not None
    qtbot.waitUntil(entries.isVisible)
    last = entries.visualRect(model.index(3, 0))
    assert entries.rect().contains(last)
    assert last.height() >= 1.3 * box.fontMetrics().height()
    box.hidePopup()
