"""What is composed: the frame as it is, and every overlay where the face is, in the colour of its track."""

from dataclasses import fields, replace

import numpy as np
import pytest
from PyQt5.QtCore import QSizeF
from PyQt5.QtGui import QFont

from streamer.types import Face, FrameResult, Pose
from tests.ui.fakes import make_face, make_result, near, pixels
from ui import theme
from ui.stage import painting
from ui.stage.compose import compose
from ui.stage.labels import Labels
from ui.stage.overlays import Overlays
from ui.stage.painting import head_axes, timing_lines
from ui.stage.scene import Scene
from ui.stage.viewport import Fit, Viewport

pytestmark = pytest.mark.usefixtures("qapp")

NOTHING = Overlays(**{field.name: False for field in fields(Overlays)})
STAGE = theme.DARK.stage
GREY = (60, 60, 60)


def scene(overlays: Overlays, *faces: Face, result: FrameResult | None = None, **changes: object) -> Scene:
    result = result or make_result(GREY, faces=faces)
    plain = Scene(result, Viewport(), QSizeF(640, 360), 1.0, overlays, STAGE, QFont())
    return replace(plain, **changes)


def paint(overlays: Overlays, *faces: Face, **changes: object) -> np.ndarray:
    return pixels(compose(scene(overlays, *faces, **changes)))


def painted(image: np.ndarray) -> np.ndarray:
    return ~near(image, GREY, 0)


def extent(mask: np.ndarray) -> list[int]:
    """x1, y1, x2, y2 of what is set."""
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return [columns[0], rows[0], columns[-1], rows[-1]]


def gradient() -> FrameResult:
    """A frame whose every pixel is different."""
    rows, columns = np.mgrid[0:360, 0:640]
    image = np.stack([columns % 256, rows % 256, columns // 4], axis=2).astype(np.uint8)
    return replace(make_result(), frame=replace(make_result().frame, image=image))


# ---- the picture ---------------------------------------------------------------------------------------------------


def test_the_frame_is_shown_pixel_by_pixel_at_its_own_size() -> None:
    result = gradient()
    np.testing.assert_array_equal(paint(NOTHING, result=result), result.frame.image[:, :, ::-1])


def test_a_mirrored_frame_is_flipped_and_nothing_else() -> None:
    result = gradient()
    image = paint(NOTHING, result=result, viewport=Viewport(mirrored=True))
    np.testing.assert_array_equal(image, result.frame.image[:, ::-1, ::-1])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_one_to_one_shows_the_middle_of_a_large_frame_as_it_is(ratio: float, mirrored: bool) -> None:
    result = gradient()
    size = QSizeF(200 / ratio, 100 / ratio)
    viewport = Viewport(Fit.ACTUAL, mirrored=mirrored)
    image = pixels(compose(scene(NOTHING, result=result, size=size, ratio=ratio, viewport=viewport)))
    shown = result.frame.image[:, ::-1] if mirrored else result.frame.image
    np.testing.assert_array_equal(image, shown[130:230, 220:420, ::-1])


@pytest.mark.parametrize("size", [(1, 1), (641, 359), (7, 900), (3000, 2), (1920, 1080)])
@pytest.mark.parametrize("fit", list(Fit))
def test_every_frame_size_is_shown(size: tuple[int, int], fit: Fit) -> None:
    image = paint(NOTHING, result=make_result((0, 0, 255), size), viewport=Viewport(fit))
    assert near(image, (255, 0, 0), 1)[179:181, 319:321].any()


def test_margins_have_the_colour_of_the_stage() -> None:
    image = paint(NOTHING, size=QSizeF(640, 480))
    assert near(image[:60], STAGE.getRgb()[:3], 0).all()
    assert near(image[60:420], GREY, 0).all()
    assert near(image[420:], STAGE.getRgb()[:3], 0).all()


def test_a_lost_picture_is_grey_and_dark_and_carries_no_overlay(astronaut: np.ndarray) -> None:
    result = make_result(faces=(make_face(),))
    result = replace(result, frame=replace(result.frame, image=astronaut))
    image = paint(Overlays(), result=result, live=False, size=QSizeF(512, 512)).astype(int)
    assert np.ptp(image, axis=2).max() == 0
    assert image.mean() < 0.5 * astronaut.mean()
    assert image.std() > 15


def test_overlays_never_touch_the_frame() -> None:
    result = make_result(faces=(make_face(),))
    before = result.frame.image.copy()
    paint(Overlays(), result=result)
    np.testing.assert_array_equal(result.frame.image, before)


# ---- overlays ------------------------------------------------------------------------------------------------------


def test_with_everything_off_nothing_is_painted() -> None:
    assert not painted(paint(NOTHING, make_face())).any()


@pytest.mark.parametrize("name", [field.name for field in fields(Overlays)])
def test_every_overlay_paints_something_of_its_own_and_only_that(name: str) -> None:
    one = replace(NOTHING, **{name: True})
    face = make_face(pose=Pose(10.0, 5.0, 30.0))
    trails = {1: tuple((x, 100.0) for x in range(100, 300, 10))}
    result = replace(make_result(GREY, faces=(face,)), stages={"detect": 3.0})
    with_it = paint(one, result=result, trails=trails)
    assert painted(with_it).sum() > 20
    assert not painted(paint(NOTHING, result=result, trails=trails)).any()


@pytest.mark.parametrize("track_id", [1, 2, 5])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_box_lies_on_the_face_in_the_colour_of_its_track(track_id: int, mirrored: bool) -> None:
    face = make_face((200, 180), track_id=track_id)
    image = paint(replace(NOTHING, box=True), face, viewport=Viewport(mirrored=mirrored))
    box = near(image, theme.track_color(track_id).getRgb()[:3], 40)
    box[:118] = False  # the tag with the id stands above
    x1, y1, x2, y2 = face.box.tolist()
    assert extent(box) == pytest.approx([639 - x2, y1, 639 - x1, y2] if mirrored else [x1, y1, x2, y2], abs=2)


@pytest.mark.parametrize("style", ["points", "contours", "raw"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_landmarks_cover_the_face_and_follow_it(style: str, mirrored: bool) -> None:
    for center in ((200, 150), (420, 200)):
        face = make_face(center)
        (x1, y1), (x2, y2) = face.landmarks.min(axis=0), face.landmarks.max(axis=0)
        image = paint(replace(NOTHING, **{style: True}), face, viewport=Viewport(mirrored=mirrored))
        expected = [639 - x2, y1, 639 - x1, y2] if mirrored else [x1, y1, x2, y2]
        assert extent(painted(image)) == pytest.approx(expected, abs=5)


@pytest.mark.parametrize(("zoom", "ratio"), [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0)])
def test_every_landmark_has_its_point_in_the_middle_of_its_pixel(zoom: float, ratio: float) -> None:
    face = make_face(side=300 / zoom)
    image = paint(replace(NOTHING, points=True), face, viewport=Viewport(zoom=zoom), ratio=ratio)
    scale = zoom * ratio
    where = (face.landmarks + 0.5 - (320, 180)) * scale + np.array([320, 180]) * ratio
    x, y = np.floor(where).astype(int).T
    assert near(image, theme.track_color(1).getRgb()[:3], 60)[y, x].all()


def test_smoothed_and_raw_points_are_told_apart() -> None:
    face = make_face()
    raw = (face.landmarks + np.float32([8, 0])).astype(np.float32)
    image = paint(replace(NOTHING, points=True, raw=True), replace(face, raw_landmarks=raw))
    only_smooth = paint(replace(NOTHING, points=True), face)
    assert near(image, (255, 255, 255), 90).sum() > 100
    assert not near(only_smooth, (255, 255, 255), 90).any()


def test_the_overlay_moves_with_the_picture_and_stays_in_it() -> None:
    image = paint(Overlays(), make_face((0, 0)), size=QSizeF(320, 360))
    mask = ~near(image, GREY, 0) & ~near(image, STAGE.getRgb()[:3], 0)
    x1, y1, x2, y2 = extent(mask)
    assert (x1, y1) == (0, 90)
    assert x2 < 320
    assert y2 < 270


def test_tags_of_a_face_at_the_edge_stay_in_the_picture() -> None:
    def filled(image: np.ndarray) -> int:  # rows that belong to a filled tag
        return int((near(image, theme.track_color(1).getRgb()[:3]).sum(axis=1) > 15).sum())

    options = replace(NOTHING, box=True)
    assert filled(paint(options, make_face((640, 60)))) >= filled(paint(options, make_face((320, 180)))) - 6


def test_labels_of_faces_on_top_of_each_other_avoid_each_other() -> None:
    faces = [make_face((320 + 3 * i, 180 + 3 * i), 100, track_id=i + 1) for i in range(3)]
    image = paint(replace(NOTHING, box=True), *faces)
    tag_area = []
    for face in faces:
        color = near(image, theme.track_color(face.track_id).getRgb()[:3], 3)
        tag_area.append(int(color.sum()))
    alone = near(paint(replace(NOTHING, box=True), faces[0]), theme.track_color(1).getRgb()[:3], 3).sum()
    # Boxes cross each other, tags do not: each colour keeps nearly all of what one face alone shows.
    assert min(tag_area) > 0.7 * alone


def test_numbers_are_not_mirrored() -> None:
    face = make_face((320, 180))
    plain = paint(replace(NOTHING, angles=True), face)
    flipped = paint(replace(NOTHING, angles=True), face, viewport=Viewport(mirrored=True))
    (x1, y1, x2, y2), (u1, v1, u2, v2) = extent(painted(plain)), extent(painted(flipped))
    np.testing.assert_array_equal(plain[y1:y2, x1:x2], flipped[v1:v2, u1:u2])


def test_a_chosen_face_is_told_by_more_than_colour() -> None:
    face = make_face()
    plain = paint(replace(NOTHING, box=True), face)
    chosen = paint(replace(NOTHING, box=True), face, chosen=1)
    assert painted(chosen).sum() > 1.3 * painted(plain).sum()


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


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_arrow_points_where_the_head_looks_on_the_screen(mirrored: bool) -> None:
    face = make_face(pose=Pose(0.0, 0.0, 40.0))
    image = paint(replace(NOTHING, arrow=True), face, viewport=Viewport(mirrored=mirrored))
    x1, _, x2, _ = extent(painted(image))
    assert (x1 + x2 < 600) if mirrored else (x1 + x2 > 680)


def test_timings_name_every_stage_and_their_sum() -> None:
    assert timing_lines({"detect": 3.21, "track": 0.5}) == ["detect 3.2 ms", "track 0.5 ms", "all 3.7 ms"]


def test_the_look_on_a_photograph(astronaut: np.ndarray) -> None:
    """The face of the portrait carries the track's colour, the rest of the picture stays as it was."""
    result = make_result(faces=(make_face((222, 118), 150),))
    result = replace(result, frame=replace(result.frame, image=astronaut))
    changed = (paint(Overlays(), result=result, size=QSizeF(512, 512)) != astronaut[:, :, ::-1]).any(axis=2)
    assert changed[40:200, 140:300].mean() > 0.05
    assert not changed[300:].any()


def test_figures_of_a_crowd_avoid_each_other() -> None:
    labels_of: list[Labels] = []

    class Watched(Labels):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            labels_of.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painting, "Labels", Watched)
        faces = [make_face((250 + 35 * i, 180 + 6 * (i % 2)), 30, track_id=i + 1) for i in range(5)]
        paint(replace(NOTHING, box=True, angles=True), *faces)
    places = labels_of[0]._taken
    assert len(places) == 2 * len(faces)
    assert not [(a, b) for number, a in enumerate(places) for b in places[:number] if a.intersects(b)]
