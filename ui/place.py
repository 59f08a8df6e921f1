"""Where the window is: as it was left, and always where it can be seen."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer
from PyQt5.QtGui import QGuiApplication, QScreen
from PyQt5.QtWidgets import QStyle, QWidget

from ui.settings import Settings

_COMFORTABLE: Final = QSize(1280, 720)
_PLACE, _MAXIMISED = "window/geometry", "window/maximised"
_FILLING: Final = Qt.WindowMaximized | Qt.WindowFullScreen
_REST: Final = 500  # ms without a move after which the desktop has said what became of the window
_GRIP: Final = QSize(120, 24)  # logical pixels of the upper edge by which a window can be taken hold of


class Place(QObject):
    """Keeps the place and the size of a window between starts, and gets it back when its screen goes."""

    def __init__(self, window: QWidget, settings: Settings) -> None:
        super().__init__(window)
        self._window, self._settings = window, settings
        self._unsure = True  # whether it can be seen: it comes up, or a screen has gone
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST)
        self._rest.timeout.connect(self._settle)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenAdded.connect(self._watch)
        app.screenRemoved.connect(self._expect_change)
        for screen in app.screens():
            self._watch(screen)
        window.installEventFilter(self)

    def take(self) -> None:
        """Come up as the window was left, at first in a comfortable size; fill a screen that has no room for that."""
        screen = QGuiApplication.primaryScreen()
        room = _COMFORTABLE if screen is None else screen.availableSize()
        self._window.resize(_COMFORTABLE.boundedTo(room))
        known = self._window.restoreGeometry(self._settings.get(_PLACE, b""))
        self._come_back()
        small = room.width() <= _COMFORTABLE.width() or room.height() <= _COMFORTABLE.height()
        if self._settings.get(_MAXIMISED, small and not known):
            self._window.setWindowState(Qt.WindowMaximized)

    def close(self, *, maximised: bool) -> None:
        """Remember the place for the last time, and whether the window fills the screen when it has one of its own."""
        self._rest.stop()
        if self._window.isVisible():  # once it is not, its state says nothing
            self._remember()
            self._settings.set(_MAXIMISED, maximised)

    def _remember(self) -> None:
        """Keep where the window is and how large, while it has a size of its own: Qt does not for a maximised one."""
        if not self._window.windowState() & (_FILLING | Qt.WindowMinimized):
            self._settings.set(_PLACE, bytes(self._window.saveGeometry()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait until the window rests."""
        if watched is self._window and event.type() in (QEvent.Move, QEvent.Resize):
            self._rest.start()
        return super().eventFilter(watched, event)

    # ---- screens that come and go ------------------------------------------------------------------------------

    def _watch(self, screen: QScreen) -> None:
        screen.availableGeometryChanged.connect(self._expect_change)

    def _expect_change(self) -> None:
        """Leave it to the desktop first: most bring windows back themselves."""
        self._unsure = True
        self._rest.start()

    def _settle(self) -> None:
        if self._unsure:  # only by now is it known how much the desktop's frame adds
            self._unsure = False
            self._come_back()
        self._remember()

    def _come_back(self) -> None:
        """Go to the middle of the first screen when no screen shows enough of the upper edge to be taken hold of.

        So does a window that is larger than the screen.
        """
        window, first = self._window, QGuiApplication.primaryScreen()
        if first is None or window.windowState() & _FILLING:
            return  # the desktop lays out itself what fills a screen
        outer, added = window.frameGeometry(), window.frameSize() - window.size()
        edge = QRect(outer.topLeft(), QSize(outer.width(), _GRIP.height()))
        for screen in QGuiApplication.screens():
            room = screen.availableGeometry()
            grip, fits = edge.intersected(room).size(), outer.size().boundedTo(room.size()) == outer.size()
            if fits and grip.width() >= _GRIP.width() and grip.height() == _GRIP.height():
                return
        room = first.availableGeometry()
        window.resize(window.size().boundedTo(room.size() - added))
        window.move(QStyle.alignedRect(Qt.LeftToRight, Qt.AlignCenter, window.size() + added, room).topLeft())
