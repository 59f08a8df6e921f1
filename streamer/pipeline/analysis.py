"""The analyser's loop: frames in, results out, settings that change in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from streamer.config import Config
from streamer.pipeline.analyzer import FaceAnalyzer
from streamer.pipeline.mailbox import Mailbox
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.playback import Playback
from streamer.pipeline.reload import ModelLoader
from streamer.types import Face, Frame, FrameResult


class Analysis:
    """Analyses the frames of one stream in order; belongs to one thread."""

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
        """
        self._analyzer, self._config, self._wanted = analyzer, config, wanted
        self._loader, self._playback, self._metrics = loader, playback, metrics
        self._before: Frame | None = None

    def run(self, inbox: Mailbox[Frame], publish: Callable[[FrameResult, bool], bool], *, still: bool) -> None:
        """Analyse until the inbox is closed and empty, or ``publish`` returns ``False``.

        Args:
            inbox: the frames; a nudge has changed settings looked at while no frame comes.
            publish: takes each result, and whether its frame is a new one: a paused frame is analysed again when
                settings change.
            still: the source is a single picture, in which there is nothing to follow.
        """
        going = True
        while going:
            frame = inbox.take()
            changed = self._apply_settings()
            if frame is not None:
                going = publish(self._analyse(frame, still=still), True)
            elif inbox.closed:
                return
            elif changed and self._playback.paused and self._before is not None:
                going = publish(self._analyse_again(self._before, still=still), False)

    def _apply_settings(self) -> bool:
        """Bring the analyser up to what is wanted; ``False`` if it was."""
        wanted, models = self._wanted(), self._loader.take()
        if wanted is self._config and models is None:
            return False
        self._analyzer.configure(wanted, models)
        self._config = wanted
        return True

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
        return FrameResult(frame, faces, self._analyzer.stages, time.monotonic())


def _distance(before: Frame, after: Frame) -> float:
    """Seconds of the video between two frames, on either side of a jump."""
    if before.position is None or after.position is None:
        return math.inf
    return after.position - before.position
