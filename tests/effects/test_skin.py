"""Effects on the skin, the teeth and the eyes: what they change, by how much, and what they leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer import FaceAnalyzer
from streamer.effects import Effects
from streamer.effects.base import Effect
from streamer.effects.library.eyes_sharp import EyesSharp
from streamer.effects.library.skin import Skin
from streamer.effects.library.teeth import Teeth
from streamer.effects.library.tone import Tone
from streamer.effects.library.under_eyes import UnderEyes
from streamer.effects.masks import skin_mask
from streamer.effects.region import FaceRegion
from streamer.evaluation.effects import Looks, measure_looks
from streamer.types import Image, freeze
from tests.effects.scenes import Scene, follow


def shown(scene: Scene, effect: Effect, picture: Image | None = None) -> Image:
    """The picture with one effect."""
    return Effects([effect]).apply(scene.picture if picture is None else picture, scene.faces)


def region_of(scene: Scene) -> FaceRegion:
    """The first face's region."""
    region = FaceRegion.of(scene.picture.copy(), scene.picture, scene.faces[0])
    assert region is not None
    return region


def whole(scene: Scene, mask: np.ndarray) -> np.ndarray:
    """A mask of the region as one of the picture."""
    full = np.zeros(scene.picture.shape[:2], np.uint8)
    x1, y1, x2, y2 = region_of(scene).rect
    full[y1:y2, x1:x2] = mask
    return full


def open_eyes(region: FaceRegion) -> np.ndarray:
    """A mask of both eyes between their lids."""
    return region.fill(region.part("eye_left")[:8], region.part("eye_right")[:8])


def around(region: FaceRegion, mask: np.ndarray) -> np.ndarray:
    """A mask with the little room that its soft edge may take."""
    side = 2 * round(0.05 * region.unit) + 1
    return cv2.dilate(mask, np.ones((side, side), np.uint8))


def looks(scene: Scene, after: Image) -> Looks:
    """Texture and edges before and after."""
    measured = measure_looks(scene.picture, after, scene.faces[0])
    assert measured is not None
    return measured


def gradient(picture: Image) -> np.ndarray:
    """How steep the lightness is."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.magnitude(*(cv2.Scharr(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))))


def lightness(picture: Image, where: np.ndarray) -> float:
    """Mean grey level."""
    return float(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[where].mean())


# ---- smoothing ---------------------------------------------------------------------------------------------------


def test_smoothing_beats_the_bilateral_filter_people_write_by_hand(portrait: Scene, scenes: dict[str, Scene]) -> None:
    """At least as little texture, and the edges of eyes, lips and brows stay, which that filter blurs."""
    faces = [scene.enlarged(300) for scene in (portrait, *(scenes[n] for n in ("glasses", "turned", "wrinkles")))]
    ours, theirs = [], []
    for scene in faces:
        for found, after in (
            (ours, shown(scene, Skin(strength=1.0))),
            (theirs, cv2.bilateralFilter(scene.picture, 9, 75, 75)),
        ):
            texture, edges = looks(scene, after).texture, looks(scene, after).edges
            found.append((texture[1] / texture[0], edges[1] / edges[0]))
    (texture, edges), (their_texture, their_edges) = np.mean(ours, axis=0), np.mean(theirs, axis=0)
    assert texture <= their_texture
    assert edges >= max(their_edges, 0.94)


def test_pores_stay_at_low_strength_and_go_in_proportion(portrait: Scene) -> None:
    scene = portrait.enlarged(300)
    kept = []
    for strength in (0.1, 0.3, 0.6, 1.0):
        before, after = looks(scene, shown(scene, Skin(strength=strength))).texture
        kept.append(after / before)
    assert kept[0] > 0.85
    assert kept[1] > 0.6
    assert np.all(np.diff(kept) < -0.03)


def test_spots_go_sooner_than_pores(portrait: Scene) -> None:
    """A blemish on a cheek, faint and some millimetres wide, beside the finest noise."""
    scene = portrait.enlarged(300)
    region = region_of(scene)
    x, y = ((region.points[72] + region.points[84]) / 2 + region.rect[:2]).round().astype(int)
    spot = np.zeros(scene.picture.shape[:2], np.float32)
    cv2.circle(spot, (int(x), int(y)), round(0.02 * region.unit), 1.0, -1, cv2.LINE_AA)
    noise = np.random.default_rng(2).normal(0, 3, spot.shape)
    plain = cv2.GaussianBlur(scene.picture, (0, 0), 0.05 * region.unit).astype(np.float32)
    spotted = np.clip(plain - 14 * spot[..., None] + noise[..., None], 0, 255).astype(np.uint8)
    after = shown(scene, Skin(strength=0.5), spotted)
    side = round(0.06 * region.unit)
    here = np.s_[y - side : y + side, x - side : x + side]
    fine, coarse = [], []
    for picture in (spotted, after):
        left = (picture.astype(np.float32) - plain)[here].mean(axis=2)
        beside = spot[here] == 0
        coarse.append(float(left[beside].mean() - left[spot[here] > 0.5].mean()))
        fine.append(float((left - cv2.GaussianBlur(left, (0, 0), 1.0))[beside].std()))
    assert coarse[1] < 0.6 * coarse[0]
    assert fine[1] > 0.4 * fine[0]


def test_thin_rims_of_glasses_stay_on_a_blurred_face(portrait: Scene) -> None:
    """Faint lines around the eyes of a face that has no finer detail, as motion leaves it."""
    scene = portrait.enlarged(300)
    region = region_of(scene)
    rims = np.zeros(scene.picture.shape[:2], np.uint8)
    for pupil in (104, 105):
        x, y = (16 * (region.points[pupil] + region.rect[:2])).round().astype(int).tolist()
        axes = round(16 * 0.27 * region.unit), round(16 * 0.24 * region.unit)
        cv2.ellipse(rims, (x, y), axes, 0, 0, 180, 255, round(0.02 * region.unit), cv2.LINE_AA, 4)
    rims = cv2.GaussianBlur(rims, (0, 0), 0.01 * region.unit)
    plain = cv2.GaussianBlur(scene.picture, (0, 0), 0.04 * region.unit)
    worn = cv2.subtract(plain, cv2.merge([rims // 13] * 3))
    skin = whole(scene, skin_mask(region))
    line, beside = (rims > 100) & (skin > 200), (rims == 0) & (skin > 200) & (cv2.dilate(rims, np.ones((9, 9))) > 0)
    contrast = []
    for picture in (worn, shown(scene, Skin(strength=0.6), worn)):
        left = picture.astype(int) - shown(scene, Skin(strength=0.6), plain)
        contrast.append(left[beside].mean() - left[line].mean())
    assert contrast[0] > 5
    assert contrast[1] > 0.5 * contrast[0]


@pytest.mark.parametrize("number", [90, 330])
def test_rims_of_wire_keep_their_edges(number: int, analyzer: FaceAnalyzer, clips: Path) -> None:
    """What stands out brightly on the cheek, where the lower rims of this man's glasses are."""
    scene = follow(analyzer, clips / "d9_man_glasses_webcam.mp4", number, 1)[0]
    face, unit = scene.faces[0], region_of(scene).unit
    grey = cv2.cvtColor(cv2.GaussianBlur(scene.picture, (0, 0), 0.008 * unit), cv2.COLOR_BGR2GRAY)
    side = round(0.12 * unit)
    bright = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((side, side), np.uint8)) > 8
    near: np.ndarray = np.zeros_like(grey)
    for pupil in face.landmarks[104:]:
        centre = pupil.round().astype(int).tolist()
        cv2.ellipse(near, centre, [round(0.45 * unit)] * 2, 0, 15, 165, 1, -1)
        cv2.circle(near, centre, round(0.22 * unit), 0, -1)
    rims = bright & (near > 0)
    assert rims.sum() > 300
    before, after = (gradient(picture)[rims].mean() for picture in (scene.picture, shown(scene, Skin(strength=1.0))))
    assert after > 0.75 * before


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_smoothing_leaves_no_halo(strength: float, portrait: Scene) -> None:
    """A bright wall of the skin's own hue, which begins within the landmarks' outline, is left as it is."""
    scene = portrait.enlarged(300)
    region = region_of(scene)
    inside = whole(scene, region.fill(region.outline))
    shrunken = cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=max(1, round(0.05 * region.unit)))
    picture = (scene.picture * 0.6).astype(np.uint8)
    picture[shrunken < 128] = (170, 205, 240)
    after = shown(scene, Skin(strength=strength), picture)
    wall = cv2.erode((shrunken < 128).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert np.abs(after.astype(int) - picture)[wall].max() <= 3


# ---- tone --------------------------------------------------------------------------------------------------------


def test_tone_lightens_skin_and_no_black_or_white(portrait: Scene) -> None:
    after = shown(portrait, Tone(strength=1.0))
    skin = whole(portrait, skin_mask(region_of(portrait)))
    assert lightness(after, skin > 200) > lightness(portrait.picture, skin > 200) + 8
    assert np.array_equal(after[skin == 0], portrait.picture[skin == 0])
    for level in (0, 255):
        plain = np.full_like(portrait.picture, level)
        assert np.array_equal(shown(portrait, Tone(strength=1.0), plain), plain)


# ---- under the eyes ----------------------------------------------------------------------------------------------


def test_shadows_under_the_eyes_grow_lighter(portrait: Scene) -> None:
    scene = portrait.enlarged(240)
    region = region_of(scene)
    shadow = np.zeros(scene.picture.shape[:2], np.float32)
    for lid in (72, 81):
        x, y = region.points[lid] + region.rect[:2] + 0.13 * region.unit * region.down
        axes = round(0.13 * region.unit), round(0.045 * region.unit)
        cv2.ellipse(shadow, (round(float(x)), round(float(y))), axes, 0, 0, 360, 1.0, -1)
    shadow = cv2.GaussianBlur(shadow, (0, 0), 0.03 * region.unit)
    tired = np.round(scene.picture * (1 - 0.25 * shadow[..., None])).astype(np.uint8)
    where = shadow > 0.6
    fresh, before = lightness(scene.picture, where), lightness(tired, where)
    half, full = (lightness(shown(scene, UnderEyes(strength=s), tired), where) for s in (0.5, 1.0))
    assert before < half < full < fresh + 12
    assert full - before > 0.35 * (fresh - before)


def test_under_the_eyes_nothing_grows_darker(portrait: Scene, scenes: dict[str, Scene]) -> None:
    for scene in (portrait, *scenes.values()):
        assert np.all(shown(scene, UnderEyes(strength=1.0)) >= scene.picture), scene.name


# ---- teeth -------------------------------------------------------------------------------------------------------


def mouth_closed(scene: Scene) -> Scene:
    """The same picture with landmarks of a shut mouth."""
    points = scene.faces[0].landmarks.copy()
    points[[103, 102, 101]] = points[[97, 98, 99]]
    return replace(scene, faces=(replace(scene.faces[0], landmarks=freeze(points)),))


def test_teeth_grow_whiter_where_they_show(portrait: Scene) -> None:
    scene = portrait.enlarged(240)
    after = shown(scene, Teeth(strength=1.0))
    changed = np.any(after != scene.picture, axis=2)
    assert changed.sum() > 100
    region = region_of(scene)
    lips = around(region, region.fill(region.part("lip_outer")))
    assert not changed[whole(scene, lips) == 0].any()
    saturation = [
        cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)[..., 1][changed].mean() for picture in (scene.picture, after)
    ]
    assert saturation[1] < saturation[0]
    assert lightness(after, changed) > lightness(scene.picture, changed)
    assert np.array_equal(shown(mouth_closed(scene), Teeth(strength=1.0)), scene.picture)


@pytest.mark.parametrize("inside", [(90, 80, 190), (30, 25, 60), (15, 12, 14)], ids=["tongue", "throat", "dark"])
def test_tongue_and_dark_stay(inside: tuple[int, int, int], portrait: Scene) -> None:
    scene = portrait.enlarged(240)
    region = region_of(scene)
    lips = whole(scene, region.fill(region.part("lip_outer")))
    picture = scene.picture.copy()
    picture[cv2.dilate(lips, np.ones((5, 5), np.uint8)) > 0] = (80, 70, 150)
    opening = whole(scene, region.fill(region.part("lip_inner")))
    picture[cv2.dilate(opening, np.ones((5, 5), np.uint8)) > 0] = inside
    after = shown(scene, Teeth(strength=1.0), picture)
    assert np.abs(after.astype(int) - picture).max() <= 2


# ---- eyes --------------------------------------------------------------------------------------------------------


def test_eyes_grow_sharper_and_skin_does_not(portrait: Scene, scenes: dict[str, Scene]) -> None:
    for scene in (portrait.enlarged(240), scenes["glasses"]):
        after = shown(scene, EyesSharp(strength=1.0))
        eyes = whole(scene, open_eyes(region_of(scene))) > 128
        detail = []
        for picture in (scene.picture, after):
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
            detail.append(float(np.abs(cv2.Laplacian(grey, cv2.CV_32F))[eyes].mean()))
        assert detail[1] > 1.2 * detail[0]
        texture = looks(scene, after).texture
        assert texture[1] < 1.1 * texture[0]


# ---- together ----------------------------------------------------------------------------------------------------


def test_all_of_them_keep_to_the_face(portrait: Scene) -> None:
    effects = Effects([Skin(strength=1), Tone(strength=1), UnderEyes(strength=1), Teeth(strength=1)])
    after = effects.apply(portrait.picture, portrait.faces)
    region = region_of(portrait)
    outside = whole(portrait, around(region, region.fill(region.outline))) == 0
    assert np.array_equal(after[outside], portrait.picture[outside])
    eyes = whole(portrait, open_eyes(region)) > 200
    assert np.abs(after.astype(int) - portrait.picture)[eyes].mean() < 2
