"""Masks of a face's parts, and mixing by them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from streamer.effects.blending import blend, bounds, shrunk
from streamer.effects.masks import skin_mask
from streamer.effects.region import FaceRegion
from streamer.types import Image
from tests.effects.scenes import Scene

CHEEKS = ((72, 84), (81, 90))  # from a lower lid to a corner of the mouth


def region_of(scene: Scene, picture: Image | None = None) -> FaceRegion:
    """The first face's region."""
    shown = scene.picture if picture is None else picture
    region = FaceRegion.of(shown.copy(), shown, scene.faces[0])
    assert region is not None
    return region


def on(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A mask's values at points of the region."""
    x, y = points.round().astype(int).T
    return mask[y, x]


def cheeks(region: FaceRegion) -> np.ndarray:
    """A point on either cheek."""
    return np.stack([region.points[list(pair)].mean(axis=0) for pair in CHEEKS])


# ---- mixing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (300, 7), (7, 300), (211, 197)])
def test_blending_is_exact(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    picture, other = rng.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    mask = rng.choice(np.array([0, 0, 1, 128, 254, 255], np.uint8), size)
    for amount in (0.0, 0.3, 1.0):
        mixed = picture.copy()
        blend(mixed, other, mask, amount)
        exact = picture + (other.astype(float) - picture) * (mask[..., None] * amount / 255)
        assert np.abs(mixed - exact).max() <= 1.01
        assert np.array_equal(mixed[mask == 0], picture[mask == 0])
    assert np.array_equal(mixed[mask == 255], other[mask == 255])


def test_blending_into_a_view_leaves_the_rest(portrait: Scene) -> None:
    picture = portrait.picture.copy()
    view = picture[50:90, 60:100]
    blend(view, 255 - view, np.full(view.shape[:2], 255, np.uint8))
    assert np.array_equal(picture[50:90, 60:100], 255 - portrait.picture[50:90, 60:100])
    picture[50:90, 60:100] = portrait.picture[50:90, 60:100]
    assert np.array_equal(picture, portrait.picture)


def test_bounds_of_masks() -> None:
    mask = np.zeros((20, 30), np.uint8)
    assert mask[bounds(mask)].size == 0
    mask[4:9, 11:13] = 1
    assert bounds(mask) == (slice(4, 9), slice(11, 13))


def test_shrinking_keeps_the_mean() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (101, 203, 3), dtype=np.uint8)
    for width, height in ((50.7, 25.2), (203, 101), (0.2, 0.2), (13, 90)):
        small = shrunk(picture, width, height)
        assert small.shape == (max(1, round(height)), max(1, round(width)), 3)
        assert abs(float(small.mean()) - float(picture.mean())) < 15


# ---- parts -------------------------------------------------------------------------------------------------------


def test_skin_is_bare(portrait: Scene) -> None:
    face = region_of(portrait)
    skin = skin_mask(face)
    assert on(skin, cheeks(face)).min() > 240
    assert on(skin, face.points[[52, 53]]).min() > 200
    eyes = face.part("eye_left")[:8], face.part("eye_right")[:8]
    for part in (face.fill(*eyes), face.fill(face.part("lip_outer"))):
        assert float(skin[part > 128].mean()) < 25
    assert on(skin, face.points[[35, 40, 44, 48]]).max() < 60  # the brows
    assert on(skin, face.points[[58, 62]] * 0.5 + face.points[[59, 61]] * 0.5).max() < 60  # the nostrils
    hair = face.forehead[len(face.forehead) // 2] - 0.1 * face.unit * face.down
    assert on(skin, hair[None]).max() == 0


@pytest.mark.parametrize("face_height", [16, 20, 31, 40, 55, 80, 120, 181, 400])
def test_no_skin_outside_the_outline(face_height: int, portrait: Scene) -> None:
    for quarters in (0, 1):
        face = region_of(portrait.enlarged(face_height).turned(quarters))
        rim = 2 * round(0.05 * face.unit + 1) + 1
        outside = cv2.dilate(face.fill(face.outline), np.ones((rim, rim), np.uint8)) == 0
        assert skin_mask(face)[outside].max() == 0


def test_a_surgical_mask_in_nearly_the_skins_colour_is_no_skin(portrait: Scene) -> None:
    """Beige cloth: some lighter than the skin, of its hue, and half as colourful."""
    face = region_of(portrait)
    bare = portrait.picture[face.rect[1] : face.rect[3], face.rect[0] : face.rect[2]][skin_mask(face) > 250]
    light, red, blue = cv2.cvtColor(bare.mean(axis=0).astype(np.uint8)[None, None], cv2.COLOR_BGR2YCrCb)[0, 0].tolist()
    cloth = [min(250, 1.3 * light), 128 + 0.5 * (red - 128), 128 + 0.5 * (blue - 128)]
    colour = cv2.cvtColor(np.uint8([[cloth]]), cv2.COLOR_YCrCb2BGR)[0, 0].tolist()
    picture = portrait.picture.copy()
    edge = np.concatenate([face.points[3:30], face.points[[53]]]) + face.rect[:2]
    cv2.fillPoly(picture, [edge.round().astype(np.int32)], colour)
    worn = region_of(portrait, picture)
    covered = worn.fill(np.concatenate([worn.points[5:28], worn.points[[54]]])) > 250
    assert skin_mask(face)[covered].mean() > 120
    assert skin_mask(worn)[covered].mean() < 40
    above = (worn.fill(worn.points[[2, 30, 46, 33]]) > 250) & (skin_mask(face) > 200)
    assert skin_mask(worn)[above & (worn.fill(edge - face.rect[:2]) == 0)].mean() > 200


LIGHTS = {
    "day": (1.0, 1.0, 1.0),
    "dark": (0.3, 0.3, 0.3),
    "lamp": (0.45, 0.75, 1.0),
    "blue": (1.0, 0.7, 0.6),
    "grey": None,
}
CLOTHS = {"black": (12, 12, 14), "blue": (190, 120, 60), "green": (60, 160, 60)}


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("cloth", CLOTHS)
def test_skin_is_told_from_what_covers_it_in_any_light(light: str, cloth: str, portrait: Scene) -> None:
    picture = portrait.picture.copy()
    free, covered = cheeks(region_of(portrait)) + region_of(portrait).rect[:2]
    x, y = covered.round().astype(int)
    side = round(0.18 * region_of(portrait).unit)
    picture[y - side // 2 : y + side, x - side // 2 : x + side] = CLOTHS[cloth]
    gains = LIGHTS[light]
    if gains is None:
        if cloth != "black":
            return  # in grey it is as light as skin in the shade, and nothing can tell
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    else:
        picture = np.round(picture * gains).astype(np.uint8)
    region = region_of(portrait, picture)
    skin = skin_mask(region)
    corner = np.array(region.rect[:2])
    assert on(skin, (free - corner)[None]).min() > 170
    assert on(skin, (covered + side / 4 - corner)[None]).max() < 40


def test_skin_of_a_masked_and_of_a_dark_face(scenes: dict[str, Scene]) -> None:
    masked = region_of(scenes["masked"])
    skin = skin_mask(masked)
    assert float(on(skin, masked.points[84:96]).mean()) < 40
    assert float(on(skin, masked.points[[51, 52]]).mean()) > 120
    dark = region_of(scenes["dark skin"])
    assert float(on(skin_mask(dark), cheeks(dark)).mean()) > 180


def test_skin_is_steady(portrait: Scene, scenes: dict[str, Scene]) -> None:
    """Neither trembling landmarks nor a face that slowly comes closer may make it jump."""
    rng = np.random.default_rng(5)
    for scene in (portrait, scenes["glasses"]):
        still = skin_mask(region_of(scene)).astype(int)
        x1, y1 = region_of(scene).rect[:2]
        for _ in range(4):
            region = region_of(scene.trembling(0.001, rng))
            moved = skin_mask(region).astype(int)
            dx, dy = region.rect[0] - x1, region.rect[1] - y1
            rows, columns = (slice(4, min(a, b) - 4) for a, b in zip(still.shape, moved.shape, strict=True))
            first = still[rows.start + dy : rows.stop + dy, columns.start + dx : columns.stop + dx]
            assert np.abs(first - moved[rows, columns]).mean() < 3
    closer = [region_of(portrait.scaled(factor)) for factor in np.arange(1.02, 1.2, 0.02)]
    areas = [skin_mask(region).sum() / region.unit**2 for region in closer]
    assert np.abs(np.diff(areas)).max() < 0.03 * np.mean(areas)


def test_a_mask_never_writes_into_the_picture(portrait: Scene) -> None:
    face = region_of(portrait)
    skin_mask(face)
    assert np.array_equal(face.picture, face.source)


def test_nothing_to_see_is_no_skin(portrait: Scene) -> None:
    x1, y1, x2, _ = portrait.faces[0].box.astype(int)
    for scene in (portrait.cut(x1, 0, x2, y1 + 4), replace(portrait, picture=np.zeros_like(portrait.picture))):
        region = FaceRegion.of(scene.picture.copy(), scene.picture, scene.faces[0])
        if region is not None:
            assert skin_mask(region).shape == region.source.shape[:2]
