"""Tracks keep their ids, hide their ghosts, and survive crossings, gaps and crowds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from streamer.landmarks.topology import MEAN_FACE
from trackers import MultiFaceTracker, Track, TrackState

FACE = np.array(MEAN_FACE, np.float64).reshape(106, 2)


@dataclass
class Actor:
    """A face with a place and a size; the stage below plays detector and landmark network."""

    x: float
    y: float
    size: float = 100.0
    there: bool = True

    def landmarks(self) -> np.ndarray:
        return (FACE - FACE.mean(axis=0)) * self.size + (self.x, self.y)

    def box(self) -> np.ndarray:
        points = self.landmarks()
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        return np.array([x0 - 4, y0 - 0.3 * (y1 - y0), x1 + 4, y1 + 3])


@dataclass
class Stage:
    """Runs a tracker over actors: a network that snaps to the nearest face, or sees none and says so."""

    tracker: MultiFaceTracker
    fps: float = 30.0
    detect_every: int = 5
    noise: float = 0.3
    detector_sees: bool = True
    frame: int = 0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    @property
    def pts(self) -> float:
        return self.frame / self.fps

    def step(self, actors: Sequence[Actor]) -> list[Track]:
        self.frame += 1
        present = [actor for actor in actors if actor.there]
        self.tracker.predict(self.pts)
        fresh: list[tuple[Track, np.ndarray]] = []
        if self.tracker.needs_detection or (self.frame - 1) % self.detect_every == 0:
            seen = present if self.detector_sees else []
            boxes = np.array([actor.box() for actor in seen]).reshape(-1, 4)
            matched = self.tracker.match(boxes, np.full(len(boxes), 0.9), np.zeros((len(boxes), 5, 2)))
            fresh = [(track, boxes[i]) for track, i in matched]
        taken = {id(track) for track, _ in fresh}
        followed = [track for track in self.tracker.followed() if id(track) not in taken]
        crops = [(guess.min(axis=0) + guess.max(axis=0)) / 2 for guess in self.tracker.guesses(followed)]
        crops += [(box[:2] + box[2:]) / 2 for _, box in fresh]
        self._observe([*followed, *(track for track, _ in fresh)], crops, present)
        return self.tracker.visible()

    def _observe(self, tracks: list[Track], crops: list[np.ndarray], present: list[Actor]) -> None:
        landmarks, presence = np.zeros((len(tracks), 106, 2)), np.zeros(len(tracks))
        for i, crop in enumerate(crops):
            landmarks[i] = (FACE - FACE.mean(axis=0)) * 100 + crop
            near = min(present, key=lambda actor: np.hypot(actor.x - crop[0], actor.y - crop[1]), default=None)
            if near is not None and np.hypot(near.x - crop[0], near.y - crop[1]) < near.size * 0.6:
                landmarks[i] = near.landmarks() + self.rng.normal(0, self.noise, (106, 2))
                presence[i] = 0.97
        self.tracker.observe(tracks, landmarks, np.zeros((len(tracks), 3)), presence, self.pts)

    def run(self, frames: int, actors: Sequence[Actor]) -> list[Track]:
        for _ in range(frames):
            visible = self.step(actors)
        return visible


def test_a_face_is_confirmed_after_three_sightings_and_its_box_is_the_detectors() -> None:
    stage, actor = Stage(MultiFaceTracker()), Actor(200, 150)
    assert [len(stage.step([actor])) for _ in range(3)] == [0, 0, 1]
    for _ in range(60):
        actor.x, actor.size = actor.x + 2, actor.size * 1.005
        (track,) = stage.step([actor])
        assert track.track_id == 1
        np.testing.assert_allclose(track.box, actor.box(), atol=4)


def test_ids_are_unique_and_never_reused() -> None:
    stage, seen = Stage(MultiFaceTracker(max_lost=0.3)), []
    for visit in range(5):
        actor = Actor(150 + 60 * visit, 150)
        (track,) = stage.run(10, [actor])
        seen.append(track.track_id)
        assert stage.run(30, []) == []
    stage.tracker.reset()
    seen += [track.track_id for track in stage.run(10, [Actor(100, 100), Actor(400, 100)])]
    assert seen == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
@pytest.mark.parametrize("hidden", [0.2, 0.5, 0.9])
def test_a_face_hidden_for_under_a_second_keeps_its_id(fps: float, hidden: float) -> None:
    stage, actor = Stage(MultiFaceTracker(), fps=fps), Actor(200, 150)
    stage.run(20, [actor])
    actor.there = False
    for _ in range(int(hidden * fps)):
        actor.x += 40 / fps
        stage.step([actor])
    actor.there = True
    (track,) = stage.run(6, [actor])
    assert track.track_id == 1
    assert track.state is TrackState.CONFIRMED
    np.testing.assert_allclose(track.box, actor.box(), atol=4)


def test_a_face_hidden_for_longer_is_another_one() -> None:
    stage, actor = Stage(MultiFaceTracker()), Actor(200, 150)
    stage.run(20, [actor])
    stage.run(40, [])
    assert stage.tracker.tracks == []
    assert [track.track_id for track in stage.run(10, [actor])] == [2]


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
@pytest.mark.parametrize("detector_helps", [True, False])
def test_no_ghost_outlives_its_face_by_a_third_of_a_second(fps: float, detector_helps: bool) -> None:
    every = 5 if detector_helps else 10**9
    stage, actor = Stage(MultiFaceTracker(), fps=fps, detect_every=5), Actor(200, 150)
    stage.run(20, [actor])
    stage.detect_every = every
    actor.there, left_at = False, stage.pts
    while stage.step([actor]):
        assert stage.pts - left_at < 0.3


def test_one_blink_of_the_presence_does_not_hide_a_face_the_detector_sees() -> None:
    stage, actor = Stage(MultiFaceTracker()), Actor(200, 150)
    stage.run(20, [actor])
    tracker = stage.tracker
    tracker.predict(stage.pts + 1 / 30)
    points = actor.landmarks()[None]
    tracker.observe(tracker.followed(), points, np.zeros((1, 3)), np.array([0.1]), stage.pts + 1 / 30)
    assert tracker.needs_detection
    assert [track.doubtful for track in tracker.visible()] == [True]
    stage.frame += 1
    (track,) = stage.step([actor])
    assert (track.track_id, track.doubtful) == (1, False)


def test_a_face_the_detector_keeps_missing_is_believed_for_a_while_and_then_given_up() -> None:
    stage, actor = Stage(MultiFaceTracker()), Actor(200, 150)
    stage.run(20, [actor])
    stage.detector_sees = False
    assert len(stage.run(40, [actor])) == 1
    assert stage.run(60, [actor]) == []


def test_two_crossing_faces_keep_their_ids() -> None:
    stage, left, right = Stage(MultiFaceTracker()), Actor(100, 150), Actor(500, 160)
    stage.run(10, [left, right])
    names = {track.track_id: track.box[0] for track in stage.tracker.visible()}
    assert names[1] < names[2]
    for _ in range(66):
        left.x, right.x = left.x + 6, right.x - 6
        # The left one passes in front: the network and the detector see nobody behind it.
        right.there = abs(left.x - right.x) > 60
        stage.step([left, right])
    right.there = True
    final = {track.track_id: (track.box[0] + track.box[2]) / 2 for track in stage.run(6, [left, right])}
    assert final.keys() == {1, 2}
    assert final[1] == pytest.approx(left.x, abs=6)
    assert final[2] == pytest.approx(right.x, abs=6)


def test_two_tracks_never_stay_on_one_face() -> None:
    stage, first, second = Stage(MultiFaceTracker()), Actor(200, 150), Actor(285, 150)
    stage.run(20, [first, second])
    tracker = stage.tracker
    stage.frame += 1
    tracker.predict(stage.pts)
    both = np.stack([first.landmarks(), first.landmarks() + 1])
    tracker.observe(tracker.followed(), both, np.zeros((2, 3)), np.ones(2), stage.pts)
    assert [track.track_id for track in tracker.visible()] == [1]
    assert [track.state for track in tracker.tracks] == [TrackState.CONFIRMED, TrackState.LOST]


def test_doubles_are_found_across_two_observations_of_one_frame() -> None:
    stage, first, second = Stage(MultiFaceTracker()), Actor(200, 150), Actor(285, 150)
    stage.run(20, [first, second])
    tracker = stage.tracker
    stage.frame += 1
    tracker.predict(stage.pts)
    for track in tracker.followed():
        tracker.observe([track], first.landmarks()[None], np.zeros((1, 3)), np.ones(1), stage.pts)
    assert [track.track_id for track in tracker.visible()] == [1]


@pytest.mark.parametrize("step", [0.0, -0.02, -0.5])
def test_time_that_stands_still_or_runs_back_moves_nothing(step: float) -> None:
    stage, actor = Stage(MultiFaceTracker()), Actor(200, 150)
    for _ in range(30):
        actor.x += 8
        stage.step([actor])
    (track,) = stage.tracker.tracks
    before = track.box.copy()
    stage.tracker.predict(stage.pts + step)
    np.testing.assert_array_equal(track.box, before)
    stage.tracker.predict(stage.pts + step + 0.03)
    np.testing.assert_allclose(track.box, before, atol=1e-3)
    assert track.last_seen <= stage.pts + max(step, 0)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_long_jump_in_time_forgets_all_faces(jump: float) -> None:
    stage = Stage(MultiFaceTracker())
    stage.run(20, [Actor(200, 150)])
    stage.tracker.predict(stage.pts + jump)
    assert stage.tracker.tracks == []


def test_a_patient_tracker_keeps_faces_over_a_gap_without_their_velocity() -> None:
    stage, actor = Stage(MultiFaceTracker(max_lost=5.0)), Actor(200, 150)
    for _ in range(30):
        actor.x += 8
        stage.step([actor])
    (track,) = stage.tracker.tracks
    before = track.box.copy()
    stage.tracker.predict(stage.pts + 3.0)
    np.testing.assert_array_equal(stage.tracker.tracks[0].box, before)


def test_a_crowd_is_followed_without_mixing_it_up() -> None:
    actors = [Actor(100 + 160 * (i % 8), 100 + 180 * (i // 8), 60 + 5 * i) for i in range(16)]
    stage = Stage(MultiFaceTracker(max_faces=16))
    ids = {track.track_id: i for i, track in enumerate(stage.run(10, actors))}
    for frame in range(60):
        for i, actor in enumerate(actors):
            actor.x += np.cos(frame / 9 + i) * 5
            actor.y += np.sin(frame / 7 + i) * 5
        visible = stage.step(actors)
    assert sorted(ids) == sorted(track.track_id for track in visible) == list(range(1, 17))
    for track in visible:
        box = min(actors, key=lambda actor, t=track: float(np.abs(actor.box() - t.box).sum())).box()
        np.testing.assert_allclose(track.box, box, atol=6)


def test_the_largest_faces_win_when_there_are_too_many() -> None:
    small = [Actor(100 + 120 * i, 100, 50) for i in range(4)]
    stage = Stage(MultiFaceTracker(max_faces=4))
    stage.run(10, small)
    visible = stage.run(10, [*small, Actor(300, 350, 200)])
    assert len(visible) == 4
    assert 5 in {track.track_id for track in visible}


def test_landmarks_that_are_no_numbers_or_far_off_are_not_believed() -> None:
    for broken in (np.full((1, 106, 2), np.nan), np.full((1, 106, 2), np.inf), Actor(2000, 900).landmarks()[None]):
        stage, actor = Stage(MultiFaceTracker()), Actor(200, 150)
        stage.run(20, [actor])
        stage.tracker.predict(stage.pts + 1 / 30)
        stage.tracker.observe(stage.tracker.followed(), broken, np.zeros((1, 3)), np.ones(1), stage.pts + 1 / 30)
        (track,) = stage.tracker.visible()
        assert track.doubtful
        assert np.isfinite(track.box).all()
        stage.frame += 1
        (track,) = stage.step([actor])
        np.testing.assert_allclose(track.box, actor.box(), atol=4)


def test_guesses_run_ahead_with_a_moving_face() -> None:
    stage, actor = Stage(MultiFaceTracker(), noise=0.0), Actor(200, 150)
    for _ in range(30):
        actor.x += 9
        stage.step([actor])
    stage.frame += 1
    actor.x += 9
    stage.tracker.predict(stage.pts)
    (guess,) = stage.tracker.guesses(stage.tracker.followed())
    np.testing.assert_allclose(guess, actor.landmarks(), atol=1.5)
    assert stage.tracker.guesses([]).shape == (0, 106, 2)


def test_steady_after_half_a_second_without_events_and_not_while_anything_is_new() -> None:
    stage, actor = Stage(MultiFaceTracker()), Actor(200, 150)
    stage.run(12, [actor])
    assert not stage.tracker.steady(stage.pts)
    stage.run(10, [actor])
    assert stage.tracker.steady(stage.pts)
    stage.detect_every = 1
    stage.step([actor, Actor(500, 200)])
    assert stage.tracker.needs_detection
    assert not stage.tracker.steady(stage.pts)


def test_an_empty_scene_becomes_steady_too() -> None:
    stage = Stage(MultiFaceTracker())
    stage.run(40, [])
    assert stage.tracker.steady(stage.pts)
    assert not stage.tracker.needs_detection
