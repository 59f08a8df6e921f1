"""Opens the window for one run and sees to it that everything ends with it."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from streamer.pipeline.status import CameraState, CameraStatus
from streamer.session import RunOptions, finish, open_sinks
from ui.display import choose_platform

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QApplication

    from streamer.config import Config
    from streamer.pipeline.camera import Camera
    from ui.main_window import MainWindow
    from ui.session import Run, Session

_CALM: Final = 2000  # ms after the first frame in which other things are loaded


def run_window(options: RunOptions, config: Config) -> int:
    """Show a source in a window until the user closes it.

    With ``options.max_frames`` the window closes by itself when that many frames have been analysed.

    Returns:
        The exit status: 0, that of an output that failed, 130 when Ctrl-C closed the window, or 1 after an internal
        error, which has been logged and shown.

    Raises:
        DisplayError: no window can be opened; the message says why.
        FacestreamError: the source had failed and the user closed the window instead of retrying.
    """
    platform = choose_platform()
    from ui.qt_log import qt_messages_logged

    with qt_messages_logged():
        return _show(_application(platform), options, config)


def _show(app: QApplication, options: RunOptions, config: Config) -> int:
    from streamer import personal
    from ui import theme
    from ui.main_window import MainWindow
    from ui.report import Reports
    from ui.session import Session
    from ui.settings import Settings, settings_path

    # Nothing runs yet that would have to be finished, and an exception raised inside a Qt callback would be lost:
    # until the loop listens for it (``_signals``), Ctrl-C simply ends the process.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    settings = Settings(settings_path())
    theme.apply(app, theme.THEMES.get(settings.get("window/theme", "dark"), theme.DARK))
    runs = _Runs(options)
    session = Session(options.source, config, runs.prepare)
    window = MainWindow(session, settings)
    for notice in personal.notices:  # started from a menu, there is no terminal that would show them
        window.tell(notice)
    reports = Reports(session, window)
    reports.told.connect(window.tell)
    window.painted.connect(session.start)  # loading begins when there is something to look at
    _load_effects_behind(session)
    if options.max_frames is not None:
        session.status_changed.connect(lambda status: _close_at_end(window, status))
    with reports.caught():
        window.show()
        try:
            interrupted = _execute(app)
        finally:
            window.close()
            app.processEvents()
            session.close()
            window.deleteLater()
            signal.signal(signal.SIGINT, before)
    return runs.finish(session) or (130 if interrupted else int(reports.count > 0))


def _load_effects_behind(session: Session) -> None:
    """Load what the page of effects needs once a picture runs: a click on it would else wait for half a second."""
    from PyQt5.QtCore import QTimer

    def load() -> None:
        from streamer.effects.registry import all_effects
        from ui.pages import effects as page  # noqa: F401

        all_effects()

    def begin() -> None:
        session.frame_ready.disconnect(begin)
        QTimer.singleShot(_CALM, lambda: threading.Thread(target=load, name="load-effects").start())

    session.frame_ready.connect(begin)


class _Runs:
    """Prepares each start of one window, with its outputs; of those before it keeps no camera, which holds networks."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self._latest: Camera | None = None
        self._shown = 0  # runs before the latest that had frames
        self._webcam = ""

    def prepare(self, source: str, config: Config) -> Run:
        """A camera with its outputs opened; on the session's thread, because opening loads an encoder.

        Raises:
            FacestreamError: the source's name means nothing, or a path cannot be written.
        """
        from streamer.pipeline.camera import Camera
        from streamer.sources import resolve
        from ui.session import Run

        self._take_leave()
        resolved, options, outputs = self._webcam if source == "auto" else "", self._numbered(), ExitStack()
        resolved = resolved or resolve(source)
        sinks = outputs.enter_context(open_sinks(options, config))
        # A run that ends by itself must not stay on the last frame of a file that is shorter.
        hold = options.max_frames is None
        camera = Camera(resolved, config, sinks=sinks, max_frames=options.max_frames, hold=hold)
        run = Run(camera, outputs, webcam=resolved.isdigit() or resolved.startswith("/dev/video"))
        if source == "auto" and run.webcam:
            self._webcam = resolved  # unplugged and started again, it is still what is meant
        self._latest = camera
        return run

    def finish(self, session: Session) -> int:
        """Print what was asked for and tell how the run on the screen ended."""
        self._take_leave()
        if session.status.error is not None:
            raise session.status.error
        return 0 if session.camera is None else finish(session.camera)

    def _take_leave(self) -> None:
        """Count the run before, which is closed by now, and print what was asked for about it."""
        camera, self._latest = self._latest, None
        if camera is None:
            return
        self._shown += camera.status().frames > 0
        if self._options.stats:
            from rich.console import Console

            from streamer.headless import print_summary

            print_summary(camera, Console())

    def _numbered(self) -> RunOptions:
        """Output paths as given for the first run with frames, then ``name-2``, …: a restart overwrites nothing."""
        number = self._shown + 1

        def path(given: Path | None) -> Path | None:
            return given if given is None or number == 1 else given.with_stem(f"{given.stem}-{number}")

        return replace(self._options, jsonl=path(self._options.jsonl), record=path(self._options.record))


def _application(platform: str | None) -> QApplication:
    from PyQt5.QtCore import QCoreApplication, Qt
    from PyQt5.QtGui import QGuiApplication
    from PyQt5.QtWidgets import QApplication

    from streamer.runtime.priority import prefer_window
    from ui.icon import icon

    prefer_window()
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    QCoreApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QCoreApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(["facestream", *(["-platform", platform] if platform else [])])
    app.setApplicationName("facestream")
    app.setDesktopFileName("facestream")
    app.setWindowIcon(icon())
    return app


def _execute(app: QApplication) -> bool:
    """Run Qt until the last window is closed.

    Returns:
        Whether it was Ctrl-C or SIGTERM instead.
    """
    interrupted = False

    def stop() -> None:
        nonlocal interrupted
        interrupted = True
        app.quit()

    with _signals(stop):
        app.exec()
    return interrupted


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` for Ctrl-C and SIGTERM.

    Python runs a signal's handler between bytecodes, and Qt's loop runs none: the interpreter writes a byte to a
    socket instead, and Qt wakes up for it.
    """
    from PyQt5.QtCore import QSocketNotifier

    def handle(signum: int, frame: FrameType | None) -> None:
        stop()

    wake, woken = socket.socketpair()
    with wake, woken:
        wake.setblocking(False)
        woken.setblocking(False)
        notifier = QSocketNotifier(woken.fileno(), QSocketNotifier.Read)  # type: ignore[arg-type]  # stubs want a voidptr
        notifier.activated.connect(lambda: woken.recv(64))
        before_fd = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_fd)
            notifier.setEnabled(False)


def _close_at_end(window: MainWindow, status: CameraStatus) -> None:
    if status.state is CameraState.ENDED:
        window.close()
