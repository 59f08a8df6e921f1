"""The Faces page: a row a face, in a steady order, chosen from either side; idle while it cannot be seen."""

from dataclasses import replace
from math import cos, radians, sin

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QRect, Qt
from PyQt5.QtWidgets import QLabel, QScrollArea, QSplitter, QWidget

from streamer.types import Face, Pose
from tests.ui.fakes import make_face, make_result, pixels
from tests.ui.stage import Stage
from ui.faces.crop import upright_crop
from ui.faces.history import SECONDS, PoseHistories, PoseHistory
from ui.faces.lanes import PoseLanes
from ui.faces.row import FaceRow
from ui.pages.faces import FacesPage


def follow(stage: Stage, *faces: Face, index: int = 0, segment: int = 0) -> None:
    """Show a frame and wait until the page has taken it."""
    result = make_result(faces=faces, index=index)
    result = replace(result, frame=replace(result.frame, segment=segment))
    stage.camera.show(result)
    stage.qtbot.waitUntil(lambda: stage.session.result is result)


def open_page(stage: Stage) -> None:
    stage.start()
    stage.press(Qt.Key_2, Qt.AltModifier)


def rows(stage: Stage) -> list[FaceRow]:
    """The rows from top to bottom."""
    found = [row for row in stage.window.findChildren(FaceRow) if not row.isHidden()]
    return sorted(found, key=lambda row: row.y())


def ids(stage: Stage) -> list[int | None]:
    return [row.track_id for row in rows(stage)]


def texts(row: FaceRow) -> list[str]:
    return [label.text() for label in row.findChildren(QLabel)]


LEFT, RIGHT = (160.0, 180.0), (480.0, 180.0)


def test_a_row_tells_what_is_known_of_a_face(stage: Stage) -> None:
    open_page(stage)
    follow(stage, replace(make_face(track_id=7, pose=Pose(-12.4, 3.0, 25.0)), score=0.93, presence=0.88, age=75.25))
    stage.qtbot.waitUntil(lambda: ids(stage) == [7])
    (row,) = rows(stage)
    assert {"#7", "1:15", "0.93", "0.88"} <= set(texts(row))
    assert row.accessibleName() == "#7, pitch −12°, yaw +25°, roll +3°"


def test_rows_keep_their_order_whatever_the_order_of_the_faces(stage: Stage) -> None:
    open_page(stage)
    one, two, three = make_face(LEFT, track_id=1), make_face(track_id=2), make_face(RIGHT, track_id=3)
    follow(stage, two, one, index=0)
    stage.qtbot.waitUntil(lambda: ids(stage) == [2, 1])
    follow(stage, one, three, two, index=1)
    stage.qtbot.waitUntil(lambda: ids(stage) == [2, 1, 3])
    follow(stage, one, index=2)
    stage.qtbot.waitUntil(lambda: "gone" in texts(rows(stage)[0]))
    assert ids(stage) == [2, 1, 3]


def test_a_face_that_stays_away_loses_its_row(stage: Stage) -> None:
    open_page(stage)
    follow(stage, make_face(LEFT, track_id=1), make_face(RIGHT, track_id=2))
    stage.qtbot.waitUntil(lambda: ids(stage) == [1, 2])
    follow(stage, make_face(LEFT, track_id=1), index=70)  # 2.3 s later
    stage.qtbot.waitUntil(lambda: ids(stage) == [1])
    follow(stage, index=140)
    stage.qtbot.waitUntil(lambda: "There is no face in the picture." in stage.texts())


def test_a_jump_begins_anew(stage: Stage) -> None:
    open_page(stage)
    follow(stage, make_face(track_id=1), index=0)
    stage.qtbot.waitUntil(lambda: ids(stage) == [1])
    follow(stage, make_face(track_id=2), index=1, segment=1)
    stage.qtbot.waitUntil(lambda: ids(stage) == [2])


def test_a_click_in_the_picture_chooses_the_row_and_brings_it_into_view(stage: Stage) -> None:
    open_page(stage)
    faces = [make_face((60 + 90 * n, 180.0), 60, track_id=n) for n in range(1, 7)]
    follow(stage, *faces)
    stage.qtbot.waitUntil(lambda: len(rows(stage)) == 6)
    stage.look()
    last = rows(stage)[-1]
    stage.qtbot.waitUntil(lambda: last.visibleRegion().isEmpty())
    scene = stage.view.scene()
    place = scene.placement.to_rect(faces[-1].box).center().toPoint()
    stage.qtbot.mouseClick(stage.view, Qt.LeftButton, pos=place)
    assert [row.track_id for row in rows(stage) if row.isChecked()] == [6]
    stage.qtbot.waitUntil(lambda: not last.visibleRegion().isEmpty())


def test_a_click_on_a_row_chooses_the_face_and_another_click_lets_it_go(stage: Stage) -> None:
    open_page(stage)
    follow(stage, make_face(LEFT, track_id=1), make_face(RIGHT, track_id=2))
    stage.qtbot.waitUntil(lambda: len(rows(stage)) == 2)
    one, two = rows(stage)
    stage.qtbot.mouseClick(two, Qt.LeftButton)
    assert stage.view.scene().chosen == 2
    stage.qtbot.mouseClick(one, Qt.LeftButton)
    assert stage.view.scene().chosen == 1
    assert not two.isChecked()
    stage.qtbot.keyClick(one, Qt.Key_Space)
    assert stage.view.scene().chosen is None


def test_a_row_scrolled_into_view_is_of_the_newest_frame(stage: Stage) -> None:
    open_page(stage)
    faces = [make_face((60 + 90 * n, 180.0), 60, track_id=n) for n in range(1, 7)]
    follow(stage, *faces, index=0)
    stage.qtbot.waitUntil(lambda: all(not row.blank for row in rows(stage)))
    stage.look()
    last = rows(stage)[-1]
    stage.qtbot.waitUntil(lambda: last.visibleRegion().isEmpty())
    follow(stage, *faces[:5], replace(faces[5], score=0.11), index=1)  # the last one: the file is paused
    stage.window._selection.choose(6)
    stage.qtbot.waitUntil(lambda: "0.11" in texts(last))


def test_faces_of_a_still_picture_have_rows_too(stage: Stage) -> None:
    open_page(stage)
    follow(stage, make_face(LEFT, track_id=None), make_face(RIGHT, track_id=None))
    stage.qtbot.waitUntil(lambda: ids(stage) == [None, None])
    stage.qtbot.mouseClick(rows(stage)[0], Qt.LeftButton)
    assert stage.view.scene().chosen is None


def test_a_page_opened_over_a_paused_file_shows_its_faces(stage: Stage) -> None:
    stage.run(make_face(track_id=4))
    stage.press(Qt.Key_2, Qt.AltModifier)
    stage.qtbot.waitUntil(lambda: ids(stage) == [4])


def test_a_page_that_cannot_be_seen_does_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    open_page(stage)
    follow(stage, make_face(track_id=1))
    stage.qtbot.waitUntil(lambda: ids(stage) == [1])
    page = stage.window.findChild(FacesPage)
    assert page is not None
    taken: list[object] = []
    monkeypatch.setattr(FaceRow, "show_face", lambda self, *arguments, **named: taken.append(arguments))
    for hide in ((Qt.Key_I, Qt.ControlModifier), (Qt.Key_1, Qt.AltModifier), (Qt.Key_3, Qt.AltModifier)):
        stage.press(*hide)
        taken.clear()
        for index in range(1, 6):
            follow(stage, make_face(track_id=1), index=index)
        assert not taken


def test_a_trace_goes_on_while_the_page_cannot_be_seen(stage: Stage) -> None:
    stage.run()
    follow(stage, make_face(track_id=1, pose=Pose(0, 0, 20)), index=1)
    follow(stage, make_face(track_id=1, pose=Pose(0, 0, 10)), index=31)
    stage.press(Qt.Key_2, Qt.AltModifier)
    stage.qtbot.waitUntil(lambda: bool(rows(stage)) and not rows(stage)[0].blank)
    table = rows(stage)[0].findChild(PoseLanes)._table
    assert table is not None
    assert table[-2:, :3].tolist() == [[-1, 0, 20], [0, 0, 10]]


def test_histories_begin_anew_after_a_jump_and_forget_who_stays_away() -> None:
    histories = PoseHistories()
    for index in (30, 31):
        histories.take(make_result(faces=(make_face(track_id=1),), index=index))
    assert len(histories.table(1)) == 2
    histories.take(make_result(faces=(make_face(track_id=1),), index=5))
    assert len(histories.table(1)) == 1
    histories.take(make_result(index=100))
    with pytest.raises(KeyError):
        histories.table(1)


def test_no_row_is_painted_more_than_its_share(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    open_page(stage)
    shown: list[object] = []
    show_face = FaceRow.show_face
    monkeypatch.setattr(FaceRow, "show_face", lambda *a, **n: (shown.append(a), show_face(*a, **n)))
    for index in range(30):
        follow(stage, make_face(track_id=1), index=index)
    stage.qtbot.waitUntil(lambda: shown[-1][1].frame.index == 29)  # the newest is never left out
    assert len(shown) < 20


@pytest.mark.parametrize("degrees", [0, 40, -110, 180])
def test_the_crop_is_upright_whatever_the_roll(degrees: int) -> None:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    turn = np.array(((c, s), (-s, c)), np.float32)
    middle = np.float32((320, 180))
    face = make_face()
    landmarks = ((face.landmarks - middle) @ turn + middle).astype(np.float32)
    image = np.zeros((360, 640, 3), np.uint8)
    for point, color in ((landmarks[74], (255, 0, 0)), (landmarks[83], (0, 255, 0)), (landmarks[90], (0, 0, 255))):
        x, y = point.round().astype(int)
        image[y - 3 : y + 4, x - 3 : x + 4] = color
    crop = pixels(upright_crop(image, replace(face, landmarks=landmarks), 104))
    spots = [np.argwhere(crop[..., channel] > 128).mean(axis=0) for channel in (2, 1, 0)]
    left, right, mouth = spots  # rows and columns of the image-left eye, the image-right one and the mouth
    assert abs(left[0] - right[0]) < 3
    assert left[1] < 52 < right[1]
    assert mouth[0] > left[0] + 15
    mirrored = pixels(upright_crop(image, replace(face, landmarks=landmarks), 104, mirrored=True))
    assert np.abs(mirrored[:, ::-1].astype(int) - crop).mean() < 2


def test_a_crop_beyond_the_edge_is_black_there() -> None:
    image = np.full((360, 640, 3), 200, np.uint8)
    crop = pixels(upright_crop(image, make_face((0.0, 0.0), 120), 104))
    assert (crop[:40, :40] == 0).all()
    assert (crop[70:, 70:] == 200).all()


def test_a_history_reaches_ten_seconds_back() -> None:
    history = PoseHistory()
    for number in range(600):
        history.add(number / 30, Pose(number, 2.0, 3.0))
    table = history.table()
    assert table[0, 0] == pytest.approx(-SECONDS, abs=0.05)
    assert table[-1].tolist() == [0, 599, 3, 2]  # time, pitch, yaw, roll


def test_dials_and_traces_move_with_the_head(stage: Stage) -> None:
    lanes = PoseLanes()
    stage.qtbot.addWidget(lanes)
    lanes.resize(250, lanes.sizeHint().height())

    def trace(yaw: float) -> np.ndarray:
        history = PoseHistory()
        for number in range(300):
            history.add(number / 30, Pose(0, 0, yaw))
        lanes.show_pose(Pose(0, 0, yaw), history.table())
        lane = pixels(lanes)[lanes.height() // 3 : 2 * lanes.height() // 3].astype(int)
        blue = lane[..., 2] - lane[..., 0] > 40  # as the accent is, and nothing else in a lane
        return float(np.argwhere(blue)[:, 0].mean())

    assert trace(-10) > trace(0) > trace(10)


def test_the_page_scrolls_and_nothing_is_cut_off_in_a_row(stage: Stage) -> None:
    open_page(stage)
    follow(stage, *(make_face((60 + 90 * n, 180.0), 60, track_id=n) for n in range(1, 7)))
    stage.qtbot.waitUntil(lambda: len(rows(stage)) == 6)
    stage.look()
    area = rows(stage)[0].parentWidget().parentWidget().parentWidget()
    assert isinstance(area, QScrollArea)
    stage.qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    row = rows(stage)[0]
    assert row.height() >= row.sizeHint().height()
    for label in row.findChildren(QLabel):
        assert label.height() >= label.sizeHint().height()
        assert label.width() >= label.sizeHint().width()


def test_nothing_is_cut_off_in_the_narrowest_inspector(stage: Stage) -> None:
    open_page(stage)
    follow(stage, replace(make_face(LEFT, track_id=1), age=3599.0, identity="a name that is longer than the row"))
    stage.qtbot.waitUntil(lambda: ids(stage) == [1])
    stage.window.resize(1024, 640)
    (splitter,) = (s for s in stage.window.findChildren(QSplitter) if s.count() > 1)
    splitter.setSizes([10_000 if splitter.widget(n).isAncestorOf(stage.view) else 0 for n in range(splitter.count())])
    (row,) = rows(stage)
    page = stage.window.findChild(FacesPage)
    stage.qtbot.waitUntil(lambda: not row.blank and page.width() == page.parentWidget().width() < 300)
    assert page.rect().contains(row.geometry())
    for child in (child for child in row.findChildren(QWidget) if child.width()):
        assert row.rect().contains(QRect(child.mapTo(row, QPoint()), child.size()))
