"""A line at the picture's upper edge that tells that a file has ended, and plays it again."""

from __future__ import annotations

from PyQt5.QtWidgets import QFrame, QHBoxLayout

from streamer.pipeline.status import CameraState, CameraStatus
from ui.actions import Actions
from ui.playback_commands import has_time
from ui.widgets import ElidedLabel, make_button


class EndLine(QFrame):
    """Is there while a file stands on its last frame, until it is played again or the line is dismissed."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._text = ElidedLabel("endText")
        self._at_end = False
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.addWidget(self._text, 1)
        for text, command in (("Play again", "playback.play"), ("Choose another…", "source.choose")):
            row.addWidget(make_button(text, actions[command].trigger, tip=actions[command].toolTip()))
        row.addWidget(make_button("Dismiss", self.hide))
        self.hide()

    def show_status(self, status: CameraStatus) -> None:
        """Come with the end, and go with it."""
        playback = status.playback
        ended = status.state is CameraState.RUNNING and has_time(playback) and playback.at_end and not playback.seeking
        if ended != self._at_end:
            self._at_end = ended
            self._text.setText(f"{status.source} has ended: this is its last frame.")
            self.setVisible(ended)
