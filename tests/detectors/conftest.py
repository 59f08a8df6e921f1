"""Real photographs and frames for the detectors' tests."""

from __future__ import annotations

import tarfile
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.detectors import Detector, load_detector

PHOTOGRAPHS = ("00001.jpg", "00012.jpg", "00100.jpg", "00200.jpg", "00300.jpg", "00400.jpg", "00500.jpg")
CLIPS = ("selfie_expressions.mp4", "streamer_turns.mp4", "two_people_walk_handshake.mp4", "s32_woman_720p.mp4")


def first_frame(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="bgr24")


@pytest.fixture(scope="session")
def photographs(shared_data: Path, astronaut: np.ndarray) -> list[np.ndarray]:
    """Twelve real pictures: photographs of the detection set, frames of the clips, and the astronaut."""
    pictures = [astronaut, *(first_frame(shared_data / "clips" / name) for name in CLIPS)]
    with tarfile.open(shared_data / "detection" / "images.tar") as tar:
        for name in PHOTOGRAPHS:
            file = tar.extractfile(name)
            assert file is not None
            pictures.append(cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR))
    return pictures


@pytest.fixture(scope="session")
def retinaface() -> Detector:
    """The default detector."""
    return load_detector()
