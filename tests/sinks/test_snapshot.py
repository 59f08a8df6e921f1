"""Snapshots and default file names: never over anything, and a sentence when there is no way."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import platformdirs
import pytest

from streamer import load_config
from streamer.effects import Effects
from streamer.effects.shown import Shown
from streamer.errors import OutputError
from streamer.sinks.places import recording_path, snapshot_path, unused
from streamer.sinks.snapshot import save_snapshot
from streamer.types import Face, Frame, FrameResult, Pose
from tests.disk import disk_full_after


@pytest.fixture
def result(astronaut: np.ndarray) -> FrameResult:
    return FrameResult(Frame(astronaut, 0, 0.0, 0.0, "test"), ())


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.jpg", "b c.jpeg"])
def test_kinds(tmp_path: Path, result: FrameResult, name: str) -> None:
    path = save_snapshot(result, tmp_path / "new" / name, overlays=False)
    assert path == tmp_path / "new" / name
    assert cv2.PSNR(cv2.imread(str(path)), result.frame.image) > 35


def test_no_faces_are_drawn_over_a_look(tmp_path: Path, result: FrameResult, astronaut: np.ndarray) -> None:
    points = np.full((106, 2), 220, np.float32)
    face = Face(np.array([165, 60, 280, 200], np.float32), 0.9, points[:5], points, Pose(0, 0, 0), 0.9, points)
    seen = replace(result, faces=(face,))
    dressed = replace(seen, shown=Shown(Effects.parse("skin=0"), astronaut, seen.faces, seen.hidden))
    drawn, bare = (cv2.imread(str(save_snapshot(each, tmp_path / "a.png", overlays=True))) for each in (seen, dressed))
    assert not np.array_equal(drawn, astronaut)
    assert np.array_equal(bare, astronaut)


def test_nothing_is_overwritten(tmp_path: Path, result: FrameResult) -> None:
    (tmp_path / "a.png").write_text("precious")
    names = [save_snapshot(result, tmp_path / "a.png", overlays=False).name for _ in range(3)]
    assert names == ["a-2.png", "a-3.png", "a-4.png"]
    assert (tmp_path / "a.png").read_text() == "precious"


@pytest.mark.parametrize(
    ("path", "words"), [("a.gif", "PNG or JPEG"), ("/proc/no/a.png", "cannot write"), ("file/a.png", "not a folder")]
)
def test_what_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: FrameResult, path: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no folder")
    with pytest.raises(OutputError, match=words):
        save_snapshot(result, Path(path), overlays=False)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, result: FrameResult) -> None:
    with disk_full_after(1000), pytest.raises(OutputError, match="largest size"):
        save_snapshot(result, tmp_path / "a.png", overlays=False)
    assert list(tmp_path.iterdir()) == []


def test_names_by_date_in_the_users_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platformdirs, "user_videos_path", lambda: tmp_path / "Videos")
    monkeypatch.setattr(platformdirs, "user_pictures_path", lambda: tmp_path / "Pictures")
    recording, snapshot = recording_path(load_config()), snapshot_path(load_config(), ".jpg")
    assert recording.parent == tmp_path / "Videos" / "facestream"
    assert snapshot.parent == tmp_path / "Pictures" / "facestream"
    assert re.fullmatch(r"facestream \d{4}-\d\d-\d\d \d\d-\d\d-\d\d\.mp4", recording.name)
    assert snapshot.suffix == ".jpg"
    assert not recording.parent.exists(), "nothing is made before there is something to put there"


def test_a_folder_that_was_chosen_is_taken(tmp_path: Path) -> None:
    config = load_config(None, [f"output.folder={tmp_path}"])
    first = recording_path(config)
    assert first.parent == tmp_path
    first.touch()
    assert unused(first) == first.with_stem(f"{first.stem}-2")
