"""The cartoon: flat colours, dark lines, the head only."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from streamer.effects import Effects
from streamer.effects.region import FaceRegion
from tests.effects.scenes import Scene


def cheeks(scene: Scene, picture: np.ndarray) -> np.ndarray:
    """A patch of plain skin, below the eye."""
    x, y = (0.5 * (scene.faces[0].landmarks[73] + scene.faces[0].landmarks[84])).astype(int)
    reach = max(3, round(0.06 * scene.face_height))
    return picture[y - reach : y + reach, x - reach : x + reach]


def test_skin_becomes_flat_and_edges_dark(portrait: Scene) -> None:
    after, plain = (
        Effects.parse(look).apply(portrait.picture, portrait.faces) for look in ("cartoon", "cartoon.lines=0")
    )
    texture = [cv2.Laplacian(cheeks(portrait, p), cv2.CV_32F).std() for p in (portrait.picture, plain)]
    assert texture[1] < 0.75 * texture[0]
    face = FaceRegion.of(portrait.picture.copy(), portrait.picture, portrait.faces[0])
    assert face is not None
    # the line between the lips
    inner = face.fill(face.part("lip_outer")) > 128
    x1, y1, x2, y2 = face.rect
    assert after[y1:y2, x1:x2][inner].min() < plain[y1:y2, x1:x2][inner].min()
    assert (after.astype(int) <= plain.astype(int) + 1).all()


def test_ink_is_seen_at_a_glance(scenes: dict[str, Scene]) -> None:
    for name in ("glasses", "turned", "dark skin", "hand"):
        scene = scenes[name]
        after, plain = (
            Effects.parse(look).apply(scene.picture, scene.faces).astype(int).max(axis=2)
            for look in ("cartoon", "cartoon.lines=0")
        )
        face = FaceRegion.of(scene.picture.copy(), scene.picture, scene.faces[0])
        assert face is not None
        x1, y1, x2, y2 = face.rect
        inked = (plain - after)[y1:y2, x1:x2][face.fill(face.outline) > 128] > 40
        assert 0.02 < inked.mean() < 0.25, name


def test_wire_glasses_stay(scenes: dict[str, Scene]) -> None:
    """Smoothing takes them away; they are drawn again."""
    scene = scenes["glasses"]
    after = Effects.parse("cartoon").apply(scene.picture, scene.faces)
    x1, y1, x2, y2 = cv2.boundingRect(np.round(scene.faces[0].landmarks[66:84]).astype(np.int32))
    window = np.s_[y1 : y1 + y2 + 12, x1 - 8 : x1 + x2 + 8]
    before, now = (cv2.cvtColor(p, cv2.COLOR_BGR2GRAY)[window].astype(np.float32) for p in (scene.picture, after))
    wire, found = (picture - cv2.blur(picture, (9, 9)) for picture in (before, now))
    on_wire = wire > np.percentile(wire, 97)
    assert found[on_wire].mean() > 0.88 * wire[on_wire].mean()


def test_it_is_a_drawing_in_dim_and_grey_light_too(portrait: Scene) -> None:
    grey = cv2.cvtColor(portrait.picture, cv2.COLOR_BGR2GRAY)[..., None]
    dim = (0.55 * (0.5 * portrait.picture + 0.5 * grey)).astype(np.uint8)
    after = Effects.parse("cartoon").apply(dim, portrait.faces)
    light, saturation = (
        [cheeks(portrait, p).astype(float).mean() for p in (dim, after)],
        [np.ptp(cheeks(portrait, p).astype(float).mean(axis=(0, 1))) for p in (dim, after)],
    )
    assert light[1] > 1.2 * light[0]
    assert saturation[1] > 1.5 * saturation[0]


def test_the_corners_of_the_region_stay(portrait: Scene) -> None:
    after = Effects.parse("cartoon").apply(portrait.picture, portrait.faces)
    face = FaceRegion.of(portrait.picture.copy(), portrait.picture, portrait.faces[0])
    assert face is not None
    x1, y1, x2, y2 = face.rect
    for x, y in ((x1, y1), (x2 - 1, y1), (x1, y2 - 1), (x2 - 1, y2 - 1)):
        assert np.array_equal(after[y, x], portrait.picture[y, x])


def test_there_is_no_edge_where_the_region_ends(portrait: Scene) -> None:
    change = cv2.absdiff(Effects.parse("cartoon").apply(portrait.picture, portrait.faces), portrait.picture).max(axis=2)
    face = FaceRegion.of(portrait.picture.copy(), portrait.picture, portrait.faces[0])
    assert face is not None
    x1, y1, x2, y2 = face.rect
    height, width = portrait.picture.shape[:2]
    border = [change[y1:y2, x] for x in (x1, x2 - 1) if 0 < x < width - 1]
    border += [change[y, x1:x2] for y in (y1, y2 - 1) if 0 < y < height - 1]
    assert max(line.max() for line in border) <= 3


@pytest.mark.parametrize("size", [20, 60, 700])
def test_every_size_of_face(size: int, portrait: Scene) -> None:
    scene = portrait.enlarged(size)
    after = Effects.parse("cartoon").apply(scene.picture, scene.faces)
    assert not np.array_equal(after, scene.picture)
    assert np.array_equal(after, Effects.parse("cartoon").apply(scene.picture, scene.faces))


def test_on_black_and_on_white_pictures_nothing_is_invented(portrait: Scene) -> None:
    for level in (0, 255):
        flat = np.full_like(portrait.picture, level)
        after = Effects.parse("cartoon").apply(flat, replace(portrait, picture=flat).faces)
        assert cv2.absdiff(after, flat).max() <= 12
