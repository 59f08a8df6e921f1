"""Lipstick on real faces: on lips, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer import FaceAnalyzer
from streamer.effects import Effects, Memory
from streamer.effects.lips import lips
from streamer.effects.mouth_seen import mouth_seen
from tests.effects.painted import BLUE, RED, change, disc, effect, hue_distance, lip_mask, luminance, made_up, region
from tests.effects.scenes import Scene, follow


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


def test_a_shout_keeps_its_lipstick(analyzer: FaceAnalyzer, clips: Path) -> None:
    """The landmarks stay behind by a third of a face's unit; lips are painted all the while, the tongue is not."""
    lipstick, memory = Effects([effect("lipstick", colour=BLUE)]), Memory()
    painted = []
    for number, scene in enumerate(follow(analyzer, clips / "selfie_expressions.mp4", 138, 20)):
        shown = lipstick.apply(scene.picture, scene.faces[:1], moment=memory.at(number / 30))
        blue = cv2.absdiff(shown, scene.picture).max(axis=2) > 20
        painted.append(int(blue.sum()))
        if 8 <= number < 18:
            tongue = scene.faces[0].landmarks[[100, 101, 102]].mean(axis=0).round().astype(int)
            assert not blue[tongue[1] - 3 : tongue[1] + 4, tongue[0] - 3 : tongue[0] + 4].any()
    assert min(painted) > 0.5 * painted[0]
    assert np.abs(np.diff(painted)).max() < 0.6 * painted[0]


def test_a_mouth_that_the_picture_cuts_off_gets_none(analyzer: FaceAnalyzer, clips: Path) -> None:
    """Its landmarks lie on what is left: the skin under the nose."""
    picture = follow(analyzer, clips / "pexels_woman_expressions.mp4", 390, 1)[0].picture
    for height, least, most in ((230, 0, 0), (330, 400, 4000)):
        cut = picture[:height].copy()
        faces = analyzer.analyze(cut)
        assert faces
        shown = Effects([effect("lipstick", colour=BLUE)]).apply(cut, faces)
        assert least <= (cv2.absdiff(shown, cut).max(axis=2) > 20).sum() <= most
