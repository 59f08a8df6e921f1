"""The stage: paints the newest frame and what was found in it. Commands nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.overlay import OverlayOptions, Placement, fit, paint_faces

if TYPE_CHECKING:
    from streamer.types import FrameResult, Image

_DIMMED = QColor(12, 14, 18, 170)


class VideoView(QWidget):
    """Shows one result at a time, as large as fits, on a dark stage."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: FrameResult | None = None
        self._options = OverlayOptions()
        self._dimmed = False
        self._scaled: _ScaledFrame | None = None
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(320, 180)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName("Picture")

    @property
    def options(self) -> OverlayOptions:
        """What is drawn over the picture."""
        return self._options

    def set_options(self, options: OverlayOptions) -> None:
        """Change what is drawn over the picture."""
        self._options = options
        self.update()

    def show_result(self, result: FrameResult) -> None:
        """Show a frame with its faces; it is kept until the next one."""
        self._result, self._dimmed, self._scaled = result, False, None
        self.update()

    def dim(self) -> None:
        """Grey the last frame: it is no longer live."""
        if not self._dimmed:
            self._dimmed = True
            self.update()

    def clear(self) -> None:
        """Show the empty stage."""
        self._result, self._scaled, self._dimmed = None, None, False
        self.update()

    def sizeHint(self) -> QSize:
        """A 16:9 stage."""
        return QSize(1280, 720)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the stage, the picture and the overlay."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.STAGE)
        if self._result is not None:
            height, width = self._result.frame.image.shape[:2]
            placement = fit(width, height, QRectF(self.rect()))
            painter.drawImage(placement.area.topLeft(), self._picture(self._result.frame.image, placement))
            if self._dimmed:
                painter.fillRect(placement.area, _DIMMED)
            else:
                paint_faces(painter, self._result.faces, placement, self._options)
        painter.end()

    def _picture(self, image: Image, placement: Placement) -> QImage:
        """The frame in device pixels; scaled once per frame and size, however often it is painted."""
        ratio = self.devicePixelRatioF()
        size = (round(placement.area.width() * ratio), round(placement.area.height() * ratio))
        if self._scaled is None or self._scaled.size != size:
            self._scaled = _ScaledFrame(image, size, ratio)
        return self._scaled.image


class _ScaledFrame:
    """A frame at its size on the screen.

    Attributes:
        size: width and height in device pixels.
        image: a view of the pixels; valid as long as this object, which holds them.
    """

    def __init__(self, frame: Image, size: tuple[int, int], ratio: float) -> None:
        # Qt scales 720p smoothly to a 1137x640 stage in 7-11 ms and paints BGR in 1 ms more; this takes 2 ms.
        # Imported here because it is heavy to load: when the first frame comes it is loaded anyway.
        import cv2

        self.size = size
        height, width = frame.shape[:2]
        fitted = frame if (width, height) == size else cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
        self._pixels = cv2.cvtColor(fitted, cv2.COLOR_BGR2BGRA)
        stride = self._pixels.strides[0]
        self.image: QImage = QImage(self._pixels.data, *size, stride, QImage.Format_RGB32)  # type: ignore[call-overload]  # takes buffers too
        self.image.setDevicePixelRatio(ratio)
