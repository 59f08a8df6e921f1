"""Make-up on real faces: colour where it belongs, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer import FaceAnalyzer
from streamer.effects import Effects
from streamer.effects.base import Effect, bgr_of
from streamer.effects.lips import lips
from streamer.effects.makeup import eyes, sides_seen
from streamer.effects.mouth_seen import mouth_seen
from streamer.effects.region import FaceRegion
from streamer.effects.registry import all_effects
from streamer.types import Image
from tests.effects.scenes import Scene, follow

RED, BLUE = "#b01030", "#2040d0"


def effect(name: str, **settings: object) -> Effect:
    """One of them by name, at full strength unless given."""
    return all_effects()[name](**{"strength": 1.0, **settings})


def region(scene: Scene, picture: Image | None = None) -> FaceRegion:
    """The first face's region."""
    shown = scene.picture if picture is None else picture
    found = FaceRegion.of(shown, shown, scene.faces[0])
    assert found is not None
    return found


def made_up(scene: Scene, *effects: Effect) -> Image:
    """The first face's region with effects on it."""
    return region(scene, Effects(effects).apply(scene.picture, scene.faces[:1])).picture


def change(scene: Scene, *effects: Effect) -> np.ndarray:
    """``(h, w)`` how much each pixel of the region differs, the most of its channels."""
    return np.asarray(cv2.absdiff(made_up(scene, *effects), region(scene).picture).max(axis=2))


def lip_mask(face: FaceRegion) -> np.ndarray:
    """The lips by the landmarks alone, without an open mouth."""
    return cv2.subtract(face.fill(face.part("lip_outer"), feather=0.02), face.fill(face.part("lip_inner")))


def hue_distance(picture: Image, where: np.ndarray, colour: str) -> float:
    """Between the mean of some pixels and a colour: the distance of their a and b in CIE Lab, 8 bits."""
    swatch = np.array(bgr_of(colour), np.uint8).reshape(1, 1, 3)
    wanted, found = (cv2.cvtColor(each, cv2.COLOR_BGR2Lab).astype(float) for each in (swatch, picture))
    return float(np.linalg.norm(found[where][:, 1:].mean(axis=0) - wanted[0, 0, 1:]))


def luminance(picture: Image, where: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[where], np.float64)


def disc(scene: Scene, points: list[int], radius: float) -> np.ndarray:
    """Pixels around the middle of some landmarks, ``radius`` in units."""
    face = region(scene)
    mask = np.zeros(face.picture.shape[:2], np.uint8)
    x, y = face.points[points].mean(axis=0).round().astype(int).tolist()
    cv2.circle(mask, (x, y), max(1, round(radius * face.unit)), 1, -1)
    return mask > 0


# ---- lipstick ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", [RED, BLUE, "#ffffff", "#000000"])
def test_lips_take_the_lipsticks_colour(colour: str, portrait: Scene) -> None:
    on_lips = lip_mask(region(portrait)) > 250
    before = hue_distance(region(portrait).picture, on_lips, colour)
    after = hue_distance(made_up(portrait, effect("lipstick", colour=colour)), on_lips, colour)
    assert after < 0.6 * before


@pytest.mark.parametrize("name", ["glasses", "turned", "dark", "several", "wrinkles"])
def test_lipstick_shows_on_pale_and_dark_lips(name: str, scenes: dict[str, Scene]) -> None:
    scene = scenes[name]
    on_lips = lip_mask(region(scene)) > 250
    assert change(scene, effect("lipstick", colour=BLUE))[on_lips].mean() > 25


@pytest.mark.parametrize("finish", ["matte", "gloss"])
def test_the_lips_lines_and_highlights_stay(finish: str, scenes: dict[str, Scene]) -> None:
    scene = scenes["glasses"]
    on_lips = lip_mask(region(scene)) > 250
    before, after = (
        luminance(picture, on_lips)
        for picture in (region(scene).picture, made_up(scene, effect("lipstick", colour=RED, finish=finish)))
    )
    assert np.corrcoef(before, after)[0, 1] > (0.8 if finish == "matte" else 0.6)


def test_gloss_shines_more_than_matte(scenes: dict[str, Scene]) -> None:
    scene = scenes["glasses"]
    on_lips = lip_mask(region(scene)) > 250
    matte, gloss = (luminance(made_up(scene, effect("lipstick", finish=each)), on_lips) for each in ("matte", "gloss"))
    assert np.percentile(gloss, 98) > np.percentile(matte, 98) + 10


def test_teeth_stay_white(portrait: Scene) -> None:
    painted = change(portrait, effect("lipstick", colour=BLUE))
    for teeth in ([98, 102], [97, 103], [99, 101]):
        shown = disc(portrait, teeth, 0.02)
        assert region(portrait).picture[shown].min(axis=1).mean() > 150
        assert painted[shown].mean() < 12
    assert painted[lip_mask(region(portrait)) > 250].mean() > 40


def test_a_face_mask_gets_no_lipstick(scenes: dict[str, Scene]) -> None:
    on_lips = lip_mask(region(scenes["masked"])) > 0
    assert change(scenes["masked"], effect("lipstick", colour=RED))[on_lips].mean() < 3


def test_a_microphone_before_the_mouth_gets_none(portrait: Scene) -> None:
    picture = portrait.picture.copy()
    x, y = portrait.faces[0].landmarks[84:96].mean(axis=0).round().astype(int).tolist()
    cv2.circle(picture, (x, y), 28, (60, 60, 60), -1, cv2.LINE_AA)
    covered = replace(portrait, picture=picture)
    assert change(covered, effect("lipstick", colour=RED)).max() < 20


def test_a_hand_over_the_mouth_gets_little(analyzer: FaceAnalyzer, clips: Path) -> None:
    covered, bare = (follow(analyzer, clips / "pexels_woman_expressions.mp4", at, 1)[0] for at in (130, 240))
    painted = [
        change(scene, effect("lipstick", colour=BLUE))[lip_mask(region(scene)) > 200].mean()
        for scene in (covered, bare)
    ]
    assert painted[0] < 0.35 * painted[1]


def test_fingers_before_the_lips_stay_clean(analyzer: FaceAnalyzer, clips: Path) -> None:
    """Their edges and the dark between them are as red as lips; of the mouth only the image-right half shows."""
    specks = shown = 0
    for scene in follow(analyzer, clips / "pexels_woman_expressions.mp4", 176, 20)[::4]:
        painted = change(scene, effect("lipstick", colour=BLUE)) > 30
        middle = round(float(region(scene).part("lip_outer")[:, 0].mean()))
        specks += int(painted[:, : middle - 8].sum())
        shown += int(painted[:, middle:].sum())
    assert shown > 600
    assert specks < 0.1 * shown


def test_a_fist_before_the_mouth_gets_nothing(analyzer: FaceAnalyzer, clips: Path) -> None:
    """Knuckles are as red as lips; nor are they bent, nor whitened."""
    look = [effect(name, strength=1.0) for name in ("lipstick", "teeth", "smile", "mouth")]
    bare, *_, hidden = follow(analyzer, clips / "makeup_hand_occlusion.avi", 20, 50)
    painted = [change(scene, *look)[lip_mask(region(scene)) > 0].mean() for scene in (bare, hidden)]
    assert painted[0] > 10
    assert painted[1] < 1


def test_lipstick_fades_as_a_hand_comes(analyzer: FaceAnalyzer, clips: Path) -> None:
    """What is left of it never comes and goes at once."""
    run = follow(analyzer, clips / "makeup_hand_occlusion.avi", 20, 110)[76:]
    seen = np.array([mouth_seen(region(scene)) for scene in run])
    assert seen[0].max() < 0.2
    assert seen[-1].min() > 0.9
    assert np.abs(np.diff(seen, axis=0)).max() < 0.5


@pytest.mark.parametrize("name", ["frontal", "glasses", "turned", "wrinkles", "dark skin"])
def test_mouths_that_show_are_seen(name: str, scenes: dict[str, Scene]) -> None:
    assert min(mouth_seen(region(scenes[name]))) > 0.9


@pytest.mark.parametrize(
    ("clip", "number", "teeth"),
    [("selfie_expressions.mp4", 102, 0.06), ("d12_man_glasses_turns.mp4", 120, 0.03)],
    ids=["grin", "shout"],
)
def test_a_wide_open_mouth(clip: str, number: int, teeth: float, analyzer: FaceAnalyzer, clips: Path) -> None:
    """The landmarks' mouth does not open as wide as real ones: teeth and tongue lie where they have a lower lip."""
    scene = follow(analyzer, clips / clip, number, 1)[0]
    painted = change(scene, effect("lipstick", colour=BLUE))
    assert painted[disc(scene, [96, 97, 98, 99, 100, 102, 102], 0.06)].mean() < 12
    assert painted[disc(scene, [102], teeth)].mean() < 12
    face = region(scene)
    lower = scene.faces[0].landmarks[93] - face.rect[:2] + 0.06 * face.unit * face.down
    x, y = lower.round().astype(int).tolist()
    assert painted[y - 3 : y + 4, x - 3 : x + 4].mean() > 60


def test_lips_pressed_together_are_painted_all_over(analyzer: FaceAnalyzer, clips: Path) -> None:
    """The landmarks of this woman's mouth are open, what the picture shows is not."""
    scene = follow(analyzer, clips / "pexels_woman_expressions.mp4", 50, 1)[0]
    face = region(scene)
    assert lips(face).opened < 0.2
    painted = change(scene, effect("lipstick", colour=BLUE))
    for lower in ([98, 102, 102], [97, 103, 103], [99, 101, 101]):
        assert painted[disc(scene, lower, 0.03)].mean() > 40


def test_a_mouth_that_opens_is_followed_without_a_jump(analyzer: FaceAnalyzer, clips: Path) -> None:
    """The lips move no more from one frame to the next than the mouth does."""
    run = [region(scene) for scene in follow(analyzer, clips / "selfie_expressions.mp4", 84, 20)]
    opened = [lips(face).opened for face in run]
    assert min(opened) < 0.2
    assert max(opened) > 0.8
    lower = np.array([(lips(face).outer[9] - face.points[54]) @ face.down / face.unit for face in run])
    assert np.abs(np.diff(lower)).max() < 0.12
    upper = np.array([(lips(face).outer[3] - face.points[54]) @ face.down / face.unit for face in run])
    assert (lower > upper + 0.1).all()


def test_lipstick_is_duller_in_grey_light(portrait: Scene) -> None:
    painted = change(portrait, effect("lipstick", colour=BLUE)) > 60

    def saturation(scene: Scene) -> float:
        colours = made_up(scene, effect("lipstick", colour=RED))[painted].astype(float)
        return float(np.mean(1 - colours.min(axis=1) / colours.max(axis=1)))

    grey = np.repeat(cv2.cvtColor(portrait.picture, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    assert saturation(replace(portrait, picture=grey)) < 0.97 * saturation(portrait)


def test_lipstick_stays_on_the_lips(scenes: dict[str, Scene]) -> None:
    for scene in scenes.values():
        face = region(scene)
        near = cv2.dilate(face.fill(lips(face).outer), np.ones((2 * round(0.08 * face.unit) + 5,) * 2, np.uint8))
        assert change(scene, effect("lipstick"))[near == 0].max() == 0


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
