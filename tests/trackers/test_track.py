"""When a face that detections miss is doubted and given up, and which looks are believed."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.landmarks.topology import MEAN_FACE
from trackers import Track
from trackers.geometry import FaceFrame, face_frames
from trackers.look import judge

FACE = np.array(MEAN_FACE, np.float64).reshape(106, 2) * 100


def track(presence: float, roll: float = 0.0) -> Track:
    angle = np.radians(roll)
    frame = FaceFrame(50, 50, 80, 80, float(np.cos(angle)), float(np.sin(angle)), 50, 30)
    return Track(np.zeros(4), 0.9, np.zeros((5, 2)), 0.0, 0.0, presence=presence, frame=frame)


@pytest.mark.parametrize(("presence", "rounds"), [(0.97, 12), (0.7, 4), (0.3, 1)])
def test_the_surer_the_landmarks_the_more_rounds_may_miss_a_face(presence: float, rounds: int) -> None:
    face = track(presence)
    assert [face.missed(0.5) for _ in range(rounds)] == [False] * (rounds - 1) + [True]


@pytest.mark.parametrize(("presence", "doubtful"), [(0.97, False), (0.7, True)])
def test_an_unsure_face_is_doubted_from_the_second_miss_on(presence: float, doubtful: bool) -> None:
    face = track(presence)
    face.missed(0.5)
    assert not face.doubtful
    face.missed(0.5)
    assert (face.doubtful, face.unseen) == (doubtful, doubtful)


def test_a_tilted_face_may_be_missed_for_ever() -> None:
    face = track(0.3, roll=50)
    assert face.tilted
    assert not any(face.missed(0.5) for _ in range(50))


@pytest.mark.parametrize(
    ("presence", "away", "believed"), [(0.9, 0.0, True), (0.4, 0.0, False), (0.9, 200.0, False), (0.9, np.nan, False)]
)
def test_a_look_is_believed_if_a_face_is_there_and_near(presence: float, away: float, believed: bool) -> None:
    face = track(0.9)
    (frame,) = face_frames(FACE[None])
    expected = face.margins.apply(frame)
    predicted = (expected[0] + away, *expected[1:])
    look = judge(face, predicted, frame, FACE, np.zeros(3), presence, 0.5)
    assert look.believed == believed


def test_a_look_far_from_the_detection_it_began_with_is_not_believed() -> None:
    (frame,) = face_frames(FACE[None])
    (x, y, width, height) = track(0.9).margins.apply(frame)
    for shift, believed in ((0.0, True), (150.0, False)):
        face = track(0.9)
        face.detected_box = np.array([x - width / 2 + shift, y - height / 2, x + width / 2 + shift, y + height / 2])
        assert judge(face, (x, y, width, height), frame, FACE, np.zeros(3), 0.9, 0.5).believed == believed
        assert face.detections == int(believed)
