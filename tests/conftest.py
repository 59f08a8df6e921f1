"""Fixtures every room's tests share: real data, the always-present photograph, and a leak guard."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_collection_finish() -> None:
    """Leave what the tests import out of every later look at the heap: torch alone costs half a second each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the developer saved as defaults must change no test, and no test may change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real clips and photographs that stay outside the repository."""
    path = REPOSITORY.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"the real clips and photographs are not at {path}")
    return path


@pytest.fixture(scope="session")
def clips(shared_data: Path) -> Path:
    """The folder of real clips."""
    return shared_data / "clips"


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """The public-domain portrait that scikit-image ships: BGR uint8 (512, 512, 3), one face."""
    path = resources.files("skimage") / "data" / "astronaut.png"
    image = cv2.imread(str(path))
    assert image is not None
    return image


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail any test that leaves a thread of ours running."""
    before = set(threading.enumerate())
    yield
    if _others(before, 0.5):
        gc.collect()  # some end with the object that they belong to; once, for on a crowded machine it takes seconds
    left = _others(before, 5.0)
    assert not left, f"threads left running: {left}"


def _others(known: set[threading.Thread], patience: float) -> list[str]:
    """Names of the threads that are not known and do not end within so many seconds."""
    deadline = time.monotonic() + patience
    while left := [thread.name for thread in threading.enumerate() if thread not in known]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return left
