"""Trails: two seconds of the video's time, one per track, anew after a jump."""

from dataclasses import replace

import pytest

from streamer.types import FrameResult
from tests.ui.fakes import make_face, make_result
from ui.stage.trails import SECONDS, Trails


def at(pts: float, x: float = 100.0, track_id: int = 1, segment: int = 0) -> FrameResult:
    result = make_result(size=(8, 8), faces=(make_face((x, 50.0), 20.0, track_id),))
    return replace(result, frame=replace(result.frame, pts=pts, segment=segment))


def test_a_trail_holds_the_middle_of_the_box_over_the_last_seconds() -> None:
    trails = Trails()
    for index in range(200):
        trails.add(at(index / 20, float(index)))
    (trail,) = trails.snapshot(at(199 / 20)).values()
    assert trail[-1] == pytest.approx((199.0, 50.0))
    assert len(trail) == SECONDS * 20 + 1


def test_each_track_has_its_own_and_gone_ones_are_forgotten() -> None:
    trails = Trails()
    trails.add(at(0.0, track_id=1))
    trails.add(at(0.1, track_id=2))
    assert set(trails.snapshot(at(0.1, track_id=2))) == {2}
    trails.add(at(5.0, track_id=2))
    assert set(trails.snapshot(at(5.0, track_id=1))) == set()


@pytest.mark.parametrize("jump", [at(0.5), at(3.0, segment=1)], ids=["another source", "a seek"])
def test_a_jump_begins_anew(jump: FrameResult) -> None:
    trails = Trails()
    for index in range(30):
        trails.add(at(1.0 + index / 30))
    trails.add(jump)
    assert len(trails.snapshot(jump)[1]) == 1


def test_memory_is_bounded_whatever_the_times_say() -> None:
    trails = Trails()
    for _ in range(5000):
        trails.add(at(1.0))
    assert len(trails.snapshot(at(1.0))[1]) <= 200
