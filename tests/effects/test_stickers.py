"""Glasses, hats, ears, moustaches and the user's own pictures: they sit where they should and turn with the head."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.effects import Effects
from streamer.effects.head3d import EYES, MODEL, Head
from streamer.effects.presets import load_preset
from streamer.effects.region import FaceRegion
from streamer.errors import ConfigError
from streamer.types import Face, Image, Pose
from tests.effects.heads import SIZE, head_at
from tests.effects.scenes import Scene

ALL = [
    *(f"hat.style={style}" for style in ("top_hat", "party", "cap")),
    *(f"glasses.style={style}" for style in ("round", "square", "aviator", "sunglasses")),
    *(f"ears.style={style}" for style in ("cat", "bunny", "bear")),
    *(f"moustache.style={style}" for style in ("handlebar", "chevron", "pencil")),
    "sticker",
]
CHEEK = round(0.4 * SIZE), round(0.8 * SIZE)
"""Where whiskers are, pixels to either side of the nose."""


def drawn(look: str, face: Face, side: int = 400) -> np.ndarray:
    """``(side, side)`` bool: what a look changes in a grey picture."""
    grey = np.full((side, side, 3), 128, np.uint8)
    return np.any(Effects.parse(look).apply(grey, [face]) != 128, axis=2)


def middle(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)[::-1]


# ---- the head in space -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("roll", [0.0, 45.0, 180.0, -120.0])
@pytest.mark.parametrize("yaw", [-70.0, -30.0, 0.0, 15.0, 70.0])
def test_the_head_is_found_from_points_though_the_pose_is_off(yaw: float, roll: float) -> None:
    face = head_at(yaw, 10.0, roll)
    wrong = replace(face, pose=Pose(face.pose.pitch - 12, face.pose.roll + 5, face.pose.yaw + 12))
    picture = np.zeros((400, 400, 3), np.uint8)
    region = FaceRegion.of(picture, picture, wrong)
    assert region is not None
    head = Head.of(region)
    assert head.scale == pytest.approx(SIZE, rel=0.01)
    assert head.yaw == pytest.approx(yaw, abs=0.5)
    assert head.pitch == pytest.approx(10.0, abs=0.5)
    assert np.abs(head.project(MODEL)[:, :2] - face.landmarks).max() < 0.5


def test_on_real_faces_it_is_close_to_their_points(portrait: Scene, scenes: dict[str, Scene]) -> None:
    for scene in (portrait, *scenes.values()):
        region = FaceRegion.of(scene.picture.copy(), scene.picture, scene.faces[0])
        assert region is not None
        head = Head.of(region).pinned(region, EYES)
        missed = head.project(MODEL[list(EYES)])[:, :2] - scene.faces[0].landmarks[list(EYES)]
        assert np.abs(missed).max() < 0.12 * region.unit, scene.name


# ---- where things sit --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("look", "low", "high"),
    # heights in eye distances from the eyes, upwards, between which it lies
    [("hat", 0.2, 2.6), ("glasses", -0.45, 0.45), ("moustache", -1.0, -0.4), ("ears.nose=false", 0.6, 2.2)],
)
def test_each_sits_in_its_place(look: str, low: float, high: float) -> None:
    face = head_at()
    rows = np.argwhere(drawn(look, face))[:, 0]
    eyes = face.landmarks[list(EYES), 1].mean()
    up = (eyes - rows) / SIZE
    # a soft shadow may reach a little further
    assert low - 0.2 < np.percentile(up, 2)
    assert np.percentile(up, 98) < high + 0.1
    assert middle(drawn(look, face))[0] == pytest.approx(200.0, abs=0.1 * SIZE)


@pytest.mark.parametrize("look", ALL)
def test_it_rolls_with_the_head(look: str) -> None:
    upright, turned = (middle(drawn(look, head_at(roll=roll))) - 200 for roll in (0.0, 30.0))
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    assert np.abs(np.array(((c, -s), (s, c))) @ upright - turned).max() < 0.12 * SIZE


def test_turning_foreshortens_and_keeps_the_nearer_temple() -> None:
    spans = [np.ptp(np.argwhere(drawn("glasses", head_at(yaw)))[:, 1]) for yaw in (0.0, 35.0)]
    assert spans[1] != spans[0]
    nose = head_at(60.0).landmarks[54, 0]
    columns = np.argwhere(drawn("glasses", head_at(60.0)))[:, 1]
    # the temple reaches back to the ear on the near side, image-left; nothing does on the far side
    assert nose - columns.min() > 1.2 * SIZE
    assert columns.max() - nose < 0.5 * SIZE


def test_nodding_lifts_the_hat() -> None:
    up, down = (middle(drawn("hat", head_at(pitch=pitch), 500))[1] for pitch in (-20.0, 20.0))
    assert abs(up - down) > 0.1 * SIZE


@pytest.mark.parametrize("look", ALL)
def test_nothing_pops_as_the_head_turns(look: str) -> None:
    """A degree and a half further changes little at any yaw: no part appears or vanishes at once."""
    grey = np.full((400, 400, 3), 128, np.uint8)
    effects = Effects.parse(look)
    seen = [effects.apply(grey, [head_at(yaw)]).astype(int) for yaw in np.arange(-72.0, 73.0, 1.5)]
    steps = np.array([np.abs(b - a).mean() for a, b in pairwise(seen)])
    around = np.array([np.median(steps[max(0, i - 6) : i + 7]) for i in range(len(steps))])
    assert (steps < 2.0 * around + 0.02).all(), 1.5 * np.argmax(steps / around) - 72


@pytest.mark.parametrize("level", [128, 235])
def test_whiskers_are_seen_alike_on_both_sides(level: int) -> None:
    """On a white wall, too, where it is their shadow that shows them."""
    ground = np.full((400, 400, 3), level, np.uint8)
    change = cv2.absdiff(Effects.parse("ears").apply(ground, [head_at()]), ground).max(axis=2).astype(float)
    rows = slice(round(200 - 0.1 * SIZE), round(200 + 0.6 * SIZE))
    left, right = change[rows, 200 - CHEEK[1] : 200 - CHEEK[0]], change[rows, 200 + CHEEK[0] :]
    left, right = left.max(axis=0).mean(), right[:, : CHEEK[1] - CHEEK[0]].max(axis=0).mean()
    assert min(left, right) > 40
    assert min(left, right) > 0.8 * max(left, right)


def test_a_nearer_head_covers_a_farther_one() -> None:
    near, far = head_at(size=70.0), head_at(size=30.0, at=(215.0, 215.0))
    grey = np.full((400, 400, 3), 128, np.uint8)
    look = Effects.parse("glasses.style=sunglasses")
    assert np.array_equal(look.apply(grey, [near, far]), look.apply(grey, [far, near]))


@pytest.mark.parametrize("look", ALL)
@pytest.mark.parametrize("at", [-20.0, 0.0, 395.0, 420.0])
def test_cut_by_the_edge_it_is_the_same_inside(look: str, at: float) -> None:
    """What is drawn at the picture's edge is the cut of what would be drawn in a larger picture."""
    small, large = np.full((400, 400, 3), 128, np.uint8), np.full((1200, 1200, 3), 128, np.uint8)
    whole = Effects.parse(look).apply(large, [head_at(at=(at + 400, at + 400))])[400:800, 400:800]
    cut = Effects.parse(look).apply(small, [head_at(at=(at, at))])
    assert np.abs(whole.astype(int) - cut).mean() < 1.0


def test_colour_and_style_are_what_is_asked_for(portrait: Scene) -> None:
    def look(text: str) -> Image:
        return Effects.parse(text).apply(portrait.picture, portrait.faces)

    for name, styles in (("hat", ("party", "cap")), ("glasses", ("aviator", "square")), ("moustache", ("chevron",))):
        for style in styles:
            assert not np.array_equal(look(name), look(f"{name}.style={style}"))
    red, blue = (look(f"hat.style=cap, hat.colour={colour}").astype(int) for colour in ("#ff2020", "#2020ff"))
    differ = np.any(red != blue, axis=2)
    assert red[differ][:, 2].mean() > red[differ][:, 0].mean() + 60
    assert blue[differ][:, 0].mean() > blue[differ][:, 2].mean() + 60


# ---- the user's own picture --------------------------------------------------------------------------------------


def png(path: Path, width: int = 120, height: int = 80, channels: int = 4) -> Path:
    """A green picture, transparent in its left half where it has four channels."""
    pixels = np.full((height, width, 4), (0, 255, 0, 255), np.uint8)
    pixels[:, : width // 4, 3] = 0
    assert cv2.imwrite(str(path), pixels[..., :channels])
    return path


def green(face: Face, look: str) -> np.ndarray:
    """Where a look has painted pure green on grey, ``(400, 400)`` bool."""
    return np.all(Effects.parse(look).apply(np.full((400, 400, 3), 128, np.uint8), [face]) == (0, 255, 0), axis=2)


def test_anchor_width_and_offsets_place_it(tmp_path: Path) -> None:
    face, file = head_at(), png(tmp_path / "mine.png")
    plain = green(face, f"sticker.file={file}, sticker.width=1.0, sticker.anchor=eyes")
    columns = np.argwhere(plain)[:, 1]
    # three quarters of the picture are opaque
    assert np.ptp(columns) == pytest.approx(0.75 * SIZE, abs=3)
    assert middle(plain)[1] == pytest.approx(face.landmarks[list(EYES), 1].mean(), abs=2)
    moved = green(face, f"sticker.file={file}, sticker.width=1.0, sticker.anchor=eyes, sticker.right=0.5, sticker.up=1")
    assert np.abs(middle(moved) - middle(plain) - (0.5 * SIZE, -SIZE)).max() < 2
    heights = [middle(green(face, f"sticker.file={file}, sticker.anchor={a}"))[1] for a in ("head", "eyes", "chin")]
    assert heights == sorted(heights)


def test_transparent_pixels_stay(tmp_path: Path) -> None:
    changed = drawn(f"sticker.file={png(tmp_path / 'mine.png')}, sticker.width=2, sticker.anchor=eyes", head_at())
    assert not changed[:, : round(200 - 0.55 * SIZE)].any()


def test_a_points_file_decides_where_its_pixels_go(tmp_path: Path) -> None:
    file, face = png(tmp_path / "mask.png", 200, 170), head_at(yaw=20.0, roll=10.0)
    # a dot on the image-left eye and one on the mouth
    pixels = np.zeros((170, 200, 4), np.uint8)
    for x, y, colour in ((50, 30, (0, 255, 0)), (100, 140, (255, 0, 0))):
        cv2.circle(pixels, (x, y), 8, (*colour, 255), -1)
    cv2.imwrite(str(file), pixels)
    (tmp_path / "mask.yaml").write_text("left_eye: [50, 30]\nright_eye: [150, 30]\nmouth: [100, 140]\n")
    after = Effects.parse(f"sticker.file={file}").apply(np.full((400, 400, 3), 128, np.uint8), [face])
    for colour, indices in (((0, 255, 0), [66, 70]), ((255, 0, 0), [84, 87, 90, 93])):
        found = middle(np.all(after == colour, axis=2))
        assert np.abs(found - face.landmarks[indices].mean(0)).max() < 0.12 * SIZE


@pytest.mark.parametrize("name", ["missing", "folder", "text", "damaged", "opaque", "huge"])
def test_a_file_that_cannot_be_used_is_told_at_once(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.png"
    if name == "folder":
        file.mkdir()
    elif name == "text":
        file.write_text("no picture")
    elif name == "damaged":
        file.write_bytes(png(tmp_path / "whole.png").read_bytes()[:60])
    elif name == "opaque":
        png(file, channels=3)
    elif name == "huge":
        data = bytearray(png(tmp_path / "small.png").read_bytes())
        data[16:24] = (10_000).to_bytes(4, "big") * 2  # what the header says; nothing behind it is read
        file.write_bytes(data)
    says = {
        "missing": "No such file",
        "folder": "is a folder; give the path of a PNG",
        "text": "is no PNG",
        "damaged": "is damaged",
        "opaque": "alpha channel",
        "huge": "up to 4096",
    }
    preset = tmp_path / "preset.yaml"
    preset.write_text(f"effects:\n  sticker: {{file: '{file}'}}\n")
    with pytest.raises(ConfigError, match=rf"sticker\.file: .*mine\.png.*{says[name]}|{says[name]}") as told:
        load_preset(preset)
    assert "sticker.file" in str(told.value)
    assert "mine.png" in str(told.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("left_eye: [1, 2", "not valid YAML"),
        ("- 1\n- 2", "two or more points"),
        ("left_eye: [1, 2]", "two or more points"),
        ("left_eye: [1, 2]\nelbow: [3, 4]", "'elbow'; allowed: left_eye"),
        ("left_eye: [1, 2]\nright_eye: far", "right_eye is 'far'; allowed: two numbers"),
        ("left_eye: [1, 2]\nright_eye: [.nan, 4]", "right_eye is"),
        ("left_eye: [1, 2]\nright_eye: [1, 2]", "two must differ"),
    ],
)
def test_a_broken_points_file_is_told_at_once(text: str, says: str, tmp_path: Path) -> None:
    file = png(tmp_path / "mine.png")
    file.with_suffix(".yaml").write_text(text)
    with pytest.raises(ConfigError) as told:
        Effects.parse(f"sticker.file={file}")
    assert says in str(told.value)
    assert "mine.yaml" in str(told.value)


def test_an_unknown_anchor_is_told() -> None:
    with pytest.raises(ConfigError, match=r"sticker\.anchor is 'ear'; allowed: one of head, forehead, eyes"):
        Effects.parse("sticker.anchor=ear")


def test_a_file_that_vanishes_is_still_shown_and_one_that_changes_is_read_again(tmp_path: Path) -> None:
    face, file = head_at(), png(tmp_path / "mine.png")
    effects = Effects.parse(f"sticker.file={file}")
    before = effects.apply(np.full((400, 400, 3), 128, np.uint8), [face])
    assert effects == Effects.parse(f"sticker.file={file}")
    png(tmp_path / "other.png", 200, 200)
    shutil.move(tmp_path / "other.png", file)
    assert not np.array_equal(
        before, Effects.parse(f"sticker.file={file}").apply(np.full((400, 400, 3), 128, np.uint8), [face])
    )
    file.unlink()
    assert np.array_equal(before, effects.apply(np.full((400, 400, 3), 128, np.uint8), [face]))


def test_kinds_of_png(tmp_path: Path) -> None:
    face, wide = head_at(), np.zeros((40, 60, 4), np.uint16)
    wide[:, 20:] = (0, 65535, 0, 65535)
    cv2.imwrite(str(tmp_path / "sixteen.png"), wide)
    assert green(face, f"sticker.file={tmp_path / 'sixteen.png'}").any()
    plate = np.full((40, 60, 4), (0, 255, 0, 255), np.uint8)
    cv2.imwrite(str(tmp_path / "plate.png"), plate)
    assert green(face, f"sticker.file={tmp_path / 'plate.png'}").any()
    png(tmp_path / "large.png", 4096, 1000)
    assert green(face, f"sticker.file={tmp_path / 'large.png'}").any()
