"""One side of the window's measurement: a process that shows a clip, or only analyses it, and answers with its times.

Usage: worker_window.py CLIP window|headless realtime|fastest SECONDS SETTINGS.ini
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path

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

    from ui import theme
    from ui.main_window import MainWindow
    from ui.session import Run, Session
    from ui.settings import Settings
    from ui.stage import compose
    from ui.stage.overlays import Overlays
    from ui.stage.view import VideoView

    names = ("compose", "compose work", "paint", "paint work", "latency", "block")
    times: dict[str, list[float]] = {name: [] for name in names}
    frames = [0, 0.0]

    def prepare(source: str, config: Config) -> Run:
        return Run(open_camera(source, pace), ExitStack())

    def timed(name: str, function):  # type: ignore[no-untyped-def]
        def wrapped(*arguments):  # type: ignore[no-untyped-def]
            began, worked = time.perf_counter(), time.thread_time()
            try:
                return function(*arguments)
            finally:
                times[f"{name} work"].append((time.thread_time() - worked) * 1e3)
                times[name].append((time.perf_counter() - began) * 1e3)

        return wrapped

    compose.compose = timed("compose", compose.compose)
    VideoView.paintEvent = timed("paint", VideoView.paintEvent)  # type: ignore[method-assign]
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

    def painted(result: FrameResult) -> None:
        times["latency"].append((time.monotonic() - result.frame.captured) * 1e3)

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
    window.view.painted.connect(painted)
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
