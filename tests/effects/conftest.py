"""What the effects are tried on: the public-domain portrait always, and frames of real clips where they are."""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer import FaceAnalyzer, load_config
from streamer.pipeline.analyzer import Models, load_models
from tests.effects.scenes import Scene, follow

FRAMES = {
    "frontal": ("selfie_expressions.mp4", 100),
    "glasses": ("d9_man_glasses_webcam.mp4", 60),
    "turned": ("s32_woman_720p.mp4", 30),
    "hand": ("pexels_woman_expressions.mp4", 165),
    "dark": ("stage_small_to_large.mp4", 150),
    "profiles": ("stage_small_to_large.mp4", 245),
    "several": ("two_people_walk_handshake.mp4", 300),
}
"""Number of a frame of each clip."""

PHOTOGRAPHS = {"masked": "00656.jpg", "dark skin": "00744.jpg", "wrinkles": "00759.jpg"}

STILL = ("selfie_expressions.mp4", 261)
"""A clip, and the frame from which on its face stands as still as a living one can."""


@pytest.fixture(scope="session")
def models() -> Models:
    return load_models(load_config())


@pytest.fixture
def analyzer(models: Models) -> FaceAnalyzer:
    """A fresh analyzer; the networks are loaded once."""
    return FaceAnalyzer(load_config(), models=models)


@pytest.fixture(scope="session")
def portrait(models: Models, astronaut: np.ndarray) -> Scene:
    """The astronaut with her face, which is 180 px high."""
    picture = astronaut[:400, 20:420].copy()
    return Scene("portrait", picture, FaceAnalyzer(load_config(), models=models).analyze(picture))


@pytest.fixture(scope="session")
def scenes(models: Models, shared_data: Path) -> dict[str, Scene]:
    """Real faces by what is difficult about them; large ones shrunk to 160 px, which keeps the tests quick."""
    config = load_config()
    found = {
        name: follow(FaceAnalyzer(config, models=models), shared_data / "clips" / clip, number, 1)[0]
        for name, (clip, number) in FRAMES.items()
    }
    with tarfile.open(shared_data / "detection" / "images.tar") as tar:
        for name, member in PHOTOGRAPHS.items():
            file = tar.extractfile(member)
            assert file is not None
            picture = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
            found[name] = Scene(name, picture, FaceAnalyzer(config, models=models).analyze(picture))
            assert found[name].faces
    return {name: scene.enlarged(min(160.0, scene.face_height)) for name, scene in found.items()}


@pytest.fixture(scope="session")
def still_clip(models: Models, shared_data: Path) -> list[Scene]:
    """Eight frames, one after the other, of a face that keeps still, 160 px high."""
    clip, number = STILL
    frames = follow(FaceAnalyzer(load_config(), models=models), shared_data / "clips" / clip, number, 8)
    factor = 160 / frames[0].face_height
    return [frame.scaled(factor) for frame in frames]
