"""The colours can be read."""

import pytest
from PyQt5.QtGui import QColor

from ui import theme


@pytest.mark.parametrize("text", [theme.TEXT, theme.MUTED, theme.ACCENT, theme.GOOD, theme.WARNING, theme.BAD])
@pytest.mark.parametrize("surface", [theme.STAGE, theme.SURFACE, theme.RAISED])
def test_text_contrasts_with_every_surface(text: QColor, surface: QColor) -> None:
    assert theme.contrast(text, surface) >= 4.5


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
