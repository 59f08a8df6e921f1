"""Pitch, yaw and roll of one face: a dial, a figure and a trace of the last seconds for each.

Painted by us: a plotting library's scene (pyqtgraph) held the GUI thread four times as long.
"""

from __future__ import annotations

from math import ceil, cos, radians, sin
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PyQt5.QtCore import QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from streamer.types import FloatArray, Pose
from ui import theme
from ui.faces.history import SECONDS

_DIAL = 12.0  # radius in logical pixels
_GAP = 8.0
_EDGE = 5.0  # logical pixels a trace keeps away from the next lane
_NARROWEST = 20.0  # logical pixels below which a trace says nothing
_FRACTION = 4  # bits of a pixel OpenCV is given
_SCALES = (15, 30, 60, 90, 180)  # degrees a trace may reach to both sides; the smallest that holds it is taken
FADED: Final = 0.4
"""Opacity of what is no longer so; the row says it in words."""

_NAMES = ("pitch", "yaw", "roll")
_REST = (0.0, -90.0, -90.0)
"""Where a dial's needle is at 0°, in degrees clockwise from the right: pitch is seen from the side, yaw from above and
roll from the front."""


class PoseLanes(QWidget):
    """Shows how a head is turned, and how it has turned."""

    def __init__(self) -> None:
        super().__init__()
        self._pose = Pose(0.0, 0.0, 0.0)
        self._table: FloatArray | None = None
        self._faded = False
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)

    def show_pose(self, pose: Pose, table: FloatArray) -> None:
        """Show a pose.

        Args:
            pose: in degrees.
            table: of ``PoseHistory``.
        """
        self._pose, self._table, self._faded = pose, table, False
        self.setAccessibleName(", ".join(f"{n} {describe_angle(v)}" for n, v in zip(_NAMES, self._values, strict=True)))
        self.update()

    def fade(self) -> None:
        """Show that this is how it was."""
        self._faded = True
        self.update()

    @property
    def _values(self) -> tuple[float, float, float]:
        return self._pose.pitch, self._pose.yaw, self._pose.roll

    def sizeHint(self) -> QSize:
        """Three lanes, each as high as a dial or two lines of text."""
        return QSize(220, round(3 * self._lane_height()))

    def minimumSizeHint(self) -> QSize:
        """Narrower, with shorter traces."""
        left, right = self._beside()
        return QSize(ceil(left + _NARROWEST + right), self.sizeHint().height())

    def _beside(self) -> tuple[float, float]:
        """The room for a dial, its name and its figure left of a trace, and for the scale right of it."""
        name, value, scale = (
            self.fontMetrics().horizontalAdvance(text) for text in ("pitch", "\N{MINUS SIGN}180°", "±180°")
        )
        return 2 * _DIAL + 3 * _GAP + name + value, scale + _GAP / 2

    def _lane_height(self) -> float:
        return max(2 * _DIAL + 8, self.fontMetrics().height() + 10.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lanes, one below the other: the lines as one picture, the words over it."""
        colors, height, left = theme.current(), self._lane_height(), 2 * _DIAL + _GAP
        before, after = self._beside()
        strip = before, self.width() - after
        scales = self._scales()
        lines = self._draw_lines(strip, scales)
        painter = QPainter(self)
        painter.setOpacity(FADED if self._faded else 1.0)
        painter.drawImage(0, 0, lines)
        painter.setOpacity(1.0)  # what is written stays easy to read
        for number in range(3):
            lane = QRectF(left, number * height, self.width() - left, height)
            painter.setPen(colors.muted)
            painter.drawText(lane, int(Qt.AlignVCenter | Qt.AlignLeft), _NAMES[number])
            painter.drawText(lane, int(Qt.AlignVCenter | Qt.AlignRight), f"±{scales[number]}°")
            painter.setPen(colors.muted if self._faded else colors.text)
            lane.setWidth(before - _GAP - left)
            painter.drawText(lane, int(Qt.AlignVCenter | Qt.AlignRight), describe_angle(self._values[number]))
        painter.end()

    def _scales(self) -> list[int]:
        """The angle at the edges of each trace, in degrees."""
        largest = [0.0] * 3 if self._table is None or not len(self._table) else abs(self._table[:, 1:]).max(axis=0)
        return [next((scale for scale in _SCALES if angle <= scale), _SCALES[-1]) for angle in largest]

    def _draw_lines(self, strip: tuple[float, float], scales: list[int]) -> QImage:
        """Dials and traces.

        Args:
            strip: where the traces begin and end, in logical pixels.
            scales: of ``_scales``.
        """
        ratio, height = self.devicePixelRatioF(), self._lane_height()
        canvas = _Canvas(self.width(), 3 * height, ratio)
        for number, value in enumerate(self._values):
            middle = (number + 0.5) * height
            canvas.draw_dial(middle, _REST[number] + (-value if number == 0 else value))
            if self._table is not None and strip[1] - strip[0] >= _NARROWEST:
                xs = strip[1] + self._table[:, 0] * ((strip[1] - strip[0]) / SECONDS)
                ys = middle - self._table[:, number + 1] * ((height / 2 - _EDGE) / scales[number])
                canvas.draw_line([(strip[0], middle), (strip[1], middle)], theme.current().line)
                canvas.draw_line(np.stack((xs, ys), axis=1), theme.current().accent)
        return canvas.image()


class _Canvas:
    """What OpenCV draws on: a smooth line of 300 points takes it a twentieth of the time it takes Qt (0.06 ms)."""

    def __init__(self, width: float, height: float, ratio: float) -> None:
        """Begin with an empty card.

        Args:
            width: in logical pixels, as all that is drawn.
            height: likewise.
            ratio: device pixels per logical pixel.
        """
        self._ratio, self._thick = ratio, max(1, round(ratio))
        self._pixels = np.empty((max(1, round(height * ratio)), max(1, round(width * ratio)), 4), np.uint8)
        self._pixels[:] = _bgra(theme.current().raised)

    def draw_dial(self, middle: float, degrees: float) -> None:
        """A circle at the left edge around ``middle``, with a needle that points clockwise from the right."""
        centre, colors = np.array((_DIAL + 1, middle)), theme.current()
        radius, place = round(_DIAL * self._ratio * 2**_FRACTION), self._fixed(centre).tolist()
        cv2.circle(self._pixels, place, radius, _bgra(colors.line), self._thick, cv2.LINE_AA, _FRACTION)
        tip = centre + (_DIAL - 2) * np.array((cos(radians(degrees)), sin(radians(degrees))))
        self.draw_line([centre, tip], colors.text, 2)

    def draw_line(self, points: ArrayLike, color: QColor, width: int = 1) -> None:
        """A line through points ``(n, 2)``."""
        fixed = [self._fixed(np.asarray(points))]
        cv2.polylines(self._pixels, fixed, False, _bgra(color), width * self._thick, cv2.LINE_AA, _FRACTION)

    def image(self) -> QImage:
        """What has been drawn."""
        height, width = self._pixels.shape[:2]
        image = QImage(self._pixels.tobytes(), width, height, 4 * width, QImage.Format_RGB32).copy()
        image.setDevicePixelRatio(self._ratio)
        return image

    def _fixed(self, points: NDArray[Any]) -> NDArray[np.int32]:
        """Device pixels as OpenCV takes them with ``shift=_FRACTION``."""
        fixed: NDArray[np.int32] = np.round(points * (self._ratio * 2**_FRACTION)).astype(np.int32)
        return fixed


def _bgra(color: QColor) -> tuple[int, int, int, int]:
    return color.blue(), color.green(), color.red(), 255


def describe_angle(degrees: float) -> str:
    """An angle as people write it.

    >>> describe_angle(-3.4)
    '−3°'
    """
    return f"{round(degrees):+d}°".replace("-", "\N{MINUS SIGN}")
