"""No covered face shows: whichever rule picks it, however it is turned, and whether or not its landmarks are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from streamer import FaceAnalyzer
from streamer.effects import Effects
from streamer.effects.base import Effect
from streamer.effects.covering import CoverEffect, parse_rule
from streamer.effects.library.black_bar import BlackBar
from streamer.effects.library.blur import Blur
from streamer.effects.library.emoji import Emoji
from streamer.effects.library.pixelate import Pixelate
from streamer.types import Face, Image
from tests.effects.scenes import Scene

COVERS = [Blur, Pixelate, Emoji, BlackBar]
whole_face = pytest.mark.parametrize("cover", COVERS, ids=["blur", "pixelate", "emoji", "black bar"])
every_strength = pytest.mark.parametrize("strength", [0.01, 0.5, 1.0])


@pytest.fixture(scope="module")
def noise() -> Image:
    """A picture in which any cover changes every pixel."""
    return np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


def covered(before: Image, after: Image, box: np.ndarray) -> float:
    """Share of a box's visible pixels that a cover has changed."""
    left, top, right, bottom = (max(0, round(float(value))) for value in box)
    return float((before != after).any(axis=2)[top:bottom, left:right].mean())


def placed(face: Face, *, size: float, middle: tuple[float, float], roll: float = 0.0, track_id: int = 1) -> Face:
    """A copy of a face of another size, place and roll; its box is the one around its turned self."""
    old_middle, scale = (face.box[:2] + face.box[2:]) / 2, size / float(face.box[3] - face.box[1])
    angle = np.radians(roll)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def move(points: np.ndarray) -> np.ndarray:
        return np.asarray((points - old_middle) @ turn.T + middle, np.float32)

    half = np.sqrt(((face.box[2:] - face.box[:2]) / 2) ** 2 @ (turn.T**2))
    return replace(
        face,
        box=np.concatenate([np.array(middle) - half, np.array(middle) + half]).astype(np.float32),
        landmarks=move(face.landmarks),
        raw_landmarks=move(face.raw_landmarks),
        pose=replace(face.pose, roll=face.pose.roll + roll),
        track_id=track_id,
    )


# ---- which faces -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "picked"),
    [("all", {1, 2, 4}), ("id 1,4", {1, 4}), ("id 2", {2}), ("not id 2", {1, 4}), ("not  id 1, 2,4", set())],
)
def test_the_rule_picks_by_track_id(portrait: Scene, rule: str, picked: set[int]) -> None:
    faces = [replace(portrait.faces[0], track_id=number) for number in (1, 2, 4)]
    assert {face.track_id for face in faces if parse_rule(rule).covers(face)} == picked


@pytest.mark.parametrize("rule", ["all", "id 1", "not id 1"])
def test_a_face_that_the_rule_cannot_judge_is_covered(portrait: Scene, rule: str) -> None:
    assert portrait.faces[0].track_id is None
    assert parse_rule(rule).covers(portrait.faces[0])


@pytest.mark.parametrize("rule", ["", "id", "id x", "id 1 2", "not", "not all", "ids 1", "all 1", "name Anna", "1"])
def test_a_wrong_rule_is_refused_with_what_is_allowed(rule: str) -> None:
    with pytest.raises(ValueError, match=r"all, id 1,4 .* or not id 2"):
        Pixelate(faces=rule)


@whole_face
def test_faces_that_the_rule_leaves_open_stay_as_they_are(
    portrait: Scene, noise: Image, cover: type[CoverEffect]
) -> None:
    first = placed(portrait.faces[0], size=120, middle=(150, 240), track_id=1)
    second = placed(portrait.faces[0], size=120, middle=(480, 240), track_id=2)
    shown = Effects([cover(faces="not id 2")]).apply(noise, [first, second])
    assert covered(noise, shown, first.box) > 0.97
    assert covered(noise, shown, second.box) == 0


@whole_face
@pytest.mark.parametrize("rule", ["all", "id 7", "not id 1"])
def test_hidden_places_are_covered_under_every_rule(
    portrait: Scene, noise: Image, cover: type[CoverEffect], rule: str
) -> None:
    face = placed(portrait.faces[0], size=120, middle=(150, 240), track_id=1)
    elsewhere = np.array([400, 150, 500, 300], np.float32)
    shown = Effects([cover(faces=rule)]).apply(noise, [face], np.stack([elsewhere, face.box + 3]))
    assert covered(noise, shown, elsewhere) > 0.97
    assert (covered(noise, shown, face.box) > 0.97) == (rule == "all")  # that place is the face left open


# ---- how far ---------------------------------------------------------------------------------------------------------


@whole_face
@every_strength
def test_a_face_is_covered_at_any_roll_and_size(
    portrait: Scene, noise: Image, cover: type[CoverEffect], strength: float
) -> None:
    effects = Effects([cover(strength=strength)])
    for roll in range(0, 360, 45):
        for size in (20, 150):
            face = placed(portrait.faces[0], size=size, middle=(320, 240), roll=roll)
            shown = effects.apply(noise, [face])
            assert covered(noise, shown, face.box) > 0.9
            inside = np.zeros(noise.shape[:2], np.uint8)
            cv2.fillConvexPoly(inside, cv2.convexHull(face.landmarks.round().astype(np.int32)), 1)
            assert (noise != shown).any(axis=2)[inside > 0].mean() > 0.98


@whole_face
def test_a_moving_face_is_covered_where_it_was_and_where_it_is(
    portrait: Scene, noise: Image, cover: type[CoverEffect]
) -> None:
    here = placed(portrait.faces[0], size=120, middle=(320, 240))
    behind = replace(here, landmarks=here.landmarks - np.array([50, 0], np.float32))
    shown = Effects([cover()]).apply(noise, [behind])
    assert covered(noise, shown, here.box) > 0.9
    assert covered(noise, shown, here.box - np.array([50, 0, 50, 0])) > 0.9


@whole_face
def test_a_face_without_landmarks_is_covered_by_its_box(
    portrait: Scene, noise: Image, cover: type[CoverEffect]
) -> None:
    face = placed(portrait.faces[0], size=120, middle=(320, 240))
    for points in (np.zeros((0, 2), np.float32), np.full((106, 2), np.nan, np.float32), np.zeros((106, 2), np.float32)):
        blind = replace(face, landmarks=points, raw_landmarks=points)
        assert covered(noise, Effects([cover()]).apply(noise, [blind]), face.box) > 0.97


@whole_face
@pytest.mark.parametrize("middle", [(0, 240), (639, 240), (320, 0), (320, 479), (0, 0), (-30, 500), (320, 2000)])
def test_faces_at_the_edge(
    portrait: Scene, noise: Image, cover: type[CoverEffect], middle: tuple[float, float]
) -> None:
    face = placed(portrait.faces[0], size=200, middle=middle)
    shown = Effects([cover()]).apply(noise, [face], face.box[None] + 5)
    if middle[1] < 600:
        assert covered(noise, shown, face.box) > 0.9
    else:
        assert np.array_equal(shown, noise)


@whole_face
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1), (1, 300, 3), (300, 1, 3), (2, 2, 3), (60, 60)])
def test_tiny_and_grey_pictures(portrait: Scene, cover: type[CoverEffect], shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 200, np.uint8)
    boxes = np.array(
        [[-5, -5, 5, 5], [0, 0, 1, 1], [3, 3, 3, 3], [np.nan, 0, 1, 1], [-1e6, -1e6, 1e6, 1e6]], np.float32
    )
    assert Effects([cover()]).apply(picture, portrait.faces, boxes).shape == (*shape[:2], 3)


def test_a_bar_for_the_eyes_leaves_the_mouth(portrait: Scene) -> None:
    face = portrait.faces[0]
    shown = Effects([BlackBar(strength=0.01, part="eyes")]).apply(portrait.picture, [face])
    eyes, mouth = (face.landmarks[part].round().astype(int) for part in (slice(66, 84), slice(84, 96)))
    assert (shown[eyes[:, 1], eyes[:, 0]] == 0).all()
    assert np.array_equal(shown[mouth[:, 1], mouth[:, 0]], portrait.picture[mouth[:, 1], mouth[:, 0]])


# ---- how little is left ----------------------------------------------------------------------------------------------


@whole_face
@every_strength
def test_no_face_is_found_in_a_covered_one(
    analyzer: FaceAnalyzer, portrait: Scene, cover: type[CoverEffect], strength: float
) -> None:
    assert len(analyzer.analyze(portrait.picture)) == 1
    assert analyzer.analyze(Effects([cover(strength=strength)]).apply(portrait.picture, portrait.faces)) == ()


@pytest.mark.parametrize("effect", [Blur(strength=0.01), Pixelate(strength=0.01)], ids=["blur", "pixelate"])
def test_even_the_weakest_leaves_no_detail(portrait: Scene, noise: Image, effect: Effect) -> None:
    """Stripes a sixteenth of a face wide, in which a face would be known, are gone."""
    face = placed(portrait.faces[0], size=160, middle=(320, 240))
    stripe = (face.box[2] - face.box[0]) / 16
    columns = np.arange(640) // stripe % 2 * 255
    stripes = np.broadcast_to(columns[None, :, None], noise.shape).astype(np.uint8)
    left, top, right, bottom = face.box.round().astype(int)
    inner = Effects([effect]).apply(stripes, [face])[top + 20 : bottom - 20, left + 20 : right - 20]
    assert inner.astype(float).std() < 0.3 * stripes.astype(float).std()


def test_the_blur_fades_out_around_the_face(portrait: Scene) -> None:
    """There is no line where it ends: no step between neighbouring pixels that the picture does not have too."""
    grey = np.full_like(portrait.picture, 128)
    left, top, right, bottom = portrait.faces[0].box.astype(int)
    grey[top:bottom, left:right] = 200
    change = Effects([Blur()]).apply(grey, portrait.faces).astype(int) - grey
    edge = np.abs(np.diff(change, axis=1))[: max(top - 10, 1)]
    assert edge.max() < 12


@pytest.mark.parametrize("roll", [0, 90, 180])
def test_the_emoji_tilts_with_the_head(portrait: Scene, noise: Image, roll: int) -> None:
    """The dark of its mouth lies where the face's chin is."""
    face = placed(portrait.faces[0], size=200, middle=(320, 240), roll=roll - portrait.faces[0].pose.roll)
    shown = Effects([Emoji(expression="surprised")]).apply(noise, [face])
    dark = np.argwhere((shown.max(axis=2) < 100) & (covered_by(noise, shown)))
    middle = np.argwhere(covered_by(noise, shown)).mean(axis=0)
    down = np.array([np.cos(np.radians(roll)), -np.sin(np.radians(roll))])  # rows, columns
    mouth = dark[(dark - middle) @ down > 20]
    assert len(mouth) > 200


def covered_by(before: Image, after: Image) -> np.ndarray:
    """``(H, W)``: where a cover lies."""
    return (before != after).any(axis=2)
