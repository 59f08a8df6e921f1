"""Which face the user is looking at: shared by the stage and the pages."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal


class Selection(QObject):
    """The id of the chosen track.

    Signals:
        changed: the new id, or ``None``.
    """

    changed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._track_id: int | None = None

    @property
    def track_id(self) -> int | None:
        """The chosen track, which may have left the picture; ``None`` when nothing is chosen."""
        return self._track_id

    def choose(self, track_id: int | None) -> None:
        """Choose a track, or nothing."""
        if track_id != self._track_id:
            self._track_id = track_id
            self.changed.emit(track_id)
