"""One row for each face in the picture."""

from __future__ import annotations

from PyQt5.QtCore import QTimer
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from streamer.types import Face, FrameResult
from ui.exposure import is_covered
from ui.faces.history import keyed
from ui.faces.row import FaceRow, picture_at_hand
from ui.pages.base import PageContext
from ui.widgets import make_label

_INTERVAL = 100  # ms between two looks at a row: no eye reads faster, and the picture needs the time


def make_page(context: PageContext) -> QWidget:
    """Make the page."""
    return FacesPage(context)


class FacesPage(QWidget):
    """The faces in the order they came in; does nothing while it cannot be seen."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._rows: dict[int, FaceRow] = {}
        self._result: FrameResult | None = None
        self._before: FrameResult | None = None
        self._due: dict[int, None] = {}  # rows to be brought up to date, the one that has waited longest first
        self._following = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._refresh_next)
        self._empty = make_label("caption", "There is no face in the picture.", wrap=True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 12, 12, 12)
        self._column.setSpacing(8)
        self._column.addStrut(FaceRow(None).minimumSizeHint().width())  # the inspector asks before there is a face
        self._column.addWidget(self._empty)
        self._column.addStretch()

    # ---- what comes in: every frame ----------------------------------------------------------------------------

    def _take(self, result: FrameResult) -> None:
        """Remember a frame; the rows show it in turn."""
        before, self._before, self._result = self._result, self._result, result
        frame = result.frame
        if before is not None and (frame.segment != before.frame.segment or frame.pts < before.frame.pts):
            self._clear()
        elif before is not None and is_covered(result) and not _same_effects(before, result):
            self._forget_pictures()
        for key, face in keyed(result):
            if key not in self._rows:
                self._add_row(key, face)
        self._empty.setVisible(not self._rows)
        self._refresh_all()

    def _add_row(self, key: int, face: Face) -> None:
        row = FaceRow(face.track_id)
        row.setChecked(face.track_id is not None and face.track_id == self._context.selection.track_id)
        row.clicked.connect(lambda checked: self._context.selection.choose(row.track_id if checked else None))
        self._rows[key] = row
        self._column.insertWidget(self._column.count() - 1, row)

    def _clear(self) -> None:
        for key in list(self._rows):
            self._remove_row(key)

    def _forget_pictures(self) -> None:
        """Faces are hidden from now on: also those that are shown as they were a moment ago."""
        for row in self._rows.values():
            row.forget_picture()

    def _hide_exposed(self) -> None:
        """Faces are hidden from now on, and no frame may come any more that says so."""
        if self._result is not None and self._context.session.exposes(self._result):
            self._forget_pictures()
            self._result = self._before = None
            self._due.clear()

    def _remove_row(self, key: int) -> None:
        row = self._rows.pop(key)
        self._due.pop(key, None)
        row.hide()
        row.deleteLater()

    # ---- what is shown: each row ten times a second ------------------------------------------------------------

    def _refresh_all(self) -> None:
        self._due |= dict.fromkeys(self._rows)
        if not self._pause.isActive():
            self._refresh_next()

    def _refresh_next(self) -> None:
        """Bring the row that has waited longest up to date: one at a time, so that the window is never held up."""
        if not self._due:
            return
        key = next(iter(self._due))
        del self._due[key]
        self._refresh(key, self._rows[key])
        self._pause.start(_INTERVAL // max(1, len(self._rows)))

    def _refresh(self, key: int, row: FaceRow) -> None:
        if self._result is None:
            return
        face = dict(keyed(self._result)).get(key)
        if face is not None and (row.blank or not row.visibleRegion().isEmpty()):
            waiting = picture_at_hand(self._result) is None
            row.show_face(self._result, face, self._context.poses.table(key), mirrored=self._mirrored)
            if waiting:
                self._show_earlier(key, row)
        elif face is None and key not in self._context.poses:
            self._remove_row(key)
            self._empty.setVisible(not self._rows)
        elif face is None:
            row.show_gone()

    @property
    def _mirrored(self) -> bool:
        return self._context.actions["view.mirror"].isChecked()

    def _show_earlier(self, key: int, row: FaceRow) -> None:
        """Show a face as it was a frame ago, under the same effects, and come back for the picture that is made now."""
        earlier = self._before if self._before is not None and _same_effects(self._before, self._result) else None
        if earlier is not None and (face := dict(keyed(earlier)).get(key)) is not None:
            row.show_picture(earlier, face, mirrored=self._mirrored)
        self._due[key] = None

    def _choose(self, track_id: int | None) -> None:
        """Mark the row of the chosen face, and bring it into view."""
        for row in self._rows.values():
            row.setChecked(track_id is not None and row.track_id == track_id)
            if row.isChecked() and (area := self._scroll_area()) is not None:
                area.ensureWidgetVisible(row)

    def _scroll_area(self) -> QScrollArea | None:
        parent = self.parentWidget()
        while parent is not None and not isinstance(parent, QScrollArea):
            parent = parent.parentWidget()
        return parent

    # ---- Qt ----------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to follow."""
        super().showEvent(event)
        self._clear()
        self._result = self._before = None
        self._following = True
        session, selection = self._context.session, self._context.selection
        session.frame_ready.connect(self._take)
        selection.changed.connect(self._choose)
        if (area := self._scroll_area()) is not None and (bar := area.verticalScrollBar()) is not None:
            bar.valueChanged.connect(self._refresh_all)
        session.configured.connect(self._hide_exposed)
        if session.result is not None and not session.exposes(session.result):
            self._take(session.result)
        self._choose(selection.track_id)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop following; Qt also tells a page that was hidden already with all of the inspector."""
        super().hideEvent(event)
        if not self._following:
            return
        self._following = False
        self._context.session.frame_ready.disconnect(self._take)
        self._context.session.configured.disconnect(self._hide_exposed)
        self._context.selection.changed.disconnect(self._choose)
        if (area := self._scroll_area()) is not None and (bar := area.verticalScrollBar()) is not None:
            bar.valueChanged.disconnect(self._refresh_all)
        self._pause.stop()


def _same_effects(one: FrameResult, other: FrameResult | None) -> bool:
    """Whether two frames are of the same look, so that the one may stand for the other."""
    looks = [None if result is None or result.shown is None else result.shown.effects for result in (one, other)]
    return looks[0] == looks[1]
