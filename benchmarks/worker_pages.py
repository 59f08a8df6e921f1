"""The window itself for a while, its pages opened in turn; prints seconds and resident MB.

Usage: worker_pages.py SOURCE SECONDS
"""

from __future__ import annotations

import gc
import json
import sys
import time
from itertools import cycle

import psutil
from PyQt5.QtCore import QTimer

from streamer import load_config
from streamer.runtime.memory import keep_freed_memory
from streamer.session import RunOptions

TURN = 5.0  # seconds each page is open
SAMPLE = 20.0  # seconds between two figures


def main(source: str, seconds: float) -> None:
    """Run the window as ``facestream run`` does."""
    from ui import app as program
    from ui.inspector import Inspector
    from ui.pages import PAGES

    figures: list[tuple[float, float]] = []
    process, began = psutil.Process(), time.monotonic()
    pages = cycle(spec.name for spec in PAGES)
    execute = program._execute

    def turn() -> None:
        (window,) = (widget for widget in app().topLevelWidgets() if type(widget).__name__ == "MainWindow")
        action = window.findChild(Inspector)._context.actions[f"page.{next(pages)}"]
        if not action.isChecked():
            action.trigger()

    def sample() -> None:
        gc.collect()
        figures.append((time.monotonic() - began, process.memory_info().rss / 2**20))

    def app():  # type: ignore[no-untyped-def]
        from PyQt5.QtWidgets import QApplication

        return QApplication.instance()

    def driven(application):  # type: ignore[no-untyped-def]
        timers = []
        for every, task in ((TURN, turn), (SAMPLE, sample)):
            timer = QTimer()
            timer.timeout.connect(task)
            timer.start(int(every * 1e3))
            timers.append(timer)
        QTimer.singleShot(int(seconds * 1e3), application.quit)
        return execute(application)

    program._execute = driven
    config = load_config(None, ["source.loop=true", "effects.look=glam"])
    program.run_window(RunOptions(source), config)
    print(json.dumps(figures))


if __name__ == "__main__":
    keep_freed_memory()
    main(sys.argv[1], float(sys.argv[2]))
