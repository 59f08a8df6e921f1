"""Batch work gives way to the window, and to nobody where there is none."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import pytest

from streamer import load_config
from streamer.pipeline.camera import Camera
from streamer.runtime import priority

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has a niceness per thread")


def niceness(thread: int | None = None) -> int:
    return os.getpriority(os.PRIO_PROCESS, thread or threading.get_native_id())


def in_a_thread(body: Callable[[], None]) -> None:
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "_has_window", False)  # and so again afterwards
    priority.prefer_window()


def seen_in_a_worker() -> list[int]:
    """Niceness of a worker, again after a second call, and of a thread it starts."""
    seen: list[int] = []

    def work() -> None:
        priority.give_way()
        seen.append(niceness())
        priority.give_way()
        seen.append(niceness())
        in_a_thread(lambda: seen.append(niceness()))

    in_a_thread(work)
    return seen


@pytest.mark.usefixtures("window")
def test_a_worker_and_what_it_starts_give_way_once_and_the_main_thread_stays() -> None:
    main = niceness()
    assert seen_in_a_worker() == [main + 5] * 3
    assert niceness() == main


def test_without_a_window_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "_has_window", False)
    assert set(seen_in_a_worker()) == {niceness()}


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize(("realtime", "behind"), [(False, 5), (True, 0)])
def test_a_camera_gives_way_while_it_is_as_fast_as_it_can(realtime: bool, behind: int) -> None:
    camera = Camera("demo", load_config(None, ["source.loop=true"]), realtime=realtime)
    camera.start()
    try:
        assert camera.viewer.take(60) is not None
        workers = [t for t in threading.enumerate() if t.name in ("source-demo", "analyser-demo")]
        assert [niceness(worker.native_id) for worker in workers] == [niceness() + behind] * 2
    finally:
        camera.close()
