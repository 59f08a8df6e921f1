"""Something dragged out of another program and dropped on a window, through the X server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QPoint, QRect
from PyQt5.QtWidgets import QApplication

PROGRAM = Path(__file__).with_name("drag_source.py")


class Drag:
    """Another program with something to drag, and the hand that drags it over a window."""

    def __init__(
        self, log: Path, wait: Callable[[Callable[[], bool]], None], target: QPoint, kind: str, *values: str
    ) -> None:
        """Start the other program in the screen's lower left corner.

        Args:
            log: a file for what that program tells.
            wait: waits until something is so, or fails.
            target: where on the screen to drop.
            kind: see ``drag_source.py``.
            values: what is dragged.
        """
        screen = QApplication.primaryScreen()
        assert screen is not None
        corner = QPoint(screen.availableGeometry().left(), screen.availableGeometry().bottom() - 40)
        self._handle = QRect(corner, corner + QPoint(80, 30)).center()
        self._target, self._wait, self._log = target, wait, log
        command = [sys.executable, str(PROGRAM), str(corner.x()), str(corner.y()), kind, *values]
        with log.open("w") as out:
            self._process = subprocess.Popen(command, stdout=out)
        wait(lambda: self._told("ready"))

    def _told(self, word: str) -> bool:
        return word in self._log.read_text().split()

    def hover(self, seen: Callable[[], bool] = lambda: True) -> None:
        """Take hold, and move over the target until both programs know that it can be dropped there."""
        self._hand("mousemove", *self._at(self._handle), "mousedown", "1")
        self._hand("mousemove", *self._at(self._handle + QPoint(9, -9)))
        moves = 0

        def wiggle() -> bool:
            nonlocal moves
            moves += 1
            self._hand("mousemove", *self._at(self._target + QPoint(4 * (moves % 8), 3 * (moves % 5))))
            return seen() and self._told("accepted")

        self._wait(wiggle)

    def drop(self) -> None:
        """Let go."""
        self._hand("mouseup", "1")

    def close(self) -> None:
        """End the other program."""
        self._hand("mouseup", "1")
        self._process.kill()
        self._process.wait()

    @staticmethod
    def _at(point: QPoint) -> tuple[str, str]:
        return str(point.x()), str(point.y())

    @staticmethod
    def _hand(*actions: str) -> None:
        """Move as a hand does, while the windows go on."""
        subprocess.run(["xdotool", *actions], check=True)
        QApplication.processEvents()
