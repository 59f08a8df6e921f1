"""Make-up on real faces: colour where it belongs, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer import FaceAnalyzer
from streamer.effects import Effects
from streamer.effects.makeup import eyes, sides_seen
from tests.effects.painted import BLUE, change, disc, effect, hue_distance, luminance, made_up, region
from tests.effects.scenes import Scene, follow

# ---- blush -------------------------------------------------------------------------------------------------------


def test_blush_reddens_the_cheeks_and_leaves_the_rest(portrait: Scene) -> None:
    blush = effect("blush")
    moved = made_up(portrait, blush).astype(int) - region(portrait).picture
    for cheek in ([66, 57, 4, 84], [79, 63, 28, 90]):
        _, green, red = moved[disc(portrait, cheek, 0.06)].mean(axis=0)
        assert red - green > 5
    for elsewhere in ([54], [16], [66, 67, 73], list(range(84, 96)), [104], [105]):
        assert change(portrait, blush)[disc(portrait, elsewhere, 0.03)].max() <= 2


def test_blush_keeps_the_skins_texture(portrait: Scene) -> None:
    cheek = disc(portrait, [66, 57, 4, 84], 0.1)
    before, after = (
        cv2.Laplacian(picture[..., 1], cv2.CV_32F)[cheek].std()
        for picture in (region(portrait).picture, made_up(portrait, effect("blush")))
    )
    assert after > 0.85 * before


def test_the_far_side_fades_as_the_head_turns(portrait: Scene) -> None:
    def turned(yaw: float) -> Scene:
        face = portrait.faces[0]
        return replace(portrait, faces=(replace(face, pose=replace(face.pose, yaw=yaw)),))

    left, right = disc(portrait, [66, 57, 4, 84], 0.06), disc(portrait, [79, 63, 28, 90], 0.06)
    strengths = [change(turned(yaw), effect("blush"))[right].mean() for yaw in (0, 25, 35, 60)]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] > 3
    assert strengths[-1] == 0
    assert change(turned(60), effect("blush"))[left].mean() > 3
    assert change(turned(-60), effect("blush"))[left].mean() == 0
    assert [sides_seen(region(turned(yaw))) for yaw in (-70, 0, 70)] == [(0, 1), (1, 1), (1, 0)]


# ---- eyes --------------------------------------------------------------------------------------------------------


def test_eye_shadow_colours_the_lids_and_not_the_eyes(scenes: dict[str, Scene]) -> None:
    scene = scenes["glasses"]
    seen = change(scene, effect("eye_shadow", colour=BLUE))
    face = region(scene)
    for eye in eyes(face):
        mask = np.zeros(seen.shape, np.uint8)
        above = (eye.upper[5:12] + 0.25 * (eye.brow.mean(axis=0) - eye.upper[5:12])).round().astype(np.int32)
        cv2.polylines(mask, [above], False, 1)
        assert seen[mask > 0].mean() > 10
        x, y = ((eye.upper[8] + eye.lower[8]) / 2).round().astype(int).tolist()
        assert seen[y, x] <= 2


@pytest.mark.parametrize(
    ("clip", "number"),
    [("selfie_expressions.mp4", 77), ("d9_man_glasses_webcam.mp4", 12), ("pexels_woman_expressions.mp4", 80)],
    ids=["selfie", "glasses", "lashes"],
)
def test_the_line_of_shut_eyes_is_at_the_lashes(clip: str, number: int, analyzer: FaceAnalyzer, clips: Path) -> None:
    """The darkest place near each of its points is hardly off it."""
    face = region(follow(analyzer, clips / clip, number, 1)[0])
    grey = cv2.GaussianBlur(cv2.cvtColor(face.picture, cv2.COLOR_BGR2GRAY), (0, 0), 0.015 * face.unit)
    off = np.arange(-0.12, 0.13, 0.01)
    for eye in eyes(face):
        assert eye.open < 0.6
        at = (eye.upper[3:14, None] + off[:, None] * face.unit * face.down).round().astype(int)
        darkest = off[grey[at[..., 1], at[..., 0]].argmin(axis=1)]
        assert np.abs(darkest - 0.015).mean() < 0.012  # the line is the upper edge of the lashes


def test_open_eyes_are_not_taken_for_half_shut_ones(
    analyzer: FaceAnalyzer, clips: Path, scenes: dict[str, Scene]
) -> None:
    """An iris makes a step to darkness below the one of faint lashes."""
    for scene in (scenes["masked"], follow(analyzer, clips / "s32_woman_720p.mp4", 100, 1)[0]):
        assert min(eye.open for eye in eyes(region(scene))) > 0.85, scene.name


@pytest.mark.parametrize(
    ("clip", "number"), [("selfie_expressions.mp4", 77), ("d9_man_glasses_webcam.mp4", 12)], ids=["selfie", "glasses"]
)
def test_shut_eyes(clip: str, number: int, analyzer: FaceAnalyzer, clips: Path) -> None:
    """The landmarks stay open when eyes shut: lids are found in the picture, and lenses vanish."""
    shut, opened = (follow(analyzer, clips / clip, at, 1)[0] for at in (number, {77: 261, 12: 60}[number]))
    for eye, other in zip(eyes(region(shut)), eyes(region(opened)), strict=True):
        assert eye.open < 0.6 < other.open
    assert (
        change(shut, effect("lenses", colour=BLUE)).mean() < 0.1 * change(opened, effect("lenses", colour=BLUE)).mean()
    )
    for eye in eyes(region(shut)):
        x, y = (eye.upper[8] * 0.7 + eye.brow[2] * 0.3).round().astype(int).tolist()
        assert change(shut, effect("eye_shadow", colour=BLUE))[y, x] > 5


def test_eyes_pressed_shut_get_no_make_up(analyzer: FaceAnalyzer, clips: Path) -> None:
    scene = follow(analyzer, clips / "selfie_expressions.mp4", 102, 1)[0]
    assert max(eye.sure for eye in eyes(region(scene))) < 0.3
    for name in ("lenses", "eyeliner", "eye_shadow"):
        assert change(scene, effect(name)).max() < 30, name


def test_open_eyes_are_sure(scenes: dict[str, Scene]) -> None:
    for name in ("glasses", "turned", "hand", "masked", "dark skin", "wrinkles"):
        assert min(eye.sure for eye in eyes(region(scenes[name]))) > 0.8, name


def test_eyes_are_found_once_for_all_effects(portrait: Scene) -> None:
    face = region(portrait)
    assert eyes(face) is eyes(face)


def test_eyeliner_darkens_the_lids_edge(portrait: Scene) -> None:
    after, before = made_up(portrait, effect("eyeliner")), region(portrait).picture
    for eye in eyes(region(portrait)):
        mask = np.zeros(before.shape[:2], np.uint8)
        cv2.polylines(mask, [eye.upper[:12].round().astype(np.int32)], False, 1)
        where = mask > 0
        assert luminance(after, where).mean() < luminance(before, where).mean() - 10
        x, y = eye.pupil.round().astype(int).tolist()
        assert np.abs(after[y, x].astype(int) - before[y, x]).max() <= 3


def test_brows_take_the_tint(scenes: dict[str, Scene]) -> None:
    for name in ("glasses", "several"):
        scene = scenes[name]
        face = region(scene)
        brows = face.fill(face.part("brow_left"), face.part("brow_right")) > 250
        tint = effect("brow_tint", colour="#a02010")
        assert hue_distance(made_up(scene, tint), brows, "#a02010") < 0.8 * hue_distance(face.picture, brows, "#a02010")
        far = cv2.dilate(brows.astype(np.uint8), np.ones((2 * round(0.08 * face.unit) + 7,) * 2, np.uint8)) == 0
        assert change(scene, tint)[far].max() == 0


def test_lenses_colour_the_iris_and_leave_pupil_and_white(scenes: dict[str, Scene]) -> None:
    scene = scenes["glasses"].enlarged(400)
    face, seen = region(scene), change(scene, effect("lenses", colour=BLUE)).astype(float)
    columns_rows = np.indices(seen.shape)[::-1]
    far = np.ones(seen.shape, bool)
    for pupil in face.points[104:106]:
        near = np.hypot(*(columns_rows - pupil[:, None, None])) < 0.14 * face.unit
        far &= ~near
        centre = (columns_rows * seen * near).sum(axis=(1, 2)) / (seen * near).sum()
        distance = np.hypot(*(columns_rows - centre[:, None, None])) / face.unit
        ring = seen[(distance > 0.035) & (distance < 0.045)].mean()
        assert ring > 15
        assert seen[distance < 0.012].mean() < 0.3 * ring
        assert seen[near & (distance > 0.095)].max() <= 2
    assert seen[far].max() == 0


def test_dark_glasses_get_no_lenses(portrait: Scene) -> None:
    picture = portrait.picture.copy()
    for points in (slice(66, 74), slice(75, 83)):
        x, y = portrait.faces[0].landmarks[points].mean(axis=0).round().astype(int).tolist()
        cv2.ellipse(picture, (x, y), (22, 18), 0, 0, 360, (25, 25, 25), -1, cv2.LINE_AA)
        cv2.circle(picture, (x + 6, y - 5), 4, (200, 200, 200), -1, cv2.LINE_AA)
    assert change(replace(portrait, picture=picture), effect("lenses", colour="#30a0ff")).max() < 12


def test_all_of_it_at_once(scenes: dict[str, Scene]) -> None:
    everything = [effect(name) for name in ("lipstick", "blush", "eye_shadow", "eyeliner", "brow_tint", "lenses")]
    for scene in scenes.values():
        turned = scene.turned(1)
        upright, back = (
            Effects(everything).apply(scene.picture, scene.faces),
            Effects(everything).apply(turned.picture, turned.faces),
        )
        assert cv2.absdiff(np.ascontiguousarray(np.rot90(back)), upright).mean() < 0.3
