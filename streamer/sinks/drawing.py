"""Draws faces into pixels, for recordings and saved pictures; the window paints its own overlays instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from streamer.landmarks.topology import CONTOURS, NOSE_TIP
from streamer.types import Face, FloatArray, Image, Pose

PALETTE: Final = (
    (233, 180, 86),
    (0, 159, 230),
    (115, 158, 0),
    (66, 228, 240),
    (167, 121, 204),
    (178, 114, 0),
    (0, 94, 213),
)
"""BGR colours by track id: Okabe and Ito's set, which people with any colour vision can tell apart."""

_AXES: Final = ((60, 60, 230), (90, 200, 90), (240, 170, 60))  # BGR of image-right, up, nose
_FRACTION_BITS: Final = 4  # OpenCV draws at 1/16 pixel: without it steady points would jump by whole pixels
_INK: Final = (24, 24, 24)


def face_colour(face: Face) -> tuple[int, int, int]:
    """BGR colour of a face's track; a still's faces share the first one."""
    return PALETTE[(face.track_id or 0) % len(PALETTE)]


def annotate(image: Image, faces: Sequence[Face]) -> Image:
    """Copy an image and draw every face's box, label, contours, 106 points and pose axes on the copy.

    Args:
        image: BGR ``(H, W, 3)``; left as it is.
        faces: faces in pixels of this image.

    Returns:
        BGR ``(H, W, 3)``.
    """
    canvas = image.copy()
    for face in faces:
        scale = _scale(face)
        colour = face_colour(face)
        _draw_box(canvas, face.box, colour, scale)
        _draw_landmarks(canvas, face.landmarks, colour, scale)
        _draw_axes(canvas, face, scale)
        _draw_label(canvas, face, colour, scale)
    return canvas


def pose_axes(pose: Pose) -> FloatArray:
    """Where the head's own axes point in the image.

    Args:
        pose: degrees, signs as :class:`streamer.types.Pose` states.

    Returns:
        ``(3, 2)`` unit-length or foreshortened x, y of the head's image-right, up and nose directions.
    """
    pitch, yaw, roll = np.radians((pose.pitch, pose.yaw, pose.roll))
    turned = np.array(  # yaw after pitch, depth dropped: rows are right, up, nose
        [
            (np.cos(yaw), 0.0),
            (-np.sin(pitch) * np.sin(yaw), -np.cos(pitch)),
            (np.sin(yaw) * np.cos(pitch), -np.sin(pitch)),
        ]
    )
    upright = np.array([(np.cos(roll), np.sin(roll)), (-np.sin(roll), np.cos(roll))])
    return np.asarray(turned @ upright, np.float32)


def _scale(face: Face) -> float:
    """Line scale: 1 on a face 200 px wide, never hair-thin nor clumsy."""
    x1, y1, x2, y2 = face.box
    return float(np.clip(np.hypot(x2 - x1, y2 - y1) / 280.0, 0.5, 3.0))


def _fixed(points: FloatArray) -> np.ndarray:
    return np.round(points * (1 << _FRACTION_BITS)).astype(np.int32)


def _draw_box(canvas: Image, box: FloatArray, colour: tuple[int, int, int], scale: float) -> None:
    """A thin frame with strong corners: shows the box without hiding the picture."""
    x1, y1, x2, y2 = (float(v) for v in box)
    thin, thick = max(1, round(scale)), max(2, round(2.5 * scale))
    frame = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    cv2.polylines(canvas, [_fixed(frame)], True, colour, thin, cv2.LINE_AA, _FRACTION_BITS)
    arm = 0.18 * min(x2 - x1, y2 - y1)
    corners = [
        np.array([[x, y + arm * sy], [x, y], [x + arm * sx, y]], np.float32)
        for x, y, sx, sy in ((x1, y1, 1, 1), (x2, y1, -1, 1), (x2, y2, -1, -1), (x1, y2, 1, -1))
    ]
    cv2.polylines(canvas, [_fixed(c) for c in corners], False, colour, thick, cv2.LINE_AA, _FRACTION_BITS)


def _draw_landmarks(canvas: Image, points: FloatArray, colour: tuple[int, int, int], scale: float) -> None:
    fixed = _fixed(points)
    for indices, closed in CONTOURS:
        cv2.polylines(canvas, [fixed[indices]], closed, colour, 1, cv2.LINE_AA, _FRACTION_BITS)
    radius = round(1.2 * scale * (1 << _FRACTION_BITS))
    for x, y in fixed.tolist():
        cv2.circle(canvas, (x, y), radius, (255, 255, 255), -1, cv2.LINE_AA, _FRACTION_BITS)


def _draw_axes(canvas: Image, face: Face, scale: float) -> None:
    origin = face.landmarks[NOSE_TIP]
    length = 0.35 * float(face.box[2] - face.box[0])
    start = tuple(_fixed(origin).tolist())
    for direction, colour in zip(pose_axes(face.pose), _AXES, strict=True):
        end = tuple(_fixed(origin + direction * length).tolist())
        cv2.line(canvas, start, end, colour, max(2, round(2 * scale)), cv2.LINE_AA, _FRACTION_BITS)


def _draw_label(canvas: Image, face: Face, colour: tuple[int, int, int], scale: float) -> None:
    """Name and id on a chip above the box, moved inside where the picture ends."""
    words = [] if face.track_id is None else [f"#{face.track_id}"]
    text = " ".join([*words, face.identity or ""]).strip() or f"{face.score:.2f}"
    size, weight = max(0.4, 0.55 * scale), max(1, round(1.2 * scale))
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, weight)
    pad = max(2, round(4 * scale))
    chip_width, chip_height = width + 2 * pad, height + below + pad
    left = int(np.clip(face.box[0], 0, max(0, canvas.shape[1] - chip_width)))
    top = int(np.clip(face.box[1] - chip_height - pad, 0, max(0, canvas.shape[0] - chip_height)))
    cv2.rectangle(canvas, (left, top), (left + chip_width, top + chip_height), colour, -1, cv2.LINE_AA)
    place = (left + pad, top + pad // 2 + height)
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, _INK, weight, cv2.LINE_AA)
