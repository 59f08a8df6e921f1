"""Reads a window as eyes do: every text on it, in its rendered colour on its rendered background.

Two renderings are laid over each other. One is made of pixels, enlarged so that letters have an inside. The other one
only listens where which text is written in which font, whoever writes it: a style, a delegate, a widget of our own.
The letters are then set once more by themselves, and tell which pixels are letter and which are background.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PyQt5.QtGui import (
    QColor,
    QFont,
    QImage,
    QMouseEvent,
    QPaintDevice,
    QPaintEngine,
    QPaintEngineState,
    QPainter,
    QPixmap,
    QRegion,
    QTextItem,
)
from PyQt5.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QMenu, QMenuBar, QPushButton, QWidget

from ui import theme

LEAST = 4.5  # WCAG 2.2 AA for text of any size
_SCALE = 3  # device pixels a logical one is enlarged to: the strokes of the smallest letters get an inside
_INSIDE = 250  # of 255: how much of a pixel a letter covers for it to show the letter's colour alone
_ENOUGH = 400  # pixels that tell a colour


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text as it is seen.

    Attributes:
        text: what is written.
        color: of the letters.
        background: around them.
    """

    text: str
    color: QColor
    background: QColor

    @property
    def ratio(self) -> float:
        """Their contrast, 1..21."""
        return theme.contrast(self.color, self.background)

    def __str__(self) -> str:
        return f"{self.text!r} {self.color.name()} on {self.background.name()}: {self.ratio:.2f}"


@dataclass(frozen=True, slots=True)
class _Written:
    """Text where it was written; ``foot`` and ``clip`` in the window's logical pixels."""

    text: str
    font: QFont
    foot: QPointF
    area: QRect
    clip: QRegion


class _Listener(QPaintEngine):
    """Hears what is written, and paints nothing."""

    def __init__(self, window: QWidget, offset: QPoint, but: type[QWidget] | None) -> None:
        super().__init__(QPaintEngine.PaintEngineFeatures(QPaintEngine.AllFeatures))
        self.heard: list[_Written] = []
        self._but = but
        self._window, self._offset = window, offset

    def begin(self, device: QPaintDevice) -> bool:
        """Be ready."""
        return True

    def end(self) -> bool:
        """Be done."""
        return True

    def type(self) -> QPaintEngine.Type:
        """None of Qt's own."""
        return QPaintEngine.User

    def updateState(self, state: QPaintEngineState) -> None:
        """Nothing: the painter is asked."""

    def drawPixmap(self, place: QRectF, pixmap: QPixmap, part: QRectF) -> None:
        """Nothing."""

    drawPath = drawPolygon = drawRects = drawLines = drawPoints = drawEllipse = lambda self, *_: None
    drawImage = drawTiledPixmap = lambda self, *_: None

    def drawTextItem(self, foot: QPointF, item: QTextItem) -> None:
        """Keep what is written, with what can be seen of it."""
        painter = self.painter()
        assert painter is not None
        widget, matrix = painter.device(), painter.deviceTransform()
        if not (item.text().strip() and isinstance(widget, QWidget)) or (self._but and isinstance(widget, self._but)):
            return
        clip = widget.visibleRegion().translated(widget.mapTo(self._window, QPoint()) - self._offset)
        if painter.hasClipping():
            clip &= matrix.map(painter.clipRegion())
        place = QRectF(foot.x(), foot.y() - item.ascent(), item.width(), item.ascent() + item.descent())
        area = matrix.mapRect(place).toAlignedRect().adjusted(-1, -1, 1, 1) & clip.boundingRect()
        if not area.isEmpty():
            font = QFont()
            font.fromString(item.font().toString())  # a copy would take its size from the painter that uses it
            self.heard.append(_Written(item.text(), font, matrix.map(foot), area, clip))


class _Ears(QPaintDevice):
    """Something to render on that only listens."""

    def __init__(self, window: QWidget, part: QRect, but: type[QWidget] | None) -> None:
        super().__init__()
        self._size = part.size()
        self.listener = _Listener(window, part.topLeft(), but)

    def paintEngine(self) -> QPaintEngine:
        """The listener."""
        return self.listener

    def metric(self, metric: QPaintDevice.PaintDeviceMetric) -> int:
        """As a screen of 96 dpi."""
        known = {
            QPaintDevice.PdmWidth: self._size.width(),
            QPaintDevice.PdmHeight: self._size.height(),
            QPaintDevice.PdmDevicePixelRatio: 1,
            QPaintDevice.PdmDevicePixelRatioScaled: 0x10000,
            QPaintDevice.PdmDepth: 32,
            QPaintDevice.PdmNumColors: 0,
        }
        return known.get(metric, 96)


def read(widget: QWidget, part: QRect | None = None, *, but: type[QWidget] | None = None) -> list[Text]:
    """Every text that can be seen on a window, or on a part of it, but for what widgets of one kind write."""
    part = part or widget.rect()
    widgets = [widget, *widget.findChildren(QWidget)]  # held, so that the listener is told which one paints
    ears = _Ears(widget, part, but)
    widget.render(ears, QPoint(), QRegion(part))
    image = _sheet(part)
    widget.render(image, QPoint(), QRegion(part))
    rendered = _view(image)
    del widgets
    texts = (_look(rendered, written) for written in ears.listener.heard)
    return [text for text in texts if text is not None]


def _sheet(area: QRect) -> QImage:
    sheet = QImage(area.size() * _SCALE, QImage.Format_RGB32)
    sheet.setDevicePixelRatio(_SCALE)
    sheet.fill(Qt.black)
    return sheet


def _view(image: QImage) -> NDArray[np.uint8]:
    """The pixels of a sheet, BGR and a byte to spare, ``(h, w, 4)``; valid as long as the sheet is."""
    rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8)
    return rows.reshape(image.height(), image.width(), 4)


def _look(rendered: NDArray[np.uint8], written: _Written) -> Text | None:
    """The colours of a text; ``None`` where nothing of it can be seen."""
    area = written.area
    letters = _set(written)
    ink, around = letters >= _INSIDE, cv2.dilate(letters, np.ones((3, 3), np.uint8)) == 0
    if not QRegion(area).subtracted(written.clip).isEmpty():
        seen = _seen(written)
        ink, around = ink & seen, around & seen
    if ink.sum() < 8 or not around.any():
        return None
    top, left = area.top() * _SCALE, area.left() * _SCALE
    place = rendered[top : top + ink.shape[0], left : left + ink.shape[1]]
    return Text(written.text, _middle(place[ink]), _middle(place[around]))


def _set(written: _Written) -> NDArray[np.uint8]:
    """How much of each pixel the letters cover."""
    sheet = _sheet(written.area)
    painter = QPainter(sheet)
    painter.translate(-written.area.topLeft())
    painter.setFont(written.font)
    painter.setPen(Qt.white)
    painter.drawText(written.foot, written.text)
    painter.end()
    return _view(sheet)[:, :, 1].copy()


def _seen(written: _Written) -> NDArray[np.bool_]:
    """Which pixels can be seen."""
    sheet = _sheet(written.area)
    painter = QPainter(sheet)
    painter.translate(-written.area.topLeft())
    painter.setClipRegion(written.clip)
    painter.fillRect(written.area, Qt.white)
    painter.end()
    return _view(sheet)[:, :, 1] > 0


def _middle(colors: NDArray[np.uint8]) -> QColor:
    """The median of colours ``(n, 4)``, blue first; some of them stand for many."""
    blue, green, red, _ = (int(value) for value in np.median(colors[:: len(colors) // _ENOUGH + 1], axis=0))
    return QColor(red, green, blue)


def read_in_every_state(within: QWidget) -> Iterator[tuple[str, Text]]:
    """Every text of a part of a window, with its controls at rest, under the pointer, held, switched, focused."""
    window = within.window()
    assert window is not None
    place = QRect(within.mapTo(window, QPoint()), within.size())
    widgets = [widget for widget in (within, *within.findChildren(QWidget)) if widget.isVisible()]
    controls = [widget for widget in widgets if widget.focusPolicy() & Qt.TabFocus]
    yield from (("at rest", text) for text in read(window, place))
    for state, put in _STATES.items():
        put(widgets, True)
        yield from ((state, text) for text in read(window, place, but=QLabel))  # nobody presses those
        put(widgets, False)
    for control in controls:
        control.setFocus(Qt.TabFocusReason)
        QApplication.processEvents()  # a page scrolls to it
        part = QRect(control.mapTo(window, QPoint()), control.size()) & place
        if not part.isEmpty():
            yield from (("with the keyboard", text) for text in read(window, part))


def _point_at(widgets: list[QWidget], state: bool) -> None:
    for widget in widgets:  # at all at once, as no pointer can
        widget.setAttribute(Qt.WA_UnderMouse, state)
        if isinstance(widget, QPushButton):  # wants to be told, too
            _move(widget, widget.rect().center())


def _move(widget: QWidget, place: QPoint) -> None:
    """Tell a widget that the pointer is there."""
    move = QMouseEvent(QMouseEvent.MouseMove, QPointF(place), Qt.NoButton, Qt.NoButton, Qt.NoModifier)
    QApplication.sendEvent(widget, move)


def _hold(widgets: list[QWidget], state: bool) -> None:
    for button in widgets:
        if isinstance(button, QAbstractButton):
            button.setDown(state)


def _switch(widgets: list[QWidget], _: bool) -> None:
    """Put every switch the other way round, and tell nobody."""
    for button in widgets:
        if isinstance(button, QAbstractButton) and button.isCheckable():
            button.blockSignals(True)
            button.setChecked(not button.isChecked())
            button.blockSignals(False)


def _switch_and_hold(widgets: list[QWidget], state: bool) -> None:
    _switch(widgets, state)
    _hold(widgets, state)


_STATES = {
    "under the pointer": _point_at,
    "held": _hold,
    "switched": _switch,
    "switched and held": _switch_and_hold,
}


def read_menu_bar(bar: QMenuBar) -> Iterator[tuple[str, Text]]:
    """Every title of a menu bar, each also under the pointer."""
    yield from (("at rest", text) for text in read(bar))
    for action in bar.actions():
        place = bar.actionGeometry(action)
        _move(bar, place.center())
        yield from (("under the pointer", text) for text in read(bar, place))


def read_menu(menu: QMenu) -> Iterator[tuple[str, Text]]:
    """Every text of an open menu, each entry also as the chosen one."""
    yield from (("at rest", text) for text in read(menu))
    for action in menu.actions():
        menu.setActiveAction(action)
        yield from (("chosen", text) for text in read(menu, menu.actionGeometry(action)))


def read_list(box: QComboBox) -> Iterator[tuple[str, Text]]:
    """Every text of an open list, each entry also as the chosen one."""
    view, model = box.view(), box.model()
    assert view is not None
    assert model is not None
    box.showPopup()
    QApplication.processEvents()
    for row in range(model.rowCount()):
        view.setCurrentIndex(model.index(row, box.modelColumn()))
        yield from (("in its list", text) for text in read(view.window()))
    box.hidePopup()
