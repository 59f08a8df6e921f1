"""The stage's widget: shows the newest composed picture, and turns wheel and mouse into a viewport and a choice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt5.QtCore import QEvent, QPoint, QPointF, QSize, QSizeF, Qt, pyqtSignal
from PyQt5.QtGui import QCloseEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PyQt5.QtWidgets import QApplication, QSizePolicy, QWidget

from ui import theme
from ui.stage.comparing import REACH, Compare, line_at, split_at
from ui.stage.compositor import Compositor
from ui.stage.overlays import Overlays
from ui.stage.scene import Scene, frame_size
from ui.stage.trails import Trails
from ui.stage.viewport import STEP, Fit, Viewport

if TYPE_CHECKING:
    from streamer.types import FrameResult

_NOTCH = 120  # eighths of a degree the wheel turns per notch


class VideoView(QWidget):
    """Shows one result at a time on the stage.

    Signals:
        face_clicked: id of the track that was clicked, or ``None`` beside every face.
        double_clicked: the picture was clicked twice.
    """

    face_clicked = pyqtSignal(object)
    double_clicked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: FrameResult | None = None
        self._overlays = Overlays()
        self._viewport = Viewport()
        self._trails = Trails()
        self._chosen: int | None = None
        self._compare = Compare()
        self._live = True
        self._waiting = False  # whether the newest state is still to be composed, when somebody can see it
        self._scene: Scene | None = None
        self._shown: Scene | None = None
        self._image: QImage | None = None
        self._pressed: QPoint | None = None
        self._dragged: QPoint | None = None
        self._on_line = False  # whether what is dragged is the line between before and after
        self._compositor = Compositor(self)
        self._compositor.composed.connect(self._show_image)
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(320, 180)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName("Picture")

    # ---- what is shown -----------------------------------------------------------------------------------------

    @property
    def overlays(self) -> Overlays:
        """What is drawn over the picture."""
        return self._overlays

    @property
    def viewport(self) -> Viewport:
        """Where the picture lies."""
        return self._viewport

    @property
    def compare(self) -> Compare:
        """What is shown without effects."""
        return self._compare

    @property
    def shown(self) -> FrameResult | None:
        """What the picture on the stage is of; ``None`` while there is no picture."""
        return None if self._shown is None else self._shown.result

    @property
    def settled(self) -> bool:
        """Whether the picture on the stage is of the newest state."""
        return self._shown is self._scene and not self._waiting

    def scene(self) -> Scene | None:
        """All that is to be seen now, for whoever wants to compose it elsewhere; ``None`` while there is no picture."""
        if self._result is None:
            return None
        return Scene(
            result=self._result,
            viewport=self._viewport,
            size=QSizeF(self.size()),
            ratio=self.devicePixelRatioF(),
            overlays=self._overlays,
            background=theme.current().stage,
            font=self.font(),
            trails=self._trails.snapshot(self._result) if self._overlays.trail else {},
            chosen=self._chosen,
            live=self._live,
            compare=self._compare,
        )

    def show_result(self, result: FrameResult) -> None:
        """Show a frame with its faces; it is kept until the next one."""
        self._result, self._live = result, True
        self._trails.add(result)
        self._compose()

    def clear(self) -> None:
        """Show no picture until the next one comes."""
        self._result = self._scene = self._shown = self._image = None
        self.update()

    def set_overlays(self, overlays: Overlays) -> None:
        """Change what is drawn over the picture."""
        self._overlays = overlays
        self._compose()

    def set_viewport(self, viewport: Viewport) -> None:
        """Change where the picture lies."""
        self._viewport = viewport
        self._compose()

    def set_compare(self, compare: Compare) -> None:
        """Change what is shown without effects."""
        self._compare = compare
        self.setMouseTracking(compare.split is not None)
        self._compose()

    def choose(self, track_id: int | None) -> None:
        """Mark a face."""
        self._chosen = track_id
        self._compose()

    def dim(self) -> None:
        """Grey the last frame: it is no longer live."""
        if self._live:
            self._live = False
            self._compose()

    # ---- zoom ----------------------------------------------------------------------------------------------------

    def set_fit(self, fit: Fit) -> None:
        """Go back to a size that follows the stage."""
        self.set_viewport(Viewport(fit, mirrored=self._viewport.mirrored))

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Magnify about a point of the stage, or its middle."""
        if self._result is not None:
            about = QPointF(self.width() / 2, self.height() / 2) if about is None else about
            self.set_viewport(self._viewport.zoomed(factor, about, *self._sizes()))

    # ---- composing and painting --------------------------------------------------------------------------------

    def _sizes(self) -> tuple[QSizeF, QSizeF, float]:
        assert self._result is not None
        return frame_size(self._result.frame.image), QSizeF(self.size()), self.devicePixelRatioF()

    def _compose(self) -> None:
        """Have the newest state composed; while nobody can see it, that is left to the first paint after."""
        self._waiting = not self._on_screen()
        if self._waiting:
            self.update()
            return
        self._scene = self.scene()
        if self._scene is not None:
            self._compositor.submit(self._scene)

    def _on_screen(self) -> bool:
        """Whether the desktop shows the window: it does not while it is minimised, say."""
        window = self.window()
        handle = None if window is None else window.windowHandle()
        return self.isVisible() and handle is not None and handle.isExposed()

    def _show_image(self, scene: Scene, image: QImage) -> None:
        if self._result is not None:  # else it was still being composed when the picture was taken away
            self._shown, self._image = scene, image
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the composed picture to the screen.

        No signal is emitted here: that gives the interpreter's lock away, and on busy cores it took 4 to 14 ms (p95) to
        have it back.
        """
        if self._waiting:
            self._compose()
        painter = QPainter(self)
        if self._shown is None or self._image is None or self._shown.size != QSizeF(self.size()):
            painter.fillRect(self.rect(), theme.current().stage)
        if self._image is not None:
            painter.drawImage(0, 0, self._image)
        painter.end()

    # ---- Qt ----------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """A 16:9 stage."""
        return QSize(1280, 720)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Compose for the new size."""
        super().resizeEvent(event)
        self._compose()

    def changeEvent(self, event: QEvent) -> None:
        """Compose with the new colours or letters."""
        super().changeEvent(event)
        if event.type() in (QEvent.StyleChange, QEvent.FontChange, QEvent.PaletteChange):
            self._compose()
            self.update()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the compositor's thread."""
        self._compositor.close()
        super().closeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        self.zoom(STEP ** (event.angleDelta().y() / _NOTCH), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click, a pan, or a drag of the line between before and after."""
        if event.button() in (Qt.LeftButton, Qt.MiddleButton):
            self._pressed = self._dragged = event.pos()
            self._on_line = event.button() == Qt.LeftButton and self._near_line(event.pos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, once the pointer has moved further than a shaky click does; the line follows at once."""
        if self._pressed is None or self._dragged is None or self._result is None:
            self._show_cursor(event.pos())
            return
        if self._on_line:
            self._dragged = event.pos()
            self._move_line(event.pos().x())
            return
        far = (event.pos() - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        if far or self._dragged != self._pressed:
            by = QPointF(event.pos() - self._dragged)
            self._dragged = event.pos()
            self.setCursor(Qt.ClosedHandCursor)
            self.set_viewport(self._viewport.panned(by, *self._sizes()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a pan, or choose the face that was clicked."""
        clicked = self._pressed is not None and self._dragged == self._pressed and not self._on_line
        if clicked and event.button() == Qt.LeftButton:
            self.face_clicked.emit(self._face_at(QPointF(event.pos())))
        self._pressed = self._dragged = None
        self._on_line = False
        self._show_cursor(event.pos())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Tell; on the line between before and after, put that back into the middle."""
        if event.button() != Qt.LeftButton:
            return
        if self._near_line(event.pos()):
            self.set_compare(replace(self._compare, split=0.5))
        else:
            self.double_clicked.emit()

    def _near_line(self, position: QPoint) -> bool:
        """Whether the pointer can take hold of the line between before and after."""
        scene, split = self.scene(), self._compare.split
        if scene is None or split is None or not self._live or scene.result.shown is None:
            return False
        return abs(line_at(scene.placement, scene.size, split) - position.x()) <= REACH

    def _move_line(self, x: float) -> None:
        if (scene := self.scene()) is not None:
            self.set_compare(replace(self._compare, split=split_at(scene.placement, scene.size, x)))

    def _show_cursor(self, position: QPoint) -> None:
        """Tell by the pointer what a press would take hold of."""
        if self._near_line(position):
            self.setCursor(Qt.SplitHCursor)
        else:
            self.unsetCursor()

    def _face_at(self, position: QPointF) -> int | None:
        """The smallest face under a point of the stage: what lies in front."""
        scene = self.scene()
        if scene is None:
            return None
        rects = [(scene.placement.to_rect(face.box), face.track_id) for face in scene.result.faces]
        hits = [(rect.width() * rect.height(), track_id) for rect, track_id in rects if rect.contains(position)]
        return min(hits, key=lambda hit: hit[0])[1] if hits else None


def mirrored(viewport: Viewport, wanted: bool) -> Viewport:
    """The same view with or without a mirror; what is in the middle stays there."""
    return viewport if viewport.mirrored == wanted else replace(viewport, mirrored=wanted, x=1 - viewport.x)
