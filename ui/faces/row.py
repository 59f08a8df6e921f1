"""One face of the Faces page: its picture, its figures and how its head is turned."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QImage, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QAbstractButton, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from streamer.types import Face, FloatArray, FrameResult, Image
from ui import theme
from ui.faces.crop import upright_crop
from ui.faces.lanes import FADED, PoseLanes
from ui.seek_bar import clock
from ui.widgets import ElidedLabel, make_label

_SIDE = 104  # logical pixels of the picture
_CORNER = 6.0
_STRIPE = 4  # of it in the track's colour
_WIDEST = "0:00:00"  # of the figures: the row is as wide before it shows any


class FaceRow(QAbstractButton):
    """Shows one face; checked while it is the chosen one.

    Attributes:
        track_id: ``None`` on a still picture.
        blank: whether it shows no picture of the face.
    """

    def __init__(self, track_id: int | None) -> None:
        super().__init__()
        self.track_id = track_id
        self.blank = True
        self.setCheckable(True)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)  # a button's own: never narrower than its hint
        self.setToolTip("Choose this face" if track_id is not None else "")
        self._title = f"#{track_id}" if track_id is not None else "Face"
        self._picture = _Picture(track_id)
        self._heading = ElidedLabel("heading", self._title)
        self._age, self._score, self._presence = make_label("value"), make_label("value"), make_label("value")
        self._lanes = PoseLanes()
        self._lay_out()

    def forget_picture(self) -> None:
        """Show no picture until there is another one."""
        self.blank = True
        self._picture.show_image(QImage())

    def show_picture(self, result: FrameResult, face: Face, *, mirrored: bool) -> None:
        """Show what a face looks like, unless that has still to be made."""
        if (picture := picture_at_hand(result)) is not None:
            self.blank = False
            side = round(_SIDE * self.devicePixelRatioF())
            self._picture.show_image(upright_crop(picture, face, side, mirrored=mirrored))

    def show_face(self, result: FrameResult, face: Face, table: FloatArray, *, mirrored: bool) -> None:
        """Show what is known of a face now, and its ``PoseHistory.table``."""
        self.show_picture(result, face, mirrored=mirrored)
        self._heading.setText(f"{self._title} {face.identity or ''}".rstrip())
        # Whole seconds: a label that changes ten times a second lays out the page as often.
        self._age.setText(clock(int(face.age), 0) if face.track_id is not None else "–")
        self._score.setText(f"{face.score:.2f}")
        self._presence.setText(f"{face.presence:.2f}")
        self._lanes.show_pose(face.pose, table)
        self.setAccessibleName(f"{self._heading.text()}, {self._lanes.accessibleName()}")

    def show_gone(self) -> None:
        """Say that the face has left; the last picture stays."""
        self._age.setText("gone")
        self._picture.fade()
        self._lanes.fade()

    def _lay_out(self) -> None:
        figures = QGridLayout()
        figures.setHorizontalSpacing(10)
        figures.setVerticalSpacing(2)
        figures.addWidget(self._heading, 0, 0, 1, 2)
        rows = (("age", self._age), ("score", self._score), ("presence", self._presence))
        for number, (caption, value) in enumerate(rows, 1):
            figures.addWidget(make_label("caption", caption), number, 0)
            figures.addWidget(value, number, 1)
            value.ensurePolished()
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance(_WIDEST))
        figures.setColumnStretch(1, 1)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._picture)
        top.addLayout(figures, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self._lanes)
        for label in self.findChildren(QLabel):
            label.setAttribute(Qt.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the card: with a border when it is chosen, and another one when it has the keyboard."""
        colors, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        marked = self.isChecked() or self.hasFocus()
        color = colors.text if self.hasFocus() else colors.accent if self.isChecked() else colors.line
        painter.setPen(QPen(color, 2 if marked else 1))
        painter.setBrush(colors.raised)
        edge = 1.0 if marked else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), _CORNER, _CORNER)
        painter.end()


def picture_at_hand(result: FrameResult) -> Image | None:
    """The frame as people see it, if it has been made: effects take longer than the window can wait."""
    return result.frame.image if result.shown is None else result.shown.ready


class _Picture(QWidget):
    """The face, with a stripe in its track's colour."""

    def __init__(self, track_id: int | None) -> None:
        super().__init__()
        self._color = theme.track_color(track_id)
        self._image = QImage()
        self._faded = False
        self.setFixedSize(_SIDE + _STRIPE, _SIDE)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)

    def show_image(self, image: QImage) -> None:
        """Show another picture."""
        self._image, self._faded = image, False
        self.update()

    def fade(self) -> None:
        """Show that this is how it was."""
        self._faded = True
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the stripe and the picture."""
        painter = QPainter(self)
        painter.fillRect(QRectF(0, 0, _STRIPE, _SIDE), self._color)
        painter.setOpacity(FADED if self._faded else 1.0)
        painter.drawImage(QRectF(_STRIPE, 0, _SIDE, _SIDE), self._image)
        painter.end()
