"""One side of the window's measurement: a process that shows a clip, or only analyses it, and answers with its times.

Usage: worker_window.py CLIP window|headless realtime|fastest SECONDS SETTINGS.ini
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from streamer import FrameResult, load_config
from streamer.config import Config
from streamer.pipeline.camera import Camera
from streamer.runtime.memory import keep_freed_memory

WARM_UP = 3.0  # seconds that are not counted: imports, caches, the first detection
PROBE = 2  # milliseconds between the ticks that tell for how long the GUI thread was busy


def open_camera(clip: str, pace: str) -> Camera:
    """A camera that plays the clip round and round."""
    return Camera(clip, load_config(None, ["source.loop=true"]), realtime=pace == "realtime")


def percentiles(milliseconds: list[float], *which: float) -> list[float]:
    """Percentiles of times, or zeros where nothing was timed."""
    return [float(value) for value in np.percentile(milliseconds or [0.0], which)]


class Timed:
    """Times a function in milliseconds: on the clock, at work, and what it waited for instead.

    On Linux the kernel tells how long a thread that could have run stood in the queue for a core. What is left is time
    in which it slept, here for the interpreter's lock, or in which a virtual machine's host had the core.
    """

    def __init__(self, name: str, times: dict[str, list[float]]) -> None:
        self._lists = [times.setdefault(f"{name}{part}", []) for part in ("", " work", " core", " lock")]
        self._local = threading.local()
        self._answer = ctypes.create_string_buffer(64)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed from now on."""

        def wrapped(*arguments: Any) -> Any:
            began, worked, queued = time.perf_counter(), time.thread_time(), self._queued()
            try:
                return function(*arguments)
            finally:
                queue, work = self._queued() - queued, time.thread_time() - worked
                wall = time.perf_counter() - began
                for values, seconds in zip(self._lists, (wall, work, queue, wall - work - queue), strict=True):
                    values.append(max(0.0, seconds) * 1e3)

        return wrapped

    def _queued(self) -> float:
        """Seconds this thread has waited for a core so far; 0 where nobody tells."""
        if not hasattr(self._local, "schedule"):
            path = Path("/proc/thread-self/schedstat")
            self._local.schedule = os.open(path, os.O_RDONLY) if path.exists() else None
        if self._local.schedule is None:
            return 0.0
        # Not os.pread: that gives the interpreter's lock away, and what is timed would begin without it.
        ctypes.pythonapi.pread(self._local.schedule, self._answer, len(self._answer), 0)
        return int(self._answer.value.split()[1]) / 1e9


def run_headless(clip: str, pace: str, seconds: float) -> dict[str, list[float]]:
    """Analyse without a window."""
    camera = open_camera(clip, pace)
    camera.start()
    time.sleep(WARM_UP)
    frames, started = camera.metrics.frames, time.monotonic()
    time.sleep(seconds)
    fps = (camera.metrics.frames - frames) / (time.monotonic() - started)
    camera.close()
    return {"fps": [fps]}


def run_window(clip: str, pace: str, seconds: float, settings: Path) -> dict[str, list[float]]:
    """Show the clip in the real window with every overlay on."""
    from ui.app import _application
    from ui.display import choose_platform

    app = _application(choose_platform())
    from PyQt5.QtCore import Qt, QTimer
    from PyQt5.QtGui import QPaintEvent

    from ui import theme
    from ui.main_window import MainWindow
    from ui.session import Run, Session
    from ui.settings import Settings
    from ui.stage import compose
    from ui.stage.overlays import Overlays
    from ui.stage.view import VideoView

    times: dict[str, list[float]] = {"latency": [], "block": []}
    frames = [0, 0.0]

    def prepare(source: str, config: Config) -> Run:
        return Run(open_camera(source, pace), ExitStack())

    compose.compose = Timed("compose", times)(compose.compose)
    paint = Timed("paint", times)(VideoView.paintEvent)
    last_shown: list[FrameResult | None] = [None]

    def painted(view: VideoView, event: QPaintEvent) -> None:
        paint(view, event)
        if view.shown is not None and view.shown is not last_shown[0]:
            last_shown[0] = view.shown
            times["latency"].append((time.monotonic() - view.shown.frame.captured) * 1e3)

    VideoView.paintEvent = painted  # type: ignore[method-assign,assignment]
    store = Settings(settings)
    for field in fields(Overlays):
        store.set(f"overlays/{field.name}", True)
    theme.apply(app, theme.DARK)
    session = Session(clip, load_config(), prepare)
    window = MainWindow(session, store)
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        times["block"].append((now - last[0]) * 1e3 - PROBE)
        last[0] = now

    def begin() -> None:
        for values in times.values():
            values.clear()
        assert session.camera is not None
        frames[:] = session.camera.metrics.frames, time.monotonic()

    def end() -> None:
        assert session.camera is not None
        times["fps"] = [(session.camera.metrics.frames - frames[0]) / (time.monotonic() - frames[1])]
        app.quit()

    probe = QTimer()
    probe.setTimerType(Qt.PreciseTimer)
    probe.timeout.connect(tick)
    probe.start(PROBE)
    window.painted.connect(session.start)
    QTimer.singleShot(int(WARM_UP * 1e3), begin)
    QTimer.singleShot(int((WARM_UP + seconds) * 1e3), end)
    window.show()
    app.exec()
    probe.stop()
    window.close()
    session.close()
    return times


if __name__ == "__main__":
    keep_freed_memory()
    clip, kind, pace, seconds, settings = sys.argv[1:]
    if kind == "window":
        measured = run_window(clip, pace, float(seconds), Path(settings))
    else:
        measured = run_headless(clip, pace, float(seconds))
    print(json.dumps({name: percentiles(values, 50, 95, 99) for name, values in measured.items()}))
