"""Effects as a user asks for them on the command line."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.detectors import load_detector
from streamer.effects import Effects
from streamer.effects.registry import all_effects
from tests.test_cli import ASTRONAUT, facestream

FACE = np.s_[70:180, 180:270]  # of the astronaut


@pytest.mark.parametrize("look", ["natural", "glam", "blur=1"])
def test_a_picture_is_saved_with_effects_and_nothing_drawn(tmp_path: Path, look: str) -> None:
    done = facestream("image", str(ASTRONAUT), "--effects", look, "--save", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    before, after = cv2.imread(str(ASTRONAUT)), cv2.imread(str(tmp_path / "out" / "astronaut.png"))
    assert before.shape == after.shape
    assert (before != after).any(2)[FACE].mean() > 0.3
    far = np.s_[:, 400:]
    assert np.array_equal(before[far], after[far])


ALL_OFF = "glam, " + ", ".join(f"{effect.name()}=0" for effect in Effects.parse("glam").effects)


@pytest.mark.parametrize("look", ["skin=0", ALL_OFF])
def test_a_look_of_strength_0_leaves_the_picture_and_nothing_is_drawn(tmp_path: Path, look: str) -> None:
    done = facestream("image", str(ASTRONAUT), "--effects", look, "--save", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    before, after = cv2.imread(str(ASTRONAUT)), cv2.imread(str(tmp_path / "out" / "astronaut.png"))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("look", ["skin=0", " "])
def test_a_recording_with_a_look_of_strength_0_has_nothing_drawn_in_it(tmp_path: Path, look: str) -> None:
    done = facestream(
        *("run", str(ASTRONAUT), "--headless", "--effects", look, "--record", "out.mp4", "--set"),
        "output.record_quality=0",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="bgr24")
    difference = np.abs(frame[FACE].astype(int) - cv2.imread(str(ASTRONAUT))[FACE])
    drawn = (difference.max(2) > 60).mean()
    assert drawn > 0.02 if look == " " else drawn < 0.002


def test_a_recording_shows_the_effects(tmp_path: Path) -> None:
    done = facestream(
        *("run", "demo", "--headless", "--effects", "privacy", "--record", "out.mp4", "--max-frames", "12"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "effects (ms)" in done.stdout
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12


@pytest.mark.parametrize(
    ("look", "says"),
    [
        ("glamour", "--effects: there is no effect or preset 'glamour'; did you mean glam?"),
        ("glam=0.5", "glam is a preset and takes no strength; its effects do: 'glam, skin=0.3'"),
        ("lipstick=2", "--effects: lipstick.strength is 2; allowed: number from 0 to 1"),
        ("broken.yaml", "broken.yaml: 'effects:'"),
        ("sticker.file=nothing.png", "nothing.png"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, look: str, says: str) -> None:
    (tmp_path / "broken.yaml").write_text("effects: none")
    done = facestream("run", "demo", "--headless", "--effects", look, cwd=tmp_path)
    assert done.returncode == 2
    assert says.split(": ")[0] in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_look_in_the_config_file_counts_and_can_be_switched_off(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("effects: {look: 'blur=1'}")
    facestream("image", str(ASTRONAUT), "--save", "with", cwd=tmp_path)
    facestream("image", str(ASTRONAUT), "--effects", "", "--save", "without", cwd=tmp_path)
    with_effects, drawn = (cv2.imread(str(tmp_path / name / "astronaut.png")) for name in ("with", "without"))
    assert cv2.Laplacian(with_effects[FACE], cv2.CV_64F).var() < 0.2 * cv2.Laplacian(drawn[FACE], cv2.CV_64F).var()


def test_all_effects_and_presets_are_listed(tmp_path: Path) -> None:
    done = facestream("effects", cwd=tmp_path)
    assert done.returncode == 0
    for name in (*all_effects(), "natural", "glam", "streamer", "privacy"):
        assert name in done.stdout


def test_no_picture_of_the_users_is_overwritten(tmp_path: Path) -> None:
    before = cv2.imread(str(ASTRONAUT))
    for name in ("face.png", "face.bmp"):
        cv2.imwrite(str(tmp_path / name), before)
    done = facestream("image", "face.png", "face.bmp", "--effects", "blur", "--save", ".", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote 2 pictures into ." in done.stdout
    assert np.array_equal(cv2.imread(str(tmp_path / "face.png")), before)
    assert {path.name for path in tmp_path.iterdir()} == {"face.png", "face.bmp", "face-2.png", "face-3.png"}


def test_every_face_of_a_crowd_is_covered_in_a_picture(tmp_path: Path, clips: Path) -> None:
    with av.open(str(clips / "crowd_street_1080p.mp4")) as container:
        frame = next(frame for frame in container.decode(video=0) if frame.time >= 2.0)
        picture = frame.to_ndarray(format="bgr24")
    cv2.imwrite(str(tmp_path / "crowd.png"), picture)
    done = facestream("image", "crowd.png", "--effects", "privacy", "--save", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    covered = (cv2.imread(str(tmp_path / "out" / "crowd.png")) != picture).any(2)
    faces = load_detector("retinaface", max_side=1920, score=0.8).detect(picture)
    assert len(faces) >= 4
    for x1, y1, x2, y2 in faces.boxes.astype(int).clip(0):
        assert covered[y1:y2, x1:x2].mean() > 0.85
