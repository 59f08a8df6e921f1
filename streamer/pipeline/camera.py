"""One camera: a source thread, an analyser thread and the sinks, observed and commanded from outside.

Thread contract: the owner commands and observes from any thread and takes results from ``viewer``; nothing but
``close`` waits, and nothing waits for decoding or inference. Results are immutable. Heavy modules (decoder,
inference) are imported by the worker threads, so that a window is on screen before they load.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.config import Config
from streamer.errors import FacestreamError
from streamer.pipeline.mailbox import Mailbox
from streamer.pipeline.metrics import Metrics, merge_drops
from streamer.pipeline.outputs import Outputs
from streamer.pipeline.playback import Playback
from streamer.pipeline.reload import ModelLoader
from streamer.pipeline.status import CameraState, CameraStatus
from streamer.runtime.priority import give_way
from streamer.sinks.base import Sink
from streamer.sources.urls import redact
from streamer.types import Frame, FrameResult

if TYPE_CHECKING:
    from streamer.pipeline.analysis import Analysis
    from streamer.pipeline.analyzer import Models
    from streamer.sources import Source

log = logging.getLogger(__name__)

_CLOSE_LIMIT = 1.8  # seconds; the thread contract allows 2 from any state
_LOADING_LIMIT = 0.5  # the same while packages are imported, which nothing can interrupt: nothing is lost by leaving


class Camera:
    """Runs one source through analysis into sinks until it ends, fails or is closed.

    Attributes:
        viewer: newest result for a window; a slow window misses frames, nothing waits for it. While the networks are
            still being loaded, frames come here without faces.
        metrics: figures for the summary table.
    """

    def __init__(
        self,
        source: str,
        config: Config,
        *,
        sinks: Sequence[Sink] = (),
        realtime: bool = True,
        max_frames: int | None = None,
        models: Models | None = None,
        hold: bool = False,
    ) -> None:
        """Prepare a camera; nothing is opened or loaded before ``start``.

        Args:
            source: what ``streamer.sources.open_source`` accepts.
            config: the whole configuration.
            sinks: consumers of every result; whoever made them closes them, after the camera.
            realtime: play files at their own speed (``source.pace`` other than ``auto`` overrides this).
            max_frames: end after this many analysed frames.
            models: networks shared with other cameras; loaded here when ``None``.
            hold: stay on the last frame of a file, to go back from there, instead of ending.
        """
        self.viewer: Mailbox[FrameResult] = Mailbox(newest_wins=True)
        self.metrics = Metrics()
        self._spec = source
        self._config = self._first_config = config
        pace = config.source.pace
        self._realtime = realtime if pace == "auto" else pace == "realtime"
        self._playback = Playback(
            realtime=self._realtime, hold=hold, loop=config.source.loop, begin=config.source.start
        )
        self._loader = ModelLoader(config, self._on_loaded)
        self._outputs = Outputs(source, tuple(sinks), self._notify)
        self._max_frames, self._models = max_frames, models
        self._lock = threading.Lock()
        self._state = CameraState.IDLE
        self._error: FacestreamError | None = None
        self._opening = self._loading = ""
        self._name = ""
        self._analysis: Analysis | None = None
        self._latest: FrameResult | None = None
        self._source: Source | None = None
        self._inbox: Mailbox[Frame] | None = None
        self._stop = threading.Event()
        self._done = threading.Event()
        self._opened = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._threads: list[threading.Thread] = []

    # ---- commands and observation: any thread ---------------------------------------------------------------

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` from worker threads whenever a result or a new state is there; it must be quick."""
        self._callbacks.append(callback)

    def start(self) -> None:
        """Begin; returns at once. A camera runs once: make a new one to retry."""
        with self._lock:
            if self._state is not CameraState.IDLE:
                raise RuntimeError(f"a camera runs once; this one is {self._state.value}")
            self._state = CameraState.CONNECTING
        for name, body in (("source", self._run_source), ("analyser", self._run_analyser)):
            thread = threading.Thread(
                target=self._guard, args=(body,), name=f"{name}-{redact(self._spec)}", daemon=name == "source"
            )
            self._threads.append(thread)
            thread.start()

    def pause(self) -> None:
        """Stay on the frame that is shown. Live sources ignore this and the five commands below."""
        self._playback.pause()
        self._wake_analyser()  # it shows at once what waits for further frames
        self._notify()

    def resume(self) -> None:
        """Go on playing; from the end, start again."""
        self.metrics.interrupt()
        self._playback.resume()
        self._notify()

    def step(self, frames: int = 1) -> None:
        """Pause, and go ``frames`` frames on, or back where negative; steps add up, to 30 at most."""
        self._playback.step(frames)
        self._notify()

    def seek(self, seconds: float) -> None:
        """Show the frame at a time, paused or playing as before; the newest seek wins. See ``Playback.seek``."""
        self._playback.seek(seconds)
        self._notify()

    def set_speed(self, speed: float) -> None:
        """Play at 0.25 to 4 times the source's own pace. See ``Playback.set_speed``."""
        self._playback.set_speed(speed)
        self._notify()

    def set_loop(self, loop: bool) -> None:
        """Start again at the end, or not."""
        self._playback.set_loop(loop)
        self._notify()

    @property
    def config(self) -> Config:
        """The configuration that was asked for last."""
        return self._config

    def configure(self, config: Config) -> None:
        """Apply another configuration to what is running.

        It applies from the next frame on; a paused frame is analysed again and goes to ``viewer`` only. Other networks
        are loaded behind the running ones first; when that fails those go on, and ``status().warnings`` tells why.
        Keys that the schema marks with ``restart`` change nothing before another camera is made.
        """
        if config.source.loop != self._config.source.loop:
            self._playback.set_loop(config.source.loop)
        self._config = config
        self._loader.want(config)
        self._wake_analyser()
        self._notify()

    def start_recording(self, path: Path) -> None:
        """Record what comes from now on, in place of a recording that runs; a failure is told in ``warnings``.

        Args:
            path: an ``.mp4`` file, overwritten if it is there; see ``streamer.sinks.places.recording_path``.
        """
        if self._state.final:
            self._outputs.recordings.refuse()
        else:
            lossless = self._source is not None and not self._source.live
            self._outputs.recordings.start(path, self._config.output.record_quality, lossless=lossless)
        self._notify()

    def stop_recording(self) -> None:
        """End the recording, if one runs; its file is finished behind."""
        self._outputs.recordings.stop()
        self._notify()

    def status(self) -> CameraStatus:
        """A snapshot for people; cheap, and never waits for a worker."""
        source, inbox = self._source, self._inbox
        drops = merge_drops(
            {
                "analysis too slow": inbox.dropped if inbox else 0,
                "corrupt data": source.stats.corrupt if source else 0,
            },
            self._outputs.drops(),
        )
        latest = self._latest
        return CameraStatus(
            state=self._state,
            source=self._name or redact(self._spec),
            error=self._error,
            activity=self._activity(),
            size=None if latest is None else (latest.frame.image.shape[1], latest.frame.image.shape[0]),
            source_fps=self.metrics.source.value(),
            analysed_fps=self.metrics.analysed.value(),
            latency_ms=self.metrics.latency.median_and_p95(),
            drops=drops,
            frames=self.metrics.frames,
            faces=0 if latest is None else len(latest.faces),
            warnings=self._warnings(),
            playback=self._playback.status(None if latest is None else latest.frame),
            recording=self._outputs.recordings.status(),
            loading=self._loader.activity,
        )

    def written(self) -> list[Path]:
        """Files that its sinks have written, or are writing, without a failure."""
        return self._outputs.written()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the camera has ended, failed or been closed, sinks included."""
        return self._done.wait(timeout)

    def close(self) -> None:
        """Stop from any state within 2 s; safe to call twice and from any thread."""
        deadline = time.monotonic() + (_LOADING_LIMIT if self._loading else _CLOSE_LIMIT)
        with self._lock:
            if not self._state.final:
                self._state = CameraState.CLOSED
                log.info("%s: closing", redact(self._spec))
        self._halt()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                level = logging.INFO if self._loading else logging.WARNING
                log.log(level, "%s did not stop in time and is left behind", thread.name)
        self._outputs.recordings.stop()  # now that the frames that waited are in it
        self._outputs.recordings.join(deadline)
        if not self._loader.close(max(0.0, deadline - time.monotonic())):
            log.info("%s is left behind while it loads", redact(self._spec))
        self._done.set()
        self._notify()

    # ---- the source's thread ---------------------------------------------------------------------------------

    def _run_source(self) -> None:
        from streamer.sources import open_source

        source = open_source(self._spec, self._config.source, realtime=self._realtime)
        self._source, self._name = source, source.name
        self._opening = f"connecting to {source.name}" if source.live else f"opening {source.name}"
        self._notify()
        try:
            if not self._stop.is_set():
                source.open()
                facts = source.name, source.size, source.fps, source.duration
                log.info("%s: opened, %s, %s frames a second, %s s long", *facts)
                self._deliver(source)
        finally:
            source.close()

    def _deliver(self, source: Source) -> None:
        """Hand every frame to the analyser until the source ends or the camera stops."""
        # Decoding ahead hides uneven decode times from a batch job; a viewer would only see it as latency.
        ahead = 1 if source.live or self._realtime else 4
        inbox: Mailbox[Frame] = Mailbox(newest_wins=source.live, capacity=ahead)
        self._inbox, self._opening = inbox, ""
        self._opened.set()
        self._playback.play(source, self._hand_over, self._notify, self._preview)

    def _hand_over(self, frame: Frame) -> bool:
        self.metrics.source.tick()
        if self._loading:
            self._preview(frame)  # its faces follow
        return self._inbox is not None and not self._stop.is_set() and self._inbox.put(frame)

    def _preview(self, frame: Frame) -> None:
        """Show a picture that is not analysed; but nobody who has asked for effects wants to be seen without."""
        if not self._config.effects.look:
            self.viewer.put(FrameResult(frame, (), finished=time.monotonic()))
            self._notify()

    # ---- the analyser's thread -------------------------------------------------------------------------------

    def _run_analyser(self) -> None:
        self._loading = "loading models"
        self._notify()
        from streamer.pipeline.analysis import Analysis
        from streamer.pipeline.analyzer import FaceAnalyzer, load_models

        try:
            began = time.monotonic()
            models = self._models or load_models(self._first_config)
            log.info("%s and landmarks loaded in %.2f s", models.detector.name, time.monotonic() - began)
            analysis = Analysis(
                FaceAnalyzer(self._first_config, models=models),
                self._first_config,
                wanted=lambda: self._config,
                loader=self._loader,
                playback=self._playback,
                metrics=self.metrics,
            )
            self._loading, self._analysis = "", analysis
            self._notify()
            self._opened.wait()
            source, inbox = self._source, self._inbox
            if source is None or inbox is None or self._stop.is_set():
                return
            self._outputs.start(lossless=not source.live)
            analysis.run(inbox, self._publish, still=source.still, stopped=self._stop.is_set)
        finally:
            self._outputs.finish(self._stop)

    def _publish(self, result: FrameResult, new: bool) -> bool:
        """Show a result; files get it if its frame is new. ``False`` when no more is wanted."""
        self._latest = result
        self.viewer.put(result)
        if new:
            self._outputs.offer(result)
        if self._state is CameraState.CONNECTING:
            self._enter(CameraState.RUNNING)
        self._notify()
        return self._max_frames is None or self.metrics.frames < self._max_frames

    def _on_loaded(self) -> None:
        """Networks have been loaded behind the running ones, or could not be."""
        self._wake_analyser()
        self._notify()

    def _wake_analyser(self) -> None:
        if self._inbox is not None:
            self._inbox.nudge()

    # ---- ends ------------------------------------------------------------------------------------------------

    def _guard(self, body: Callable[[], None]) -> None:
        """Run a thread's body; whatever it raises becomes the camera's typed error."""
        if not self._realtime:
            give_way()
        try:
            body()
        except FacestreamError as error:
            self._enter(CameraState.FAILED, error)
        except Exception as error:
            log.exception("internal error")
            sentence = f"internal error: {type(error).__name__}: {error}; please report it with the log"
            failure = FacestreamError(sentence)
            failure.__cause__ = error  # a report shows where it came from
            self._enter(CameraState.FAILED, failure)
        finally:
            # Frames a broken source delivered before are still analysed; a broken analyser stops the source.
            if body == self._run_analyser:
                self._enter(CameraState.ENDED)
                self._outputs.recordings.stop()
                self._halt()
                self._done.set()
                self._notify()
            else:  # after the state has been entered: the analyser takes a closed inbox for the source's ordinary end
                self._opened.set()
                if self._inbox is not None:
                    self._inbox.close()

    def _halt(self) -> None:
        """Make every blocking call of the worker threads return."""
        self._stop.set()
        self._opened.set()
        self._playback.close()
        if self._source is not None:
            self._source.close()
        if self._inbox is not None:
            self._inbox.close()

    def _enter(self, state: CameraState, error: FacestreamError | None = None) -> None:
        """Change the state, unless the end has been reached: what closing interrupts is no failure."""
        with self._lock:
            if self._state.final:
                return
            self._state, self._error = state, error
        log.info("%s: %s%s", redact(self._spec), state.value, f": {error}" if error is not None else "")
        self._notify()

    def _warnings(self) -> tuple[FacestreamError, ...]:
        """What went wrong while the camera goes on, or went on."""
        errors = [*self._outputs.errors(), self._loader.error]
        if self._analysis is not None:
            errors.append(self._analysis.error)
        if self._source is not None:
            errors.append(self._source.stats.incomplete)
        return tuple(error for error in errors if error is not None)

    def _activity(self) -> str:
        """What is going on, in a few words."""
        if self._state is not CameraState.CONNECTING:
            return str(self._state.value)
        return " and ".join(filter(None, (self._opening, self._loading))) or "starting"

    def _notify(self) -> None:
        for callback in self._callbacks:
            callback()
