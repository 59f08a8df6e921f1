"""Waits for a webcam that was unplugged, and starts it again when it is back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, QTimer

from streamer import errors
from streamer.pipeline.status import CameraStatus
from ui.session import Session

DEVICES = Path("/dev")
"""Where device nodes are found."""

_INTERVAL: Final = 1000  # ms between two looks; also what the system gets to make a new device usable
_PLUGGED: Final = (errors.SourceLostError, errors.SourceNotFoundError, errors.SourceTimeoutError)


class WebcamWatch(QObject):
    """Looks for the device of a webcam that failed, and starts it when the device has come anew."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._node: Path | None = None
        self._gone = False
        self._clock = QTimer(self)
        self._clock.setInterval(_INTERVAL)
        self._clock.timeout.connect(self._look)

    def show_status(self, status: CameraStatus) -> bool:
        """Begin to wait, or end it; whether a webcam is waited for."""
        number = webcam_number(status)
        if number is None or not isinstance(status.error, _PLUGGED):
            self.close()
        elif self._node is None:
            self._node, self._gone = DEVICES / f"video{number}", False
            self._look()
            self._clock.start()
        return self._node is not None

    def close(self) -> None:
        """Wait no more."""
        self._node = None
        self._clock.stop()

    def _look(self) -> None:
        """A device that is still there may be on its way out: only one that has been missing comes anew."""
        if self._node is None:
            return
        if not self._node.exists():
            self._gone = True
        elif self._gone:
            self.close()
            self._session.start()


def webcam_number(status: CameraStatus) -> int | None:
    """Which webcam a status is about; ``None`` for every other source."""
    match = re.fullmatch(r"webcam (\d+)", status.source)
    return None if match is None else int(match[1])
