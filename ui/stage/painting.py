"""What is drawn over the picture for each face: functions from values to painter calls.

Everything is painted in screen space, in logical pixels, so lines stay crisp at any zoom and pixel ratio; the
frame's own pixels are never touched. Uses no pixmaps, so that it runs on any thread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from ui import theme
from ui.stage import marks
from ui.stage.comparing import paint_compare, visible_area
from ui.stage.labels import Labels
from ui.stage.trails import Trail
from ui.stage.viewport import Placement

if TYPE_CHECKING:
    from streamer.types import Face, FrameResult, Pose
    from ui.stage.scene import Scene

_WHITE = QColor("white")
_ARROW = QColor("#f0e442")


def paint_overlays(painter: QPainter, scene: Scene, placement: Placement) -> None:
    """Paint everything the scene wants over its picture; the best face last, on top of the others."""
    visible = visible_area(placement, scene.size)
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setClipRect(visible.toAlignedRect())  # on whole pixels: any other clip makes all painting slower
    faces = scene.result.faces
    for face in reversed(faces):
        _paint_face(painter, face, scene, placement)
    labels = Labels(painter, visible, scene.ratio)
    paint_compare(painter, scene, placement, labels)
    if scene.overlays.timings:
        labels.corner(timing_lines(stage_times(scene.result)))
    for face in faces:
        box = placement.to_rect(face.box)
        if not box.intersects(visible):
            continue
        if scene.overlays.box:
            labels.name(face_name(face), box, theme.track_color(face.track_id))
        if scene.overlays.angles:
            labels.numbers(angles(face.pose), box)


def head_axes(pose: Pose) -> list[tuple[float, float]]:
    """Unit axes of a head in the image, seen from the camera.

    Args:
        pose: degrees; a positive pitch lifts the nose, a positive yaw turns it to image-right, a positive roll
            tilts the head clockwise.

    Returns:
        x, y with y down of three axes: towards the head's image-right side, up through its crown, out of its nose.
    """
    pitch, yaw, roll = math.radians(pose.pitch), math.radians(pose.yaw), math.radians(pose.roll)
    side = (math.cos(yaw), 0.0)
    up = (-math.sin(yaw) * math.sin(pitch), -math.cos(pitch))
    nose = (math.sin(yaw) * math.cos(pitch), -math.sin(pitch))
    cos, sin = math.cos(roll), math.sin(roll)
    return [(cos * x - sin * y, sin * x + cos * y) for x, y in (side, up, nose)]


def face_name(face: Face) -> str:
    """What a face is called on the stage."""
    return face.identity or ("face" if face.track_id is None else f"#{face.track_id}")


def angles(pose: Pose) -> str:
    """The pose in whole degrees, of constant width."""

    # U+2212 is as wide as the plus sign and U+2007 as a digit, so that the plate does not tremble with the sign.
    def degrees(value: float) -> str:
        return f"{round(value):+d}°".replace("-", "\N{MINUS SIGN}").ljust(4, "\N{FIGURE SPACE}")

    return f"pitch {degrees(pose.pitch)}  yaw {degrees(pose.yaw)}  roll {degrees(pose.roll)}".rstrip()


def timing_lines(stages: Mapping[str, float]) -> list[str]:
    """Milliseconds of each stage that ran in this frame, and their sum."""
    lines = [f"{name} {milliseconds:.1f} ms" for name, milliseconds in stages.items()]
    return [*lines, f"all {sum(stages.values()):.1f} ms"]


def stage_times(result: FrameResult) -> Mapping[str, float]:
    """Milliseconds of the analysis, and of the effects, which are carried out after it, once they have been."""
    ms = None if result.shown is None else result.shown.ms
    return result.stages if ms is None else {**result.stages, "effects": ms}


def _paint_face(painter: QPainter, face: Face, scene: Scene, placement: Placement) -> None:
    # The package brings the inference engine along; where there is a face, that is loaded already.
    from streamer.landmarks.topology import CONTOURS, NOSE_TIP

    overlays, ratio, color = scene.overlays, scene.ratio, theme.track_color(face.track_id)
    box = placement.to_rect(face.box)
    points = placement.to_stage(face.landmarks)
    mark = min(4, max(2, round(box.width() / 60)))
    if overlays.trail and face.track_id is not None and face.track_id in scene.trails:
        _paint_trail(painter, scene.trails[face.track_id], placement, color)
    if overlays.box:
        _paint_box(painter, box, color, chosen=face.track_id is not None and face.track_id == scene.chosen)
    if overlays.contours:
        marks.paint_lines(painter, marks.contours(points, CONTOURS), color)
    if overlays.raw:
        marks.paint_crosses(painter, placement.to_stage(face.raw_landmarks), _WHITE, mark + 1, ratio)
    if overlays.points:
        marks.paint_dots(painter, points, color, mark, ratio)
    if overlays.keypoints:
        marks.paint_rings(painter, placement.to_stage(face.keypoints), _WHITE, mark + 5, ratio)
    if overlays.indices:
        marks.paint_indices(painter, points, scene.font, ratio)
    nose = QPointF(*points[NOSE_TIP].tolist())
    if overlays.axes:
        _paint_axes(painter, nose, face.pose, 0.4 * box.width(), placement)
    if overlays.arrow:
        _paint_arrow(painter, nose, face.pose, box.width(), placement)


def _paint_box(painter: QPainter, box: QRectF, color: QColor, *, chosen: bool) -> None:
    """The box on whole pixels: crisp, and cheaper than a rounded one; a chosen one is thicker, with a white core."""
    frame = QRectF(box.toRect())
    width = 4 if chosen else 2
    painter.setRenderHint(QPainter.Antialiasing, False)
    _paint_frame(painter, frame.adjusted(-1, -1, 1, 1), width + 2, marks.HALO)
    _paint_frame(painter, frame, width, color)
    if chosen:
        _paint_frame(painter, frame.adjusted(1, 1, -1, -1), 1, _WHITE)
    painter.setRenderHint(QPainter.Antialiasing)


def _paint_frame(painter: QPainter, outer: QRectF, width: float, color: QColor) -> None:
    """Four bars inside the edge of a rectangle."""
    x, y, w, h = outer.x(), outer.y(), outer.width(), outer.height()
    for bar in (
        QRectF(x, y, w, width),
        QRectF(x, y + h - width, w, width),
        QRectF(x, y + width, width, h - 2 * width),
        QRectF(x + w - width, y + width, width, h - 2 * width),
    ):
        painter.fillRect(bar, color)


def _paint_axes(painter: QPainter, origin: QPointF, pose: Pose, length: float, placement: Placement) -> None:
    for axis, color in zip(head_axes(pose), theme.AXES, strict=True):
        dx, dy = placement.direction(*axis)
        _paint_stroke(painter, origin, QPointF(origin.x() + length * dx, origin.y() + length * dy), color)


def _paint_arrow(painter: QPainter, origin: QPointF, pose: Pose, length: float, placement: Placement) -> None:
    """An arrow from the nose to where the head looks; a dot when it looks into the camera."""
    dx, dy = placement.direction(*head_axes(pose)[2])
    reach = math.hypot(dx, dy)
    if reach * length < 6:
        painter.setPen(QPen(marks.HALO, 1.5))
        painter.setBrush(_ARROW)
        painter.drawEllipse(origin, 4, 4)
        return
    ux, uy = dx / reach, dy / reach
    tip = QPointF(origin.x() + length * dx, origin.y() + length * dy)
    head = min(14.0, 0.5 * reach * length)
    neck = QPointF(tip.x() - head * ux, tip.y() - head * uy)
    _paint_stroke(painter, origin, neck, _ARROW)
    wing = 0.5 * head
    painter.setPen(QPen(marks.HALO, 1.5))
    painter.setBrush(_ARROW)
    sides = (QPointF(neck.x() - wing * uy, neck.y() + wing * ux), QPointF(neck.x() + wing * uy, neck.y() - wing * ux))
    painter.drawPolygon(QPolygonF([tip, *sides]))


def _paint_stroke(painter: QPainter, start: QPointF, end: QPointF, color: QColor) -> None:
    for pen in (QPen(marks.HALO, 5), QPen(color, 2.5)):
        pen.setCapStyle(Qt.RoundCap)
        painter.setPen(pen)
        painter.drawLine(start, end)


def _paint_trail(painter: QPainter, trail: Trail, placement: Placement, color: QColor) -> None:
    """A line through where the face was; the older half is fainter."""
    points = placement.to_stage(np.array(trail, np.float32).reshape(-1, 2))
    half = len(points) // 2
    faint = QColor(color)
    faint.setAlpha(110)
    for part, ink in ((points[: half + 1], faint), (points[half:], color)):
        if len(part) > 1:
            path = QPainterPath()
            path.addPolygon(marks.polygon(part))
            marks.paint_lines(painter, path, ink)
