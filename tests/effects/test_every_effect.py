"""What holds for every effect there is, whatever it does: found by the registry, so a new one is tried here at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Literal, get_args, get_origin

import cv2
import numpy as np
import pytest

from streamer.effects import Effects
from streamer.effects.base import Effect, Phase, ShapeEffect
from streamer.effects.registry import all_effects
from streamer.types import Image
from tests.effects.scenes import NOTHING, Scene, far_from, shifted, without_landmarks

STRENGTHS = (0.5, 1.0)
TREMBLE = 0.001
"""Units: what the smoothed landmarks of a still face move by from frame to frame (0.0004 to 0.0018 on our clips)."""

REACH = {
    Phase.SWAP: 0.25,
    Phase.SKIN: 0.25,
    Phase.MAKEUP: 0.25,
    Phase.SHAPE: 0.40,
    Phase.STYLE: 0.40,
    Phase.STICKER: 3.0,
    Phase.PRIVACY: 2.0,
}
"""How far from the face's outline an effect may reach, in units."""

FLICKER, RELATIVE_FLICKER = 0.5, 0.05
"""Most that the pixels an effect reaches may change by from frame to frame on a still face: mean of 0..255, or this
share of what the effect changes them by (a drawn line of strong contrast cannot follow a head without changing them).
"""
OWN_FLICKER = 0.35
"""The first of these on a clip, beyond what the frames themselves change by."""

every_effect = pytest.mark.parametrize("kind", [pytest.param(kind, id=name) for name, kind in all_effects().items()])


def changed(scene: Scene, *effects: Effect) -> Image:
    """The picture with effects."""
    before = scene.picture.copy()
    after = Effects(effects).apply(scene.picture, scene.faces)
    assert after.shape == (*before.shape[:2], 3)
    assert after.dtype == np.uint8
    assert not np.shares_memory(after, scene.picture)
    assert np.array_equal(scene.picture, before)
    return after


def company(kind: type[Effect], scene: Scene) -> Scene:
    """A second face beside the only one, for effects that need two."""
    if kind.phase is not Phase.SWAP or len(scene.faces) > 1:
        return scene
    (face,) = scene.faces
    return replace(scene, faces=(face, shifted(face, 1.1 * float(face.box[2] - face.box[0]), 5.0)))


def every_kind_of(kind: type[Effect], strength: float) -> list[Effect]:
    """The effect with its own settings, and with each other choice that they allow."""
    made = [kind(strength=strength)]
    for name, field in kind.model_fields.items():
        choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        choices = (False, True) if field.annotation is bool else choices
        made += [kind(strength=strength, **{name: choice}) for choice in choices if choice != field.default]
    return made


def differing(a: Image, b: Image) -> np.ndarray:
    """``(H, W)`` uint8: where two pictures differ at all."""
    return np.any(a != b, axis=2).astype(np.uint8)


def spread(a: Image, b: Image, where: np.ndarray) -> float:
    """Mean absolute difference over some pixels."""
    return float(np.mean(cv2.mean(cv2.absdiff(np.ascontiguousarray(a), np.ascontiguousarray(b)), mask=where)[:3]))


# ---- what it says about itself -----------------------------------------------------------------------------------


@every_effect
def test_it_is_documented(kind: type[Effect]) -> None:
    summary = (kind.__doc__ or "").strip().splitlines()[0]
    assert 10 < len(summary) <= 110
    assert summary.endswith(".")
    assert kind.title[0].isupper()
    assert not kind.title.endswith(".")
    assert kind.covers == (kind.phase is Phase.PRIVACY)
    for name, field in kind.model_fields.items():
        assert field.description, f"{kind.name()}.{name} has no description"
    assert 0 < kind().strength <= 1


def test_titles_are_told_apart() -> None:
    titles = [kind.title.lower() for kind in all_effects().values()]
    assert sorted(set(titles)) == sorted(titles)


# ---- where it works, and where it does not -----------------------------------------------------------------------


@every_effect
def test_at_strength_0_the_picture_stays(kind: type[Effect], portrait: Scene) -> None:
    assert np.array_equal(changed(portrait, kind(strength=0.0)), portrait.picture)
    assert not Effects([kind(strength=0.0)])


@every_effect
def test_every_choice_changes_the_face_and_nothing_else(kind: type[Effect], portrait: Scene) -> None:
    scene = company(kind, portrait)
    far = far_from(scene, REACH[kind.phase])
    for effect in every_kind_of(kind, 1.0):
        after = changed(scene, effect)
        assert not np.array_equal(after, scene.picture), effect
        assert np.array_equal(after[far], scene.picture[far]), effect


@every_effect
@pytest.mark.parametrize("strength", STRENGTHS)
def test_real_people_change_inside_their_outline_only(
    kind: type[Effect], strength: float, scenes: dict[str, Scene]
) -> None:
    for scene in scenes.values():
        after, far = changed(scene, kind(strength=strength)), far_from(scene, REACH[kind.phase])
        assert np.array_equal(after[far], scene.picture[far]), scene.name


@every_effect
def test_it_is_the_same_every_time_and_on_every_thread(kind: type[Effect], scenes: dict[str, Scene]) -> None:
    effects = Effects([kind(strength=0.7)])
    some = [scenes[name] for name in ("glasses", "hand", "several", "dark skin")] * 2
    alone = [effects.apply(scene.picture, scene.faces) for scene in some]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda scene: effects.apply(scene.picture, scene.faces), some))
    for scene, first, second in zip(some, alone, together, strict=True):
        assert np.array_equal(first, second), scene.name


@every_effect
def test_it_turns_with_the_head(kind: type[Effect], portrait: Scene) -> None:
    """A right angle moves whole pixels, so nothing but rounding may differ."""
    scene = company(kind, portrait)
    upright = changed(scene, kind(strength=1.0))
    moved = differing(upright, scene.picture)
    # What is drawn is lit from above, wherever that is.
    bound = max(FLICKER, (0.35 if kind.phase is Phase.STICKER else 0.2) * spread(upright, scene.picture, moved))
    for quarters in (1, 2, 3):
        back = np.rot90(changed(scene.turned(quarters), kind(strength=1.0)), quarters)
        assert spread(back, upright, moved) < bound, 90 * quarters


@every_effect
def test_left_and_right_are_alike(kind: type[Effect], portrait: Scene, scenes: dict[str, Scene]) -> None:
    for scene in (company(kind, each) for each in (portrait, scenes["turned"])):
        plain = changed(scene, kind(strength=1.0))
        mirrored = changed(scene.mirrored(), kind(strength=1.0))[:, ::-1]
        moved = differing(plain, scene.picture)
        # What is drawn may have a side to it (a feather, a reflection); what is done to a face may not.
        bound = max(FLICKER, (0.35 if kind.phase is Phase.STICKER else 0.1) * spread(plain, scene.picture, moved))
        assert spread(mirrored, plain, moved) <= bound, scene.name


# ---- bad input ---------------------------------------------------------------------------------------------------


@every_effect
def test_no_face_no_change(kind: type[Effect], portrait: Scene) -> None:
    assert np.array_equal(changed(replace(portrait, faces=()), kind()), portrait.picture)


@every_effect
@pytest.mark.parametrize("landmarks", [NOTHING, np.full((106, 2), np.nan, np.float32)], ids=["none", "nan"])
def test_a_face_without_landmarks_is_left_alone_or_covered(
    kind: type[Effect], landmarks: np.ndarray, portrait: Scene
) -> None:
    blind = without_landmarks(portrait.faces[0], landmarks)
    after = changed(replace(portrait, faces=(blind,)), kind(strength=1.0))
    assert np.array_equal(after, portrait.picture) != kind.covers
    both = changed(replace(portrait, faces=(blind, portrait.faces[0])), kind(strength=1.0))
    if kind.phase is not Phase.SWAP and not kind.covers:
        assert np.array_equal(both, changed(portrait, kind(strength=1.0)))


@every_effect
def test_only_covers_see_hidden_places(kind: type[Effect], portrait: Scene) -> None:
    hidden = portrait.faces[0].box[None]
    after = Effects([kind(strength=1.0)]).apply(portrait.picture, (), hidden)
    assert np.array_equal(after, portrait.picture) != kind.covers


@every_effect
def test_a_grey_picture_becomes_one_of_colours(kind: type[Effect], portrait: Scene) -> None:
    grey = portrait.picture[..., 1].copy()
    after = Effects([kind(strength=1.0)]).apply(grey, portrait.faces)
    assert after.shape == (*grey.shape, 3)


def test_an_alpha_channel_is_kept(portrait: Scene) -> None:
    alpha = np.random.default_rng(3).integers(0, 256, portrait.picture.shape[:2], np.uint8)
    effects = Effects.from_preset("glam")
    after = effects.apply(np.dstack([portrait.picture, alpha]), portrait.faces)
    assert np.array_equal(after[..., 3], alpha)
    assert np.array_equal(after[..., :3], effects.apply(portrait.picture, portrait.faces))


@every_effect
@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (400, 1), (1, 400)])
def test_the_smallest_pictures(kind: type[Effect], width: int, height: int, portrait: Scene) -> None:
    x, y = portrait.faces[0].landmarks[54].astype(int)
    scene = portrait.cut(x, y, x + width, y + height)
    for effect in every_kind_of(kind, 1.0):
        changed(scene, effect)


@every_effect
@pytest.mark.parametrize("face_height", [6, 20, 40])
def test_tiny_faces(kind: type[Effect], face_height: int, portrait: Scene, scenes: dict[str, Scene]) -> None:
    for scene in (portrait, scenes["profiles"]):
        small = scene.enlarged(face_height)
        after, far = changed(small, kind(strength=1.0)), far_from(small, REACH[kind.phase])
        assert np.array_equal(after[far], small.picture[far])


@every_effect
def test_a_face_that_fills_the_picture(kind: type[Effect], portrait: Scene) -> None:
    big = portrait.enlarged(900)
    x1, y1, x2, y2 = big.faces[0].box.astype(int).tolist()
    changed(big.cut(x1, y1, x2, y2), kind(strength=1.0))
    inner = big.cut(x1 + 200, y1 + 250, x2 - 200, y2 - 250)
    changed(inner, kind(strength=1.0))


def cuts(scene: Scene, share: float) -> dict[str, Scene]:
    """A scene cut so that only this share of the first face is left, at each edge of the picture."""
    height, width = scene.picture.shape[:2]
    x1, y1, x2, y2 = scene.faces[0].box.tolist()
    x, y = share * (x2 - x1), share * (y2 - y1)
    return {
        "left": scene.cut(round(x2 - x), 0, width, height),
        "top": scene.cut(0, round(y2 - y), width, height),
        "right": scene.cut(0, 0, round(x1 + x), height),
        "bottom": scene.cut(0, 0, width, round(y1 + y)),
        "corner": scene.cut(0, 0, round(x1 + x), round(y1 + y)),
    }


@every_effect
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_face_cut_by_the_pictures_edge(kind: type[Effect], share: float, portrait: Scene) -> None:
    for edge, scene in cuts(portrait, share).items():
        after, far = changed(scene, kind(strength=1.0)), far_from(scene, REACH[kind.phase])
        assert np.array_equal(after[far], scene.picture[far]), edge


@every_effect
def test_no_pixel_comes_from_outside_the_picture(kind: type[Effect], portrait: Scene) -> None:
    """On one plain colour, whatever only moves or mixes pixels can change nothing; black from outside would show."""
    moves = issubclass(kind, ShapeEffect) or kind.name() in ("skin", "blur", "pixelate")
    if not moves:
        return
    for share in (0.3, 0.6, 1.2):
        for edge, scene in cuts(portrait, share).items():
            plain = replace(scene, picture=np.full_like(scene.picture, 177))
            after = changed(plain, kind(strength=1.0))
            assert np.abs(after.astype(int) - 177).max() <= 1, edge


@every_effect
def test_eight_faces_over_each_other(kind: type[Effect], portrait: Scene) -> None:
    face = portrait.faces[0]
    crowd = tuple(shifted(face, 14 * (i % 4), 20 * (i // 4)) for i in range(8))
    scene = replace(portrait, faces=tuple(replace(each, track_id=i + 1) for i, each in enumerate(crowd)))
    after, far = changed(scene, kind(strength=1.0)), far_from(scene, REACH[kind.phase])
    assert np.array_equal(after[far], scene.picture[far])


# ---- steadiness --------------------------------------------------------------------------------------------------


@every_effect
def test_a_still_picture_stays_still(kind: type[Effect], portrait: Scene, scenes: dict[str, Scene]) -> None:
    rng = np.random.default_rng(7)
    for scene in (company(kind, each) for each in (portrait, scenes["glasses"], scenes["turned"])):
        shown = [changed(scene.trembling(TREMBLE, rng), kind(strength=1.0)) for _ in range(5)]
        reached = np.bitwise_or.reduce([differing(picture, scene.picture) for picture in shown])
        flicker = np.mean([spread(a, b, reached) for a, b in pairwise(shown)])
        change = spread(shown[0], scene.picture, reached)
        assert flicker <= max(FLICKER, RELATIVE_FLICKER * change), f"{scene.name}: changed by {change:.1f}"


@every_effect
def test_a_still_face_of_a_clip_stays_still(kind: type[Effect], still_clip: list[Scene]) -> None:
    """What the effect itself changes from frame to frame, beyond what the camera's noise does already."""
    shown = [changed(company(kind, scene), kind(strength=1.0)) for scene in still_clip]
    plain = [scene.picture for scene in still_clip]
    reached = np.bitwise_or.reduce([differing(a, b) for a, b in zip(shown, plain, strict=True)])
    after, before = (np.mean([spread(a, b, reached) for a, b in pairwise(run)]) for run in (shown, plain))
    change = np.mean([spread(a, b, reached) for a, b in zip(shown, plain, strict=True)])
    assert after - before <= max(OWN_FLICKER, RELATIVE_FLICKER * change), f"changed by {change:.1f}"
