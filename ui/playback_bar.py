"""The bar under the picture: play, pause, step, time, speed and loop of a file; snapshots and recording of anything."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QHideEvent, QPainterPath
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from streamer.pipeline.status import CameraState, CameraStatus, PlaybackStatus
from ui import glyphs
from ui.actions import Actions
from ui.controls import ComboBox
from ui.glyphs import GlyphButton
from ui.playback_commands import SPEEDS, PlaybackCommands, has_time
from ui.recording_light import RecordingLight
from ui.seek_bar import SeekBar, clock
from ui.session import Session
from ui.widgets import action_button, make_label

if TYPE_CHECKING:
    from streamer.types import FrameResult

_HOUR = 3600.0
_SHORT = 5.0  # seconds below which a length needs its hundredths, too
_PATIENCE = 200  # ms a seek may take before the bar says that it is under way
_INTERVAL = 0.1  # seconds between two times shown while a file plays: no eye reads faster


class PlaybackBar(QFrame):
    """Shows how the session's source is played, and commands it."""

    def __init__(self, actions: Actions, session: Session) -> None:
        super().__init__()
        self.setObjectName("playbackBar")
        self._commands = PlaybackCommands(actions, session)
        self._actions = actions
        self._playback = PlaybackStatus()
        self._running = self._resume = False
        self._told_at = 0.0
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE)
        self._patience.timeout.connect(lambda: self._seek_bar.show_busy(True))
        self._live = make_label("live", "● Live")
        self._seek_bar = SeekBar()
        self._time = make_label("value")
        self._speed = ComboBox()
        self._transport = self._make_transport()
        self._light = RecordingLight()
        self._lay_out()
        self._seek_bar.sliderPressed.connect(self._begin_scrub)
        self._seek_bar.sliderReleased.connect(self._end_scrub)
        self._seek_bar.sought.connect(self._seek)
        self._speed.activated[int].connect(lambda number: self._commands.set_speed(SPEEDS[number]))
        session.status_changed.connect(self.show_status)
        session.frame_ready.connect(self._show_frame)
        self.show_status(session.status)

    def show_status(self, status: CameraStatus) -> None:
        """Show how the source is played."""
        self._playback, self._running = status.playback, status.state is CameraState.RUNNING
        live, playable = status.playback.live is True, has_time(status.playback)
        self._live.setVisible(not playable)
        self._live.setText("● Live" if live and self._running else "")  # a lost source keeps the place, not the claim
        self._transport.setVisible(playable)
        self._light.show_status(status)
        self._seek_bar.setEnabled(self._running and status.playback.seekable)
        self._speed.setEnabled(self._running)
        if status.playback.speed in SPEEDS:
            self._speed.setCurrentIndex(SPEEDS.index(status.playback.speed))
        self._follow_seek(self._running and status.playback.seeking)
        if not (status.playback.seeking or self._seek_bar.isSliderDown()):
            self._show_position(status.playback.position)

    def _follow_seek(self, seeking: bool) -> None:
        """Show that a frame is being looked for, unless it comes at once."""
        if not seeking:
            self._patience.stop()
            self._seek_bar.show_busy(False)
        elif not self._patience.isActive():
            self._patience.start()

    def _show_frame(self, result: FrameResult) -> None:
        """Follow a playing file between two statuses, and every step of a paused one."""
        now = time.monotonic()
        if self._playback.seeking or self._seek_bar.isSliderDown():
            return
        if self._playback.paused or now - self._told_at >= _INTERVAL:
            self._told_at = now
            self._show_position(result.frame.position)

    def _show_position(self, position: float | None) -> None:
        duration = self._playback.duration
        if position is None:
            self._time.setText("")
        elif duration is None:
            self._time.setText(clock(position))
        else:
            self._seek_bar.show_time(duration if self._playback.at_end else position, duration)
            decimals = 2 if duration < _HOUR else 0  # hundredths tell frames apart; hours take their room
            self._time.setText(f"{clock(position, decimals)} / {clock(duration, 0 if duration >= _SHORT else 2)}")

    def _seek(self, seconds: float) -> None:
        self._commands.seek(seconds)
        # Until a status knows better: older frames are still coming.
        self._playback = replace(self._playback, seeking=True, at_end=False)
        self._show_position(seconds)

    def _begin_scrub(self) -> None:
        """Stay where the pointer is; go on after its release if the file was being played."""
        self._resume = not self._playback.paused
        if self._resume:
            self._commands.hold(True)

    def _end_scrub(self) -> None:
        if self._resume:
            self._commands.hold(False)

    def hideEvent(self, event: QHideEvent) -> None:
        """Wait for nothing."""
        self._patience.stop()
        super().hideEvent(event)

    def _make_transport(self) -> QWidget:
        transport = QWidget()
        row = QHBoxLayout(transport)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        actions = self._actions
        row.addWidget(GlyphButton(actions["step.back"], lambda: glyphs.BACK))
        row.addWidget(GlyphButton(actions["playback.play"], self._play_sign))
        row.addWidget(GlyphButton(actions["step.next"], lambda: glyphs.NEXT))
        row.addWidget(self._seek_bar, 1)
        self._time.setAccessibleName("Time")
        self._time.setMinimumWidth(self._time.fontMetrics().horizontalAdvance("00:00.00 / 00:00"))
        row.addWidget(self._time)
        self._speed.addItems([f"{speed:g}×" for speed in SPEEDS])
        self._speed.setAccessibleName("Speed")
        self._speed.setToolTip("How fast the file is played")
        row.addWidget(self._speed)
        row.addWidget(_narrow(action_button(actions["playback.loop"])))
        return transport

    def _play_sign(self) -> QPainterPath:
        if self._running and not self._playback.paused:
            return glyphs.PAUSE
        return glyphs.REPLAY if self._running and self._playback.at_end else glyphs.PLAY

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 6)
        row.setSpacing(6)
        row.addWidget(self._live, 1)
        row.addWidget(self._transport, 1)
        row.addSpacing(4)
        row.addWidget(self._light)
        for name in ("capture.snapshot", "capture.record"):
            row.addWidget(_narrow(action_button(self._actions[name])))
        for control in (*self.findChildren(QToolButton), self._speed):
            control.setFocusPolicy(Qt.TabFocus)  # after a click Space goes on to mean play and pause


def _narrow(button: QWidget) -> QWidget:
    """A button that leaves the room to the seek bar."""
    button.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
    return button
