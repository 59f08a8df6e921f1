"""The states of the real window that ``tests.ui.screenshots`` takes pictures of, each brought about for real.

Usage: python -m tests.ui.shots FOLDER dark|light SHOT…; DISPLAY says where. Every shot begins with a window of its own
that remembers nothing, and shows nothing but the demo, which is in the public domain.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

from streamer.pipeline.status import CameraState
from streamer.settings import with_values
from streamer.sources import list_webcams
from tests.servers import refusing_port, silent_server
from tests.ui.desk import TWO_FACES, Desk
from ui.app import _application
from ui.display import choose_platform
from ui.pages import PAGES
from ui.report import Reports

# ---- states ----------------------------------------------------------------------------------------------------


def loading(desk: Desk) -> None:
    desk.passing = True
    desk.start()
    desk.until(lambda: desk.status.activity.startswith("loading") or desk.status.frames > 0, "the networks loading")


def connecting(desk: Desk) -> None:
    desk.start(f"http://127.0.0.1:{desk.servers.enter_context(silent_server())}/live")
    desk.until(lambda: "connecting" in desk.status.activity, "the address")


def hanging(desk: Desk) -> None:
    connecting(desk)
    desk.until(lambda: desk.tells("Waiting for"), "how long it takes")


def running(desk: Desk) -> None:
    desk.run()


def all_overlays(desk: Desk) -> None:
    for action in desk.window.commands.area("overlay"):
        action.setChecked(True)
    desk.run(2.0)


def recording(desk: Desk) -> None:
    desk.run()
    desk.command("capture.record")
    desk.until(lambda: desk.status.recording is not None and desk.status.recording.seconds > 1, "the recording")


def snapshot(desk: Desk) -> None:
    desk.run()
    desk.command("capture.snapshot")
    desk.until(lambda: desk.tells("Snapshot saved"), "the snapshot")


def paused(desk: Desk) -> None:
    desk.run()
    desk.command("playback.play")
    desk.until(lambda: desk.status.playback.paused, "the pause")


def end_of_file(desk: Desk) -> None:
    desk.start(str(desk.clip()))
    desk.until(lambda: desk.status.playback.at_end, "the end")


def stopped(desk: Desk) -> None:
    desk.run()
    desk.command("run.start_stop")
    desk.become(CameraState.CLOSED)


def refused(desk: Desk) -> None:
    desk.start(f"http://127.0.0.1:{refusing_port()}/live")
    desk.become(CameraState.FAILED)


def not_found(desk: Desk) -> None:
    running(desk)
    desk.start("holiday.mp4")
    desk.become(CameraState.FAILED)


def no_video(desk: Desk) -> None:
    (desk.folder / "letter.txt").write_text("Dear all")
    desk.start(str(desk.folder / "letter.txt"))
    desk.become(CameraState.FAILED)


def wrong_password(desk: Desk) -> None:
    desk.start(desk.serve().replace("://", "://me:wrong@") + "/status/401")
    desk.become(CameraState.FAILED)


def lost(desk: Desk) -> None:
    desk.start(desk.serve() + "/mjpeg")
    desk.until(lambda: desk.status.frames > 5, "the stream")
    desk.servers.close()
    desk.become(CameraState.FAILED)


def details(desk: Desk) -> None:
    refused(desk)
    desk.press("Details")


def silent(desk: Desk) -> None:
    desk.start(desk.serve() + "/stall")
    desk.until(lambda: desk.tells("has sent no picture"), "that nothing comes")


def no_webcam(desk: Desk) -> None:
    desk.start("63")  # a number no webcam has
    desk.become(CameraState.FAILED)


def demo_instead(desk: Desk) -> None:
    if list_webcams():
        raise LookupError("there is a webcam, which would be shown")
    desk.start("auto")
    desk.until(lambda: desk.tells("There is no webcam"), "that it is the demo")
    desk.until(lambda: desk.status.faces > 0, "a face")


def internal_error(desk: Desk) -> None:
    def fail() -> None:
        raise RuntimeError("this is what an internal error looks like")

    running(desk)
    logging.disable(logging.CRITICAL)  # the terminal need not tell of it
    desk.stack.callback(logging.disable, logging.NOTSET)
    desk.stack.enter_context(Reports(desk.session, desk.window).caught())
    QTimer.singleShot(0, fail)
    desk.wait_for_dialog()


def shortcuts(desk: Desk) -> None:
    running(desk)
    desk.command("help.shortcuts")
    desk.wait_for_dialog()


def source_menu(desk: Desk) -> None:
    desk.settings.set("sources/recent", ["rtsp://door.local/live", "/home/me/Videos/holiday.mp4"])
    desk.start()
    desk.until(lambda: desk.status.faces > 0, "a face")
    desk.popup = "source.choose"


def ask_address(desk: Desk) -> None:
    running(desk)
    desk.command("source.url")
    desk.wait_for_dialog()


def damaged_settings(desk: Desk) -> None:
    desk.begin_with("rubbish")
    desk.command(f"theme.{desk.theme}")
    running(desk)


def full_screen(desk: Desk) -> None:
    running(desk)
    desk.command("view.full_screen")
    desk.until(desk.window.isFullScreen, "the full screen")


def folded(desk: Desk) -> None:
    running(desk)
    desk.command("inspector.fold")


def effects(desk: Desk) -> None:
    desk.session.configure(with_values(desk.session.config, {"effects.look": "glam,ears"}))
    open_page("effects", desk)
    desk.command("playback.play")  # the first pictures with effects take a while: hold it, and go back
    desk.go(TWO_FACES + 1.5)


def covers(desk: Desk) -> None:
    desk.session.configure(with_values(desk.session.config, {"effects.look": "blur"}))
    open_page("effects", desk)
    desk.command("playback.play")
    desk.go(TWO_FACES + 1.5)
    desk.press("Show")


def before_and_after(desk: Desk) -> None:
    effects(desk)
    desk.command("compare.split")


def open_page(name: str, desk: Desk) -> None:
    desk.window.commands[f"page.{name}"].setChecked(True)
    desk.run(2.0)  # so that traces have something to show


def another_detector(desk: Desk) -> None:
    open_page("detector", desk)
    desk.session.configure(with_values(desk.session.config, {"detector.name": "mtcnn"}))
    desk.passing = True
    desk.until(lambda: desk.tells("Loading"), "the loading")


STATES: Final[dict[str, Callable[[Desk], None]]] = {
    state.__name__: state
    for state in (
        loading, connecting, hanging, running, all_overlays, paused, end_of_file, stopped, recording, snapshot, folded,
        full_screen, refused, details, wrong_password, not_found, no_video, lost, silent, no_webcam, demo_instead,
        internal_error, damaged_settings, shortcuts, source_menu, ask_address, effects, covers, before_and_after,
        another_detector,
    )
}  # fmt: skip
PAGE_SHOTS: Final = {f"page_{spec.name}": partial(open_page, spec.name) for spec in PAGES}
SHOTS: Final = {**STATES, **PAGE_SHOTS}


def take(app: QApplication, name: str, path: Path, *, light: bool) -> None:
    """Bring a window into a state, write a picture of it, and close it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        desk = Desk(app, Path(folder), stack, light=light)
        SHOTS[name](desk)
        desk.save(path)


def main() -> None:
    """Take the shots that are asked for, and print what was written."""
    folder, look, *names = sys.argv[1:]
    app = _application(choose_platform())
    missed = 0
    for name in names:
        path = Path(folder, f"{name}.png")
        try:
            take(app, name, path, light=look == "light")
        except (LookupError, TimeoutError) as error:
            missed += 1
            print(f"{path}: {error}", flush=True)
        else:
            print(path, flush=True)
    raise SystemExit(missed > 0)


if __name__ == "__main__":
    main()
