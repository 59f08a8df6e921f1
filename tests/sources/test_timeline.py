"""Times that always increase, whatever the stream says."""

from __future__ import annotations

import time

import pytest

from streamer.sources.timeline import Timeline


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


def test_after_a_cut_time_goes_on_by_one_step():
    timeline = Timeline(0.1)
    assert [timeline.place(raw) for raw in (0.0, 0.1)] == pytest.approx([0.0, 0.1])
    timeline.cut()
    assert [timeline.place(raw) for raw in (3.0, 3.1)] == pytest.approx([0.2, 0.3])


def test_what_is_passed_by_moves_nothing():
    timeline = Timeline(0.1)
    assert timeline.place(5.0) == 0.0
    passed = [timeline.pass_by() for _ in range(50)]
    timeline.cut()
    assert passed[0] > 0.0
    assert passed == sorted(set(passed))
    assert passed[-1] < timeline.place(90.0) == pytest.approx(0.1)
