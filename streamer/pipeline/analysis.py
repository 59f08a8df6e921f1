"""The analyser's loop: frames in, results out, settings that change in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from streamer.config import Config
from streamer.effects import Effects, Memory
from streamer.effects.shown import Shown, is_look
from streamer.errors import FacestreamError
from streamer.pipeline.analyzer import FaceAnalyzer
from streamer.pipeline.hindsight import DELAY, Hindsight
from streamer.pipeline.mailbox import Mailbox
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.playback import Playback
from streamer.pipeline.reload import ModelLoader
from streamer.types import NO_BOXES, Face, Frame, FrameResult

Publish = Callable[[FrameResult, bool], bool]
"""Takes a result, and whether its frame is a new one; ``False`` when no more is wanted."""

_PATIENCE: Final = 0.5  # seconds without a frame after which those that wait for it are shown


class Analysis:
    """Analyses the frames of one stream in order; belongs to one thread.

    While faces are covered, results come :data:`DELAY` frames late, with what those frames have told about them.
    Nothing waits where no further frame may come: in pauses, before jumps, when the source stalls, at the end.

    Attributes:
        error: why the effects that were asked for last cannot be had, so that those before go on; ``None`` otherwise.
    """

    def __init__(
        self,
        analyzer: FaceAnalyzer,
        config: Config,
        *,
        wanted: Callable[[], Config],
        loader: ModelLoader,
        playback: Playback,
        metrics: Metrics,
    ) -> None:
        """Prepare to analyse.

        Args:
            analyzer: new.
            config: what it was made with.
            wanted: the configuration people want now.
            loader: brings other networks.
            playback: tells whether the picture stands still.
            metrics: take the figures.

        Raises:
            ConfigError: the effects cannot be had.
        """
        self._analyzer, self._config, self._wanted = analyzer, config, wanted
        self._loader, self._playback, self._metrics = loader, playback, metrics
        self._before: Frame | None = None
        self._result_before: FrameResult | None = None
        self._waiting = Hindsight()
        self._going = True
        self._effects, self._memory = Effects.parse(config.effects.look), Memory()
        self._analyzer.vigilant = self._effects.covers
        self.error: FacestreamError | None = None

    def run(self, inbox: Mailbox[Frame], publish: Publish, *, still: bool, stopped: Callable[[], bool]) -> None:
        """Analyse until the inbox is closed and empty, somebody stops it, or ``publish`` returns ``False``.

        Args:
            inbox: the frames; a nudge has changed settings looked at while no frame comes.
            publish: takes each result, and whether its frame is a new one: a paused frame comes again when settings
                change.
            still: the source is a single picture, in which there is nothing to follow.
            stopped: whether somebody wants no more frames; those that wait come out all the same.
        """
        self._publish, self._still = publish, still
        came = time.monotonic()
        while self._going:
            frame = inbox.take(_PATIENCE if self._waiting else None)
            if stopped() or (frame is None and inbox.closed):
                self._catch_up()
                return
            changed, dressed = self._apply_settings()
            if frame is not None:
                self._take_in(frame)
                came = time.monotonic()
            if self._playback.paused or (frame is None and time.monotonic() - came >= _PATIENCE):
                self._catch_up()
            if frame is None and self._playback.paused:
                self._renew(changed, dressed)

    def _apply_settings(self) -> tuple[bool, bool]:
        """Bring the analyser and the effects up to what is wanted; whether the one and the other have changed."""
        wanted, models, before = self._wanted(), self._loader.take(), self._config
        if wanted is before and models is None:
            return False, False
        self._config = wanted
        watched = self._analyzer.vigilant
        dressed = wanted.effects != before.effects
        if dressed:
            self._take_effects(wanted)
        # Moving a slider of an effect must not set off a detection each time.
        changed = models is not None or wanted.model_copy(update={"effects": before.effects}) != before
        if changed:
            self._analyzer.configure(wanted, models)
        return changed or (self._analyzer.vigilant and not watched), dressed

    def _take_effects(self, wanted: Config) -> None:
        try:
            effects, self.error = Effects.parse(wanted.effects.look), None
        except FacestreamError as error:
            self.error = type(error)(f"the effects stay as they are: {error}")
            return
        if not effects.covers:
            self._catch_up()
        self._effects = effects
        self._analyzer.vigilant = effects.covers

    def _take_in(self, frame: Frame) -> None:
        """Analyse a frame, and show it or one before it."""
        if self._before is not None and frame.segment != self._before.segment:
            self._catch_up()
            self._analyzer.jump(_distance(self._before, frame))
        self._before = frame
        paused = self._playback.paused
        if self._still:  # a track needs several sightings, which a single picture cannot give
            result = self._result(frame, self._analyzer.analyze(frame.image))
        else:
            result = self._result(frame, self._analyzer.track(frame.image, frame.pts, standing=paused))
        self._waiting.add(result, self._analyzer.appeared)
        self._release(DELAY if self._analyzer.vigilant and not self._still and not paused else 0)

    def _catch_up(self) -> None:
        """Show all that waits; what no later frame can tell about the last one is found out at once."""
        if self._waiting and self._before is not None:
            self._waiting.found(self._analyzer.search_again(self._before.image))
            self._release(0)

    def _release(self, delay: int) -> None:
        """Show the frames that no longer need to wait."""
        for waited in self._waiting.take(delay):
            if not self._going:
                return
            result = self._result_before = self._dress(replace(waited, finished=time.monotonic()))
            latency = (result.finished - result.frame.captured) * 1e3
            self._metrics.record(latency, dict(result.stages), [face.track_id or 0 for face in result.faces])
            self._going = self._publish(result, True)
        if self._playback.paused:
            self._metrics.interrupt()

    def _renew(self, changed: bool, dressed: bool) -> None:
        """Show a paused frame again, after settings have changed."""
        if changed and self._before is not None:
            frame = replace(self._before, captured=time.monotonic())
            look = self._analyzer.analyze if self._still else self._analyzer.track_again
            self._waiting.add(self._result(frame, look(frame.image)), NO_BOXES)
            if self._analyzer.vigilant and not self._still:
                self._waiting.found(self._analyzer.search_again(frame.image))
            (again,) = self._waiting.take(0)
            again = replace(again, finished=time.monotonic())
        elif dressed and self._result_before is not None:
            again = self._result_before
        else:
            return
        self._result_before = self._dress(again)
        self._going = self._publish(self._result_before, False)

    def _result(self, frame: Frame, faces: tuple[Face, ...]) -> FrameResult:
        return FrameResult(frame, faces, self._analyzer.stages, hidden=self._analyzer.hidden)

    def _dress(self, result: FrameResult) -> FrameResult:
        """Have the effects carried out when somebody looks."""
        if not is_look(self._effects):
            return replace(result, shown=None)
        took = partial(self._metrics.record_stage, "effects")
        frame = result.frame
        moment = self._memory.at(frame.pts)
        return replace(result, shown=Shown(self._effects, frame.image, result.faces, result.hidden, moment, took))


def _distance(before: Frame, after: Frame) -> float:
    """Seconds of the video between two frames, on either side of a jump."""
    if before.position is None or after.position is None:
        return math.inf
    return after.position - before.position
