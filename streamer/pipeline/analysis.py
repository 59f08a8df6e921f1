"""The analyser's loop: frames in, results out, settings that change in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from streamer.config import Config
from streamer.effects import Effects
from streamer.effects.shown import Shown
from streamer.errors import FacestreamError
from streamer.pipeline.analyzer import FaceAnalyzer
from streamer.pipeline.mailbox import Mailbox
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.playback import Playback
from streamer.pipeline.reload import ModelLoader
from streamer.types import Face, Frame, FrameResult


class Analysis:
    """Analyses the frames of one stream in order; belongs to one thread.

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
        self._effects = Effects.parse(config.effects.look)
        self._analyzer.vigilant = self._effects.covers
        self.error: FacestreamError | None = None

    def run(self, inbox: Mailbox[Frame], publish: Callable[[FrameResult, bool], bool], *, still: bool) -> None:
        """Analyse until the inbox is closed and empty, or ``publish`` returns ``False``.

        Args:
            inbox: the frames; a nudge has changed settings looked at while no frame comes.
            publish: takes each result, and whether its frame is a new one: a paused frame comes again when settings
                change.
            still: the source is a single picture, in which there is nothing to follow.
        """
        going = True
        while going:
            frame = inbox.take()
            changed, dressed = self._apply_settings()
            if frame is not None:
                going = publish(self._analyse(frame, still=still), True)
            elif inbox.closed:
                return
            elif changed and self._playback.paused and self._before is not None:
                going = publish(self._analyse_again(self._before, still=still), False)
            elif dressed and self._playback.paused and self._result_before is not None:
                going = publish(self._dress(self._result_before), False)

    def _apply_settings(self) -> tuple[bool, bool]:
        """Bring the analyser and the effects up to what is wanted; whether the one and the other have changed."""
        wanted, models, before = self._wanted(), self._loader.take(), self._config
        if wanted is before and models is None:
            return False, False
        self._config = wanted
        dressed = wanted.effects != before.effects
        if dressed:
            self._take_effects(wanted)
        # Moving a slider of an effect must not set off a detection each time.
        changed = models is not None or wanted.model_copy(update={"effects": before.effects}) != before
        if changed:
            self._analyzer.configure(wanted, models)
        return changed, dressed

    def _take_effects(self, wanted: Config) -> None:
        try:
            self._effects, self.error = Effects.parse(wanted.effects.look), None
        except FacestreamError as error:
            self.error = type(error)(f"the effects stay as they are: {error}")
        self._analyzer.vigilant = self._effects.covers

    def _analyse(self, frame: Frame, *, still: bool) -> FrameResult:
        if self._before is not None and frame.segment != self._before.segment:
            self._analyzer.jump(_distance(self._before, frame))
        self._before = frame
        paused = self._playback.paused
        if still:  # a track needs several sightings, which a single picture cannot give
            faces = self._analyzer.analyze(frame.image)
        else:
            faces = self._analyzer.track(frame.image, frame.pts, standing=paused)
        result = self._result(frame, faces)
        if paused:
            self._metrics.interrupt()
        latency = (result.finished - frame.captured) * 1e3
        self._metrics.record(latency, self._analyzer.stages, [face.track_id or 0 for face in faces])
        return result

    def _analyse_again(self, frame: Frame, *, still: bool) -> FrameResult:
        frame = replace(frame, captured=time.monotonic())
        return self._result(
            frame, self._analyzer.analyze(frame.image) if still else self._analyzer.track_again(frame.image)
        )

    def _result(self, frame: Frame, faces: tuple[Face, ...]) -> FrameResult:
        hidden = self._analyzer.hidden
        self._result_before = self._dress(FrameResult(frame, faces, self._analyzer.stages, time.monotonic(), hidden))
        return self._result_before

    def _dress(self, result: FrameResult) -> FrameResult:
        """Have the effects carried out when somebody looks."""
        if not self._effects:
            return replace(result, shown=None)
        took = partial(self._metrics.record_stage, "effects")
        return replace(result, shown=Shown(self._effects, result.frame.image, result.faces, result.hidden, took))


def _distance(before: Frame, after: Frame) -> float:
    """Seconds of the video between two frames, on either side of a jump."""
    if before.position is None or after.position is None:
        return math.inf
    return after.position - before.position
