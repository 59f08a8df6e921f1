"""Where the picture lies: fit, fill, 1:1, zoom about a point, pan, mirror."""

import numpy as np
import pytest
from PyQt5.QtCore import QPointF, QRectF, QSizeF

from ui.stage.view import mirrored
from ui.stage.viewport import Fit, Viewport

FRAME, STAGE = QSizeF(1280, 720), QSizeF(640, 640)


def test_fit_keeps_the_shape_and_centres() -> None:
    placement = Viewport().place(FRAME, STAGE)
    assert (placement.scale, placement.area) == (0.5, QRectF(0, 140, 640, 360))
    tall = Viewport().place(QSizeF(480, 854), QSizeF(1280, 640))
    assert tall.area.height() == pytest.approx(640)
    assert tall.area.center().x() == pytest.approx(640, abs=1)


def test_fill_leaves_no_margin() -> None:
    area = Viewport(Fit.FILL).place(FRAME, STAGE).area
    assert area.contains(QRectF(0, 0, 640, 640))
    assert area.height() == pytest.approx(640)
    assert area.center().x() == pytest.approx(320, abs=1)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_one_to_one_is_one_device_pixel_per_pixel_on_whole_ones(ratio: float) -> None:
    placement = Viewport(Fit.ACTUAL).place(FRAME, QSizeF(641, 533), ratio)
    assert placement.scale * ratio == pytest.approx(1)
    assert placement.area.left() * ratio == pytest.approx(round(placement.area.left() * ratio))


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("mirror", [False, True])
def test_zoom_keeps_what_is_under_the_pointer(fit: Fit, mirror: bool) -> None:
    viewport, pointer = Viewport(fit, mirrored=mirror), QPointF(200, 300)
    before = viewport.place(FRAME, STAGE).area
    for _ in range(6):
        viewport = viewport.zoomed(1.25, pointer, FRAME, STAGE)
    after = viewport.place(FRAME, STAGE).area
    assert after.width() == pytest.approx(before.width() * 1.25**6)
    assert (200 - after.x()) / after.width() == pytest.approx((200 - before.x()) / before.width(), abs=2e-3)


def test_zoom_has_an_end_in_both_directions() -> None:
    viewport = Viewport()
    for _ in range(99):
        viewport = viewport.zoomed(1.25, QPointF(320, 320), FRAME, STAGE)
    assert viewport.place(FRAME, STAGE).scale == pytest.approx(32)
    for _ in range(99):
        viewport = viewport.zoomed(0.8, QPointF(320, 320), FRAME, STAGE)
    assert viewport.place(FRAME, STAGE).area == Viewport().place(FRAME, STAGE).area


def test_pan_moves_the_picture_and_stops_at_its_edge() -> None:
    viewport = Viewport(Fit.ACTUAL)
    before = viewport.place(FRAME, STAGE).area
    moved = viewport.panned(QPointF(30, -20), FRAME, STAGE)
    assert moved.place(FRAME, STAGE).area.topLeft() == before.topLeft() + QPointF(30, -20)
    far = viewport.panned(QPointF(9999, 9999), FRAME, STAGE).place(FRAME, STAGE).area
    assert far.topLeft() == QPointF(0, 0)
    assert Viewport().panned(QPointF(50, 50), FRAME, STAGE) == Viewport()


def test_points_and_boxes_are_mirrored_with_the_picture() -> None:
    placement = Viewport(mirrored=True).place(FRAME, QSizeF(1280, 720))
    (first, last) = placement.to_stage(np.float32([[0, 0], [1279, 719]]))
    assert (*first, last[0]) == (1279.5, 0.5, 0.5)
    assert placement.to_rect(np.float32([0, 0, 100, 50])) == QRectF(1179.5, 0.5, 100, 50)
    assert placement.direction(1.0, 0.5) == (-1.0, 0.5)


def test_mirroring_keeps_the_middle_in_the_middle() -> None:
    viewport = Viewport(Fit.ACTUAL).panned(QPointF(100, 0), FRAME, STAGE)
    other = mirrored(viewport, True)
    assert other.x == pytest.approx(1 - viewport.x)
    assert mirrored(other, False) == viewport
    assert mirrored(viewport, False) is viewport
