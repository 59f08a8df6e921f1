"""The shape effects: seen again by the landmark network, and the map of the pixels itself, which must never tear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from streamer.effects import Effects
from streamer.effects.base import ShapeEffect
from streamer.effects.library.big_eyes import BigEyes
from streamer.effects.library.chin import Chin
from streamer.effects.library.mouth import Mouth
from streamer.effects.library.nose import Nose
from streamer.effects.library.slim import Slim
from streamer.effects.library.smile import Smile
from streamer.effects.library.v_line import VLine
from streamer.effects.region import FaceRegion
from streamer.effects.warp import Warp
from streamer.pipeline.analyzer import Models
from streamer.types import Face, freeze
from tests.effects.scenes import Scene

CHEEKS = ([7, 8, 9], [25, 24, 23])
JAW = ([10, 11, 12], [22, 21, 20])
WINGS = ([57, 58], [63, 62])

NARROW = (BigEyes, Slim, VLine, Smile, Chin, Nose, Mouth)
ALL = [kind(strength=1) for kind in NARROW]
WIDE = [
    BigEyes(strength=1),
    Slim(strength=1),
    VLine(strength=1),
    Smile(strength=1),
    Chin(strength=1, direction="longer"),
    Nose(strength=1, direction="wider"),
    Mouth(strength=1, direction="bigger"),
]
together = pytest.mark.parametrize("effects", [pytest.param(ALL, id="narrow"), pytest.param(WIDE, id="wide")])


def width(points: np.ndarray, sides: tuple[list[int], list[int]]) -> float:
    """Distance between the middles of two groups of landmarks."""
    return float(np.linalg.norm(points[sides[0]].mean(axis=0) - points[sides[1]].mean(axis=0)))


def bent(scene: Scene, effects: Sequence[ShapeEffect], face: Face | None = None) -> tuple[FaceRegion, np.ndarray]:
    """The first face's region after a warp, and where each of its pixels comes from, as x and y in the region."""
    height, width = scene.picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    places = np.stack([x, y, 0 * x], axis=-1)
    region = FaceRegion.of(places, places.copy(), face or scene.faces[0])
    assert region is not None
    region.once("mouth seen", lambda: (1.0, 1.0))  # no face is in the picture to be looked at
    warp = Warp(region)
    for effect in effects:
        effect.displace(region, warp)
    warp.apply()
    return region, region.picture[..., :2].astype(np.float32) - np.array(region.rect[:2], np.float32)


def shift_at(origins: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How far from these places of the new picture its pixels come, as x and y."""
    x, y = points.round().astype(int).T
    return np.asarray(origins[y, x] - np.stack([x, y], axis=1))


def seen_again(models: Models, scene: Scene, effect: ShapeEffect | None) -> np.ndarray:
    """The landmarks that the network finds in the picture with an effect."""
    picture = Effects([effect] if effect else []).apply(scene.picture, scene.faces)
    points = scene.faces[0].landmarks[None]
    for _ in range(3):
        points = models.predictor.from_landmarks(picture, points).landmarks
    return np.asarray(points[0])


def eye_height(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[[67, 68, 69, 76, 77, 78]] - points[[73, 72, 71, 82, 81, 80]], axis=1).mean())


def eye_width(points: np.ndarray) -> float:
    return width(points, ([66], [70])) + width(points, ([75], [79]))


def cheeks(points: np.ndarray) -> float:
    return width(points, CHEEKS)


def jaw(points: np.ndarray) -> float:
    return width(points, JAW)


def nose(points: np.ndarray) -> float:
    return width(points, WINGS)


def mouth(points: np.ndarray) -> float:
    return width(points, ([84], [90]))


def chin(points: np.ndarray) -> float:
    return width(points, ([16], [66, 79]))


def smile(points: np.ndarray) -> float:
    """How far the mouth's corners are from those of the eyes."""
    return width(points, ([84], [66])) + width(points, ([90], [79]))


@pytest.mark.parametrize(
    ("effect", "measure", "least", "most"),
    [
        pytest.param(BigEyes(strength=1), eye_width, 1.2, 1.35, id="eyes"),
        pytest.param(BigEyes(strength=0.3), eye_width, 1.05, 1.12, id="eyes a little"),
        pytest.param(BigEyes(strength=1), eye_height, 1.15, 1.45, id="eye openings"),
        pytest.param(Slim(strength=1), cheeks, 0.85, 0.92, id="slim"),
        pytest.param(VLine(strength=1), jaw, 0.85, 0.92, id="v-line"),
        pytest.param(Nose(strength=1), nose, 0.8, 0.87, id="nose narrower"),
        pytest.param(Nose(strength=1, direction="wider"), nose, 1.1, 1.18, id="nose wider"),
        pytest.param(Mouth(strength=1), mouth, 0.8, 0.9, id="mouth smaller"),
        pytest.param(Mouth(strength=1, direction="bigger"), mouth, 1.07, 1.18, id="mouth bigger"),
        pytest.param(Chin(strength=1), chin, 0.88, 0.94, id="chin shorter"),
        pytest.param(Chin(strength=1, direction="longer"), chin, 1.04, 1.1, id="chin longer"),
        pytest.param(Smile(strength=1), smile, 0.9, 0.96, id="smile"),
    ],
)
def test_each_part_takes_its_new_size(
    scenes: dict[str, Scene], effect: ShapeEffect, measure: Callable[[np.ndarray], float], least: float, most: float
) -> None:
    for name in ("glasses", "dark skin"):
        scene = scenes[name]
        region, _ = bent(scene, [effect])
        assert least < measure(region.points) / measure(scene.faces[0].landmarks) < most, name


@pytest.mark.parametrize(
    ("smaller", "bigger", "measure", "least"),
    [
        pytest.param(None, BigEyes(strength=1), eye_height, 1.015, id="eyes"),
        pytest.param(Slim(strength=1), None, cheeks, 1.02, id="slim"),
        pytest.param(VLine(strength=1), None, jaw, 1.01, id="v-line"),
        pytest.param(Nose(strength=1), Nose(strength=1, direction="wider"), nose, 1.01, id="nose"),
        pytest.param(Mouth(strength=1), Mouth(strength=1, direction="bigger"), mouth, 1.015, id="mouth"),
        pytest.param(Chin(strength=1), Chin(strength=1, direction="longer"), chin, 1.015, id="chin"),
        pytest.param(Smile(strength=1), None, smile, 1.03, id="smile"),
    ],
)
def test_the_network_sees_it_too(
    models: Models,
    scenes: dict[str, Scene],
    smaller: ShapeEffect | None,
    bigger: ShapeEffect | None,
    measure: Callable[[np.ndarray], float],
    least: float,
) -> None:
    """It is drawn to the faces it knows, so it sees a quarter of a change, but never the opposite."""
    ratios = []
    for name in ("glasses", "dark skin", "dark", "several"):
        small, big = (measure(seen_again(models, scenes[name], effect)) for effect in (smaller, bigger))
        ratios.append(big / small)
    assert np.mean(ratios) > least, ratios


@together
def test_the_map_never_folds(scenes: dict[str, Scene], portrait: Scene, effects: list[ShapeEffect]) -> None:
    for scene in (portrait, *scenes.values()):
        for quarters in range(4):
            _, origins = bent(scene.turned(quarters), effects)
            right, down = np.diff(origins, axis=1)[:-1], np.diff(origins, axis=0)[:, :-1]
            area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
            assert area.min() > 0.05, scene
            assert area.max() < 6, scene


@together
def test_a_face_of_any_size_keeps_its_edge(portrait: Scene, effects: list[ShapeEffect]) -> None:
    for size in (20, 60, 700):
        scene = portrait.enlarged(size)
        region, origins = bent(scene, effects)
        y, x = np.mgrid[: origins.shape[0], : origins.shape[1]].astype(np.float32)
        shift = np.abs(origins - np.stack([x, y], axis=-1)).max(axis=2)
        assert max(shift[0].max(), shift[-1].max(), shift[:, 0].max(), shift[:, -1].max()) < 1e-3
        assert shift.max() > 0.04 * region.unit


@together
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("side", range(4))
def test_nothing_is_drawn_in_over_the_frame_s_edge(
    portrait: Scene, side: int, share: float, effects: list[ShapeEffect]
) -> None:
    scene = portrait.turned(side)
    x1, _, x2, _ = scene.faces[0].box.tolist()
    cut = scene.cut(0, 0, round(x1 + share * (x2 - x1)), scene.picture.shape[0])
    region, origins = bent(cut, effects)
    width, height = region.size
    assert np.abs(origins[:, -1, 0] - (width - 1)).max() < 1e-3
    assert origins.min() > -1e-3
    assert (origins < (width - 1 + 1e-3, height - 1 + 1e-3)).all()
    assert np.abs(np.diff(origins, axis=0)).max() < 3
    assert np.abs(np.diff(origins, axis=1)).max() < 3


def test_a_door_frame_beside_the_face_stays(portrait: Scene) -> None:
    region, origins = bent(portrait, [Slim(strength=1), VLine(strength=1)])
    jaw = np.asarray(portrait.faces[0].landmarks - region.rect[:2], np.float32)[:33]
    beside = np.concatenate(
        [jaw[:12] - 0.23 * region.unit * region.right, jaw[21:] + 0.23 * region.unit * region.right]
    )
    inside = ((beside >= 0) & (beside < np.array(region.size) - 1)).all(axis=1)
    assert inside.sum() > 12
    assert np.abs(shift_at(origins, beside[inside])).max() < 0.5


@together
def test_the_landmarks_move_with_the_pixels(portrait: Scene, effects: list[ShapeEffect]) -> None:
    region, origins = bent(portrait.enlarged(300), effects)
    old = portrait.enlarged(300).faces[0].landmarks - np.array(region.rect[:2], np.float32)
    x, y = region.points.astype(int).T
    part = (region.points - np.stack([x, y], axis=1))[:, :, None]
    top = origins[y, x] * (1 - part[:, 0]) + origins[y, x + 1] * part[:, 0]
    bottom = origins[y + 1, x] * (1 - part[:, 0]) + origins[y + 1, x + 1] * part[:, 0]
    came_from = top * (1 - part[:, 1]) + bottom * part[:, 1]
    assert np.abs(came_from - old).max() < 0.5
    assert np.abs(region.points - old).max() > 5


@pytest.mark.parametrize("yaw", [-70.0, 70.0])
def test_the_far_side_of_a_profile_stays(portrait: Scene, yaw: float) -> None:
    face = portrait.faces[0]
    face = replace(face, pose=replace(face.pose, yaw=yaw))
    region, _ = bent(portrait, [*ALL[:4], Nose(strength=1), Mouth(strength=1)], face)
    moved = np.abs(region.points + np.array(region.rect[:2], np.float32) - face.landmarks).max(axis=1)
    far, near = (slice(18, 33), slice(5, 12)) if yaw > 0 else (slice(0, 15), slice(21, 28))
    assert moved[far].max() < 0.25
    assert moved[near].max() > 0.5
    assert moved[58:63].max() < 0.25


def test_a_closed_eye_does_not_become_a_stripe(portrait: Scene) -> None:
    face = portrait.faces[0]
    closed = face.landmarks.copy()
    for first in (66, 75):
        line = np.linspace(closed[first], closed[first + 4], 5)
        for upper, lower in ((1, 7), (2, 6), (3, 5)):
            closed[first + upper], closed[first + lower] = line[upper] - (0, 0.5), line[upper] + (0, 0.5)
    grown = []
    for landmarks in (face.landmarks, closed):
        region, origins = bent(portrait, [BigEyes(strength=1)], replace(face, landmarks=freeze(landmarks)))
        x, y = (landmarks[66:74].mean(axis=0) - region.rect[:2]).round().astype(int)
        grown.append(6 / (origins[y + 3, x, 1] - origins[y - 3, x, 1]))
    assert grown[0] > 1.18
    assert grown[1] < 1.15


def test_every_face_in_view_is_bent(scenes: dict[str, Scene]) -> None:
    scene = scenes["several"]
    assert len(scene.faces) > 1
    after = Effects(ALL).apply(scene.picture, scene.faces)
    for face in scene.faces:
        x1, y1, x2, y2 = face.box.astype(int).clip(0).tolist()
        assert (after[y1:y2, x1:x2] != scene.picture[y1:y2, x1:x2]).any()
    one_by_one = scene.picture
    for face in scene.faces:
        one_by_one = Effects(ALL).apply(one_by_one, [face])
    assert np.array_equal(after, one_by_one)
