"""The overlay goes where the face is, in the colour of its track, and nowhere else."""

import numpy as np
import pytest
from PyQt5.QtCore import QRectF
from PyQt5.QtGui import QImage, QPainter

from streamer.types import Face, Pose
from tests.ui.fakes import make_face, near, pixels
from ui import theme
from ui.overlay import Landmarks, OverlayOptions, fit, head_axes, paint_faces

pytestmark = pytest.mark.usefixtures("qapp")

WHOLE = QRectF(0, 0, 640, 360)
NOTHING = OverlayOptions(boxes=False, landmarks=Landmarks.OFF, pose=False)


def paint(options: OverlayOptions, *faces: Face, bounds: QRectF = WHOLE) -> np.ndarray:
    canvas = QImage(640, 360, QImage.Format_RGB32)
    canvas.fill(theme.STAGE)
    painter = QPainter(canvas)
    paint_faces(painter, faces, fit(640, 360, bounds), options)
    painter.end()
    return pixels(canvas)


def painted(image: np.ndarray) -> np.ndarray:
    return ~near(image, theme.STAGE.getRgb()[:3], 0)


def extent(mask: np.ndarray) -> list[int]:
    """x1, y1, x2, y2 of what is set."""
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return [columns[0], rows[0], columns[-1], rows[-1]]


def test_with_everything_off_nothing_is_painted() -> None:
    assert not painted(paint(NOTHING, make_face())).any()


@pytest.mark.parametrize("track_id", [1, 2, 5])
def test_the_box_lies_on_the_face_in_the_colour_of_its_track(track_id: int) -> None:
    face = make_face(track_id=track_id)
    image = paint(OverlayOptions(landmarks=Landmarks.OFF, pose=False), face)
    box = near(image, theme.track_color(track_id).getRgb()[:3], 40)
    box[:119] = False  # the tag with the id stands above
    assert extent(box) == pytest.approx(face.box.tolist(), abs=2)


@pytest.mark.parametrize("style", [Landmarks.POINTS, Landmarks.CONTOURS])
def test_landmarks_cover_the_face_and_follow_it(style: Landmarks) -> None:
    options = OverlayOptions(boxes=False, landmarks=style, pose=False)
    for center in ((200, 150), (420, 200)):
        face = make_face(center)
        expected = [*face.landmarks.min(axis=0), *face.landmarks.max(axis=0)]
        assert extent(painted(paint(options, face))) == pytest.approx(expected, abs=4)


def test_every_landmark_has_its_point() -> None:
    face = make_face(side=300)
    image = paint(OverlayOptions(boxes=False, landmarks=Landmarks.POINTS, pose=False), face)
    x, y = np.round(face.landmarks).astype(int).T
    assert near(image, theme.track_color(1).getRgb()[:3], 60)[y, x].all()


def test_the_overlay_scales_and_moves_with_the_picture_and_stays_in_it() -> None:
    bounds = QRectF(320, 0, 320, 360)  # half the size, in the middle of the right half
    image = paint(OverlayOptions(), make_face((0, 0)), bounds=bounds)
    x1, y1, x2, y2 = extent(painted(image))
    assert (x1, y1) == (320, 90)
    assert x2 < 640
    assert y2 < 270


def test_tags_of_a_face_at_the_edge_stay_in_the_picture() -> None:
    options = OverlayOptions(landmarks=Landmarks.OFF, pose=False)
    tag = near(paint(options, make_face((640, 60))), theme.track_color(1).getRgb()[:3])
    inside = near(paint(options, make_face((320, 180))), theme.track_color(1).getRgb()[:3])
    filled = lambda mask: int((mask.sum(axis=1) > 15).sum())  # noqa: E731 rows that belong to a filled tag
    assert filled(tag) >= filled(inside) - 6


@pytest.mark.parametrize(
    ("pose", "nose"),
    [
        (Pose(0, 0, 0), (0, 0)),
        (Pose(30, 0, 0), (0, -0.5)),
        (Pose(0, 0, 30), (0.5, 0)),
        (Pose(0, 0, -30), (-0.5, 0)),
        (Pose(30, 90, 0), (0.5, 0)),
    ],
)
def test_the_nose_points_where_the_head_looks(pose: Pose, nose: tuple[float, float]) -> None:
    assert head_axes(pose)[2] == pytest.approx(nose, abs=1e-6)


def test_roll_turns_the_head_clockwise() -> None:
    side, up, _ = head_axes(Pose(0, 90, 0))
    assert side == pytest.approx((0, 1), abs=1e-6)
    assert up == pytest.approx((1, 0), abs=1e-6)


def test_fit_keeps_the_shape_and_centres() -> None:
    wide = fit(1280, 720, QRectF(0, 0, 640, 640))
    assert (wide.scale, wide.area) == (0.5, QRectF(0, 140, 640, 360))
    tall = fit(480, 854, QRectF(0, 0, 1280, 640))
    assert tall.area.height() == 640
    assert tall.area.center().x() == pytest.approx(640, abs=1)


def test_the_key_walks_through_all_landmark_styles() -> None:
    assert [Landmarks.POINTS, Landmarks.POINTS.next, Landmarks.CONTOURS.next] == list(Landmarks)
    assert Landmarks.OFF.next is Landmarks.POINTS
