"""Times that always increase, whatever the stream says."""

from __future__ import annotations

import threading
import time

import pytest

from streamer.sources.timeline import Pacer, Timeline


def place(times, **options):
    timeline = Timeline(0.1, **options)
    return [timeline.place(raw) for raw in times]


@pytest.mark.parametrize(
    ("raw", "placed"),
    [
        ([7.0, 7.1, 7.3], [0.0, 0.1, 0.3]),
        ([None, None, 7.0, 7.1], [0.0, 0.1, 0.2, 0.3]),
        ([7.0, None, 7.2], [0.0, 0.1, 0.2]),
        ([7.0, 7.1, 7.1, 7.2], [0.0, 0.1, 0.2, 0.3]),
        ([7.0, 7.1, 0.0, 0.1], [0.0, 0.1, 0.2, 0.3]),
        ([7.0, 5000.0, 5000.1], [0.0, 0.1, 0.2]),
        ([7.0, 12.0], [0.0, 5.0]),
    ],
    ids=["origin", "late times", "gap filled", "repeated", "restarted clock", "jump ahead", "real gap"],
)
def test_place(raw, placed):
    assert place(raw) == pytest.approx(placed)


def test_start_is_kept():
    timeline = Timeline(0.1)
    timeline.start(100.0)
    assert timeline.place(102.5) == pytest.approx(2.5)


def test_live_gaps_are_filled_by_the_clock(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    timeline = Timeline(0.1, live=True)
    assert timeline.place(None) == 0.0
    now[0] += 0.7
    assert timeline.place(None) == pytest.approx(0.7)
    now[0] += 0.2
    assert timeline.place(33.0) == pytest.approx(0.9)


class Waiting(threading.Event):
    """An event that notes the waits and lets the clock jump over them."""

    def __init__(self, now):
        super().__init__()
        self.now, self.waits = now, []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        self.now[0] += timeout
        return False


def test_pacer_does_not_drift(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pacer, stop = Pacer(), Waiting(now)
    for index in range(100):
        now[0] += 0.013  # decoding and analysis
        pacer.wait(index * 0.04, stop)
    assert now[0] == pytest.approx(50.013 + 99 * 0.04)


def test_pacer_goes_on_from_now_after_a_pause(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pacer, stop = Pacer(), Waiting(now)
    pacer.wait(0.0, stop)
    now[0] += 60.0
    pacer.wait(0.04, stop)
    pacer.wait(0.08, stop)
    assert stop.waits == pytest.approx([0.04])
