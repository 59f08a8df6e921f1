"""Two people trade faces, where that can look right."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from streamer.effects import Effects
from streamer.types import Face
from tests.effects.heads import head_at
from tests.effects.scenes import Scene, shifted

SWAP = Effects.parse("face_swap")


def beside(left: Scene, right: Scene) -> Scene:
    """Both pictures in one, the first faces of both."""
    height = max(left.picture.shape[0], right.picture.shape[0])
    parts = [
        cv2.copyMakeBorder(s.picture, 0, height - s.picture.shape[0], 0, 0, cv2.BORDER_REPLICATE) for s in (left, right)
    ]
    other = shifted(right.faces[0], left.picture.shape[1], 0)
    return Scene("both", np.hstack(parts), (left.faces[0], other))


def tinted(scene: Scene, blue: int, red: int) -> Scene:
    """In other light."""
    return replace(scene, picture=np.clip(scene.picture + np.array((blue, 0, red)), 0, 255).astype(np.uint8))


def inner(face: Face, picture: np.ndarray) -> np.ndarray:
    """Eyes, nose and mouth, upright, 64 x 64."""
    eyes, mouth = face.landmarks[66:84].mean(0), face.landmarks[84:96].mean(0)
    down = mouth - eyes
    right = np.array((-down[1], down[0])) * -1
    corners = np.array((eyes - 0.6 * right, eyes + 0.6 * right, mouth - 0.6 * right), np.float32)
    matrix = cv2.getAffineTransform(corners, np.array(((0, 8), (63, 8), (0, 56)), np.float32))
    grey = cv2.cvtColor(cv2.warpAffine(picture, matrix, (64, 64), flags=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return grey.astype(np.float32)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.fixture
def pair(scenes: dict[str, Scene]) -> Scene:
    """A man with glasses and a man with dark skin, both about frontal."""
    return beside(scenes["glasses"], scenes["frontal"])


def test_each_gets_the_other_ones_face(pair: Scene) -> None:
    after = SWAP.apply(pair.picture, pair.faces)
    one, other = pair.faces
    before = [inner(face, pair.picture) for face in (one, other)]
    now = [inner(face, after) for face in (one, other)]
    for mine, theirs, shown in ((before[0], before[1], now[0]), (before[1], before[0], now[1])):
        assert likeness(shown, theirs) > likeness(shown, mine)
        assert likeness(shown, theirs) > 0.7


def test_it_stays_in_the_light_of_its_new_place(portrait: Scene) -> None:
    scene = beside(portrait, tinted(portrait.mirrored(), 40, -60))
    after = SWAP.apply(scene.picture, scene.faces)
    for face in scene.faces:
        x, y = face.landmarks[54].astype(int)
        mean = [p[y - 15 : y + 15, x - 15 : x + 15].reshape(-1, 3).mean(0) for p in (scene.picture, after)]
        assert np.abs(mean[1] - mean[0]).max() < 18


def test_hair_and_background_stay(pair: Scene) -> None:
    after = SWAP.apply(pair.picture, pair.faces)
    changed = np.any(after != pair.picture, axis=2)
    for face in pair.faces:
        hull = cv2.convexHull(np.round(face.landmarks).astype(np.int32))
        x, y, width, height = cv2.boundingRect(hull)
        lift = round(0.35 * height)
        changed[max(0, y - lift) : y + height, max(0, x) : x + width] = False
    assert not changed.any()


def test_with_one_face_nothing_happens(portrait: Scene) -> None:
    assert np.array_equal(SWAP.apply(portrait.picture, portrait.faces), portrait.picture)


def test_only_the_two_largest_take_part(pair: Scene, portrait: Scene) -> None:
    small = portrait.enlarged(50)
    height = max(pair.picture.shape[0], small.picture.shape[0])
    picture = np.hstack(
        [
            cv2.copyMakeBorder(s.picture, 0, height - s.picture.shape[0], 0, 0, cv2.BORDER_CONSTANT)
            for s in (pair, small)
        ]
    )
    third = shifted(small.faces[0], pair.picture.shape[1], 0)
    after = SWAP.apply(picture, (third, *pair.faces))
    assert np.array_equal(after[:, pair.picture.shape[1] :], picture[:, pair.picture.shape[1] :])
    assert not np.array_equal(after, picture)


def test_the_order_of_the_faces_does_not_matter(pair: Scene) -> None:
    assert np.array_equal(SWAP.apply(pair.picture, pair.faces), SWAP.apply(pair.picture, pair.faces[::-1]))


def test_the_further_they_look_apart_the_fainter_it_is() -> None:
    """Up to 32 degrees it is whole, from 48 on there is nothing, and nothing jumps in between."""
    picture = np.random.default_rng(3).integers(0, 255, (400, 800, 3)).astype(np.uint8)
    amounts = []
    for apart in np.arange(0.0, 60.0, 2.0):
        faces = head_at(-apart / 2), head_at(apart / 2, at=(600.0, 200.0))
        amounts.append(cv2.absdiff(SWAP.apply(picture, faces), picture).mean())
    assert min(amounts[:16]) > 0.8 * amounts[0]
    assert max(amounts[25:]) == 0
    assert max(-np.diff(amounts)) < 0.25 * amounts[0]
    assert max(np.diff(amounts)) < 0.05 * amounts[0]


def test_profiles_keep_their_faces() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (400, 800, 3)).astype(np.uint8)
    faces = head_at(70.0), head_at(70.0, at=(600.0, 200.0))
    assert np.array_equal(SWAP.apply(picture, faces), picture)


def test_a_mouth_that_moves_moves_on_the_other_head(pair: Scene) -> None:
    """What one person's mouth shows is seen on the other's face."""
    one, other = pair.faces
    marked = pair.picture.copy()
    x, y = one.landmarks[84:96].mean(0).astype(int)
    cv2.circle(marked, (int(x), int(y)), 4, (0, 255, 0), -1)
    before, after = (SWAP.apply(p, pair.faces).astype(int) for p in (pair.picture, marked))
    greener = np.argwhere((after - before)[..., 1] - (after - before)[..., 2] > 40)[:, ::-1]
    on_other = greener[np.hypot(*(greener - other.landmarks[84:96].mean(0)).T) < 0.3 * np.ptp(other.landmarks[:, 0])]
    assert len(on_other) > 10
    assert np.abs(on_other.mean(0) - other.landmarks[84:96].mean(0)).max() < 0.12 * np.ptp(other.landmarks[:, 0])


@pytest.mark.parametrize("x", [-30, 60])
def test_a_face_cut_by_the_edge_tears_nothing(x: int, pair: Scene) -> None:
    left = int(pair.faces[0].box[0]) + x
    cut = pair.cut(max(left, 1), 0, *pair.picture.shape[1::-1])
    after = SWAP.apply(cut.picture, cut.faces)
    assert after.shape == cut.picture.shape
    # no black from outside the picture is brought in
    darker = (after.max(axis=2) < 12) & (cut.picture.max(axis=2) > 60)
    assert darker.mean() < 0.001
