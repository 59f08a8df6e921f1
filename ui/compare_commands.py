"""Commands that compare the picture with what it was before its effects: a key to hold, and a line to move."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from PyQt5.QtCore import QEvent, QObject
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QApplication

from ui.actions import Actions
from ui.stage.view import VideoView

_STEP: Final = 0.02  # of the picture's width that a key moves the line


class CompareCommands(QObject):
    """Carries out the commands of the areas ``compare`` and ``split``."""

    def __init__(self, actions: Actions, view: VideoView) -> None:
        super().__init__(view)
        self._view, self._before = view, actions["compare.before"]
        self._moves = actions.area("split")
        self._split = 0.5  # where the line was when it was last shown
        actions.on("compare.before", self._show_before)
        actions.on("compare.split", self._show_split)
        actions.on("split.left", partial(self._move, -_STEP))
        actions.on("split.right", partial(self._move, _STEP))
        for action in self._moves:
            action.setEnabled(False)

    def _show_before(self, wanted: bool) -> None:
        self._view.set_compare(replace(self._view.compare, before=wanted))
        app = QApplication.instance()
        assert app is not None
        if wanted:
            app.installEventFilter(self)  # the release goes to whatever has the keyboard by then
        else:
            app.removeEventFilter(self)

    def _show_split(self, wanted: bool) -> None:
        compare = self._view.compare
        self._split = self._split if compare.split is None else compare.split
        self._view.set_compare(replace(compare, split=self._split if wanted else None))
        for action in self._moves:
            action.setEnabled(wanted)

    def _move(self, by: float) -> None:
        compare = self._view.compare
        if compare.split is not None:
            self._view.set_compare(replace(compare, split=min(max(compare.split + by, 0.0), 1.0)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the effects again when the key is let go, or can no longer be heard of."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.KeyRelease:
            released = not event.isAutoRepeat() and event.key() == self._before.shortcut()[0]
        else:
            released = event.type() in (QEvent.WindowDeactivate, QEvent.ApplicationDeactivate)
        if released:
            self._before.setChecked(False)
        return False
