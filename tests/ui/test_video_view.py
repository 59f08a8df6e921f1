"""The stage shows the frame as it is: colours, proportions, every size, and the last one greyed."""

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from streamer.types import Frame, FrameResult
from tests.ui.fakes import make_face, make_result, near, pixels
from ui import theme
from ui.overlay import Landmarks, OverlayOptions
from ui.video_view import VideoView

BARE = OverlayOptions(boxes=False, landmarks=Landmarks.OFF, pose=False)


@pytest.fixture
def view(qtbot: QtBot) -> VideoView:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    return view


def test_an_empty_stage_is_dark(view: VideoView) -> None:
    assert near(pixels(view), theme.STAGE.getRgb()[:3], 0).all()


def test_colours_are_those_of_the_frame(view: VideoView) -> None:
    view.show_result(make_result((250, 40, 10)))
    assert near(pixels(view), (10, 40, 250), 1)[60:420].all()


def test_the_picture_is_letterboxed(view: VideoView) -> None:
    view.show_result(make_result((200, 200, 200)))
    light = near(pixels(view), (200, 200, 200), 1)
    assert light[60:420].all()
    assert not light[:60].any()
    assert not light[420:].any()


def test_a_photograph_is_shown_the_right_way_round(view: VideoView, astronaut: np.ndarray) -> None:
    view.resize(512, 512)
    view.show_result(FrameResult(Frame(astronaut, 0, 0.0, 0.0, "photo"), ()))
    np.testing.assert_array_equal(pixels(view), astronaut[:, :, ::-1])


@pytest.mark.parametrize("size", [(1, 1), (641, 359), (7, 900), (3000, 2), (1920, 1080)])
def test_every_frame_size_is_shown(view: VideoView, size: tuple[int, int]) -> None:
    view.show_result(make_result((0, 0, 255), size))
    assert near(pixels(view), (255, 0, 0), 1)[240, 320]


def test_a_dimmed_picture_is_darker_and_carries_no_overlay(view: VideoView) -> None:
    view.show_result(make_result((200, 200, 200), faces=(make_face(),)))
    assert near(pixels(view), theme.track_color(1).getRgb()[:3]).any()
    view.dim()
    image = pixels(view)[60:420]
    assert image.max() < 120
    assert np.ptp(image.reshape(-1, 3), axis=0).max() == 0
    view.show_result(make_result((200, 200, 200)))
    assert near(pixels(view), (200, 200, 200), 1)[240, 320]


def test_overlays_never_touch_the_frame(view: VideoView) -> None:
    result = make_result(faces=(make_face(),))
    before = result.frame.image.copy()
    view.show_result(result)
    pixels(view)
    np.testing.assert_array_equal(result.frame.image, before)


def test_overlay_choice_is_obeyed(view: VideoView) -> None:
    view.show_result(make_result((60, 60, 60), faces=(make_face(),)))
    view.set_options(BARE)
    assert near(pixels(view), (60, 60, 60), 0)[60:420].all()


def test_the_look_of_the_overlay_on_a_photograph(view: VideoView, astronaut: np.ndarray, tmp_path: Path) -> None:
    """The face of the portrait carries the track's colour, the rest of the picture stays as it was."""
    view.resize(512, 512)
    face = make_face((222, 118), 150)
    view.show_result(FrameResult(Frame(astronaut, 0, 0.0, 0.0, "photo"), (face,)))
    changed = (pixels(view) != astronaut[:, :, ::-1]).any(axis=2)
    assert changed[40:200, 140:300].mean() > 0.05
    assert not changed[300:].any()
