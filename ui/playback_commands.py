"""Joins the commands about playing with the session: pause, step, seek, speed, loop."""

from __future__ import annotations

from functools import partial
from typing import Final

from streamer.pipeline.status import CameraState, CameraStatus, PlaybackStatus
from ui.actions import Actions
from ui.session import Session

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Speeds the window offers, slowest first."""

_SKIP = 5.0  # seconds the arrow keys go
_MOVES = ("step.back", "step.next", "seek.back", "seek.forward", "seek.start", "seek.end")


def has_time(playback: PlaybackStatus) -> bool:
    """Whether the source can be played: a live one plays itself, and a single picture has no length."""
    return playback.live is not True and playback.duration != 0.0


class PlaybackCommands:
    """Plays what the session shows; a live source or a single picture can be commanded in nothing of this."""

    def __init__(self, actions: Actions, session: Session) -> None:
        self._actions, self._session = actions, session
        self._target: float | None = None  # of the latest seek, until its frame is there
        actions.on("playback.play", self._play_or_pause)
        actions.on("playback.loop", self._set_loop)
        actions.on("step.back", partial(self._step, -1))
        actions.on("step.next", partial(self._step, 1))
        actions.on("seek.back", partial(self._skip, -_SKIP))
        actions.on("seek.forward", partial(self._skip, _SKIP))
        actions.on("seek.start", partial(self.seek, 0.0))
        actions.on("seek.end", self._seek_end)
        actions.on("speed.slower", partial(self._change_speed, -1))
        actions.on("speed.faster", partial(self._change_speed, 1))
        session.status_changed.connect(self._show_status)
        self._show_status(session.status)

    def seek(self, seconds: float) -> None:
        """Show the frame at a time."""
        if (camera := self._session.camera) is not None:
            self._target = max(seconds, 0.0)
            camera.seek(self._target)

    def set_speed(self, speed: float) -> None:
        """Play at so many times the source's own pace."""
        if (camera := self._session.camera) is not None:
            camera.set_speed(speed)

    def hold(self, wanted: bool) -> None:
        """Pause for as long as the user drags the seek bar."""
        if (camera := self._session.camera) is not None:
            camera.pause() if wanted else camera.resume()

    def _play_or_pause(self) -> None:
        camera = self._session.camera
        if camera is None or self._session.status.state.final:
            self._session.start()
        elif camera.status().playback.paused:
            camera.resume()
        else:
            camera.pause()

    def _step(self, frames: int) -> None:
        if (camera := self._session.camera) is not None:
            camera.step(frames)

    def _skip(self, seconds: float) -> None:
        """Go on from where the last seek leads, so that a key held down adds up."""
        if (camera := self._session.camera) is not None:
            playback = camera.status().playback
            here = self._target if playback.seeking and self._target is not None else playback.position
            self.seek((here or 0.0) + seconds)

    def _seek_end(self) -> None:
        if (camera := self._session.camera) is not None and (end := camera.status().playback.duration) is not None:
            self.seek(end)

    def _change_speed(self, steps: int) -> None:
        if (camera := self._session.camera) is not None:
            speed = camera.status().playback.speed
            nearest = min(range(len(SPEEDS)), key=lambda number: abs(SPEEDS[number] - speed))
            self.set_speed(SPEEDS[min(max(nearest + steps, 0), len(SPEEDS) - 1)])

    def _set_loop(self, loop: bool) -> None:
        config = self._session.config
        source = config.source.model_copy(update={"loop": loop})
        self._session.configure(config.model_copy(update={"source": source}))

    def _show_status(self, status: CameraStatus) -> None:
        """Offer what can be done, under the name it has now."""
        playback, running = status.playback, status.state is CameraState.RUNNING
        playing, playable = running and not playback.paused, has_time(playback)
        at_end = running and playback.at_end
        self._actions["playback.play"].setText("Pause" if playing else "Play again" if at_end else "Play")
        self._actions["playback.play"].setEnabled(playable)
        for name in _MOVES:
            self._actions[name].setEnabled(running and playback.seekable)
        for name in ("speed.slower", "speed.faster"):
            self._actions[name].setEnabled(running and playable and playback.live is False)
        self._actions["playback.loop"].setEnabled(playable)
        self._actions["playback.loop"].setChecked(self._session.config.source.loop)
