"""The demo: deterministic, smooth, with faces where they should be."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest

from streamer.config import SourceConfig
from streamer.errors import SourceNotFoundError
from streamer.sources import demo, open_source


def source(**options):
    return open_source("demo", SourceConfig(**options), realtime=False)


def test_frames(drain):
    opened = source(start=18)
    frames = drain(opened)
    assert (opened.size, opened.fps, opened.duration, opened.live) == ((1280, 720), 30.0, 20.0, False)
    assert len(frames) == 60
    assert frames[0].pts == pytest.approx(18)
    assert frames[0].image.shape == (720, 1280, 3)
    assert not frames[0].image.flags.writeable


def test_same_index_same_picture(drain):
    first, again = (drain(source(start=6.5), limit=3)[2].image for _ in range(2))
    assert np.array_equal(first, again)


def test_loop_closes_without_a_jump(drain):
    frames = drain(source(loop=True, start=19.9), limit=6)
    assert np.allclose(np.diff([f.pts for f in frames]), 1 / 30)
    steps = [np.abs(b.image.astype(int) - a.image).mean() for a, b in pairwise(frames)]
    assert max(steps) < 2 * min(steps)


def seen(point, seconds):
    """Where a point of the wall appears in the frame."""
    x, y, w = demo.camera(seconds) @ np.array([*point, 1.0])
    return np.array([x / w, y / w])


def test_the_face_stays_in_view_and_moves_smoothly():
    path = np.array([seen(demo.FACE, index / 30) for index in range(600)])
    assert (path > (200, 120)).all()
    assert (path < (1080, 600)).all()
    assert np.abs(np.diff(path, axis=0)).max() < 8
    assert np.abs(np.diff(path, n=2, axis=0)).max() < 0.5


def test_the_second_face_comes_and_goes(drain):
    assert demo.second_picture(2.0) is None
    assert demo.second_picture(10.0) is not None
    assert demo.second_picture(18.0) is None
    wall = demo.paint_wall(demo.portrait())
    assert wall.shape == (demo.WALL[1], demo.WALL[0], 4)


def test_the_photograph_is_found_without_importing_its_package(drain):
    sys.modules.pop("skimage", None)
    drain(source(), limit=1)
    assert "skimage" not in sys.modules


def test_missing_photograph_says_what_to_install(monkeypatch):
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SourceNotFoundError, match="pip install scikit-image"):
        source().open()
