"""The JSON lines: their exact format, and a disk that fills up in the middle of one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import OutputError
from streamer.sinks.jsonl import JsonlWriter, write_json
from streamer.types import Face, Frame, FrameResult, Pose
from tests.disk import disk_full_after


def make_face(track_id: int | None = 7) -> Face:
    points = np.random.default_rng(3).uniform(0, 640, (106, 2)).astype(np.float32)
    box = np.array([10.126, 20.0, 110.5, 140.0], np.float32)
    pose = Pose(pitch=1.234, roll=-2.0, yaw=30.006)
    return Face(box, 0.98765, points[:5], points, pose, presence=0.9, raw_landmarks=points, track_id=track_id)


def make_result(index: int, *faces: Face) -> FrameResult:
    return FrameResult(Frame(np.zeros((48, 64, 3), np.uint8), index, index / 30, 0.0, "clip.mp4"), faces)


def write_frames(writer: JsonlWriter, count: int) -> None:
    for index in range(count):
        writer.write(make_result(index, make_face()))


def test_format_is_the_documented_one(tmp_path: Path) -> None:
    writer = JsonlWriter(tmp_path / "new" / "faces.jsonl")
    face = make_face()
    writer.write(make_result(3, face))
    writer.write(make_result(4))
    writer.close()
    writer.close()

    first, second = (json.loads(line) for line in (tmp_path / "new" / "faces.jsonl").read_text().splitlines())
    assert list(first) == ["frame", "pts", "source", "faces"]
    assert (first["frame"], first["pts"], first["source"]) == (3, 0.1, "clip.mp4")
    (entry,) = first["faces"]
    assert list(entry) == ["track_id", "box", "score", "keypoints", "landmarks", "pose", "identity"]
    assert entry["track_id"] == 7
    assert entry["box"] == [10.13, 20.0, 110.5, 140.0]
    assert entry["score"] == 0.9877
    assert entry["pose"] == {"pitch": 1.23, "roll": -2.0, "yaw": 30.01}
    assert entry["identity"] is None
    assert np.shape(entry["keypoints"]) == (5, 2)
    np.testing.assert_allclose(entry["landmarks"], face.landmarks, atol=0.0051)
    assert second == {"frame": 4, "pts": 0.133333, "source": "clip.mp4", "faces": []}


def test_every_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    writer = JsonlWriter(tmp_path / "faces.jsonl")
    writer.write(make_result(0, make_face()))
    assert json.loads((tmp_path / "faces.jsonl").read_text())["frame"] == 0
    writer.close()


def test_full_disk_leaves_only_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    writer = JsonlWriter(path)
    with disk_full_after(10_000), pytest.raises(OutputError, match=r"cannot write .*faces\.jsonl"):
        write_frames(writer, 100)
    lines = path.read_text().splitlines()
    assert [json.loads(line)["frame"] for line in lines] == list(range(len(lines)))
    assert 3 <= len(lines) < 10
    writer.write(make_result(200))  # told once; later results are ignored
    writer.close()
    assert len(path.read_text().splitlines()) == len(lines)


def test_full_device_is_told_in_one_sentence() -> None:
    writer = JsonlWriter("/dev/full")
    with pytest.raises(OutputError, match="the disk is full; free some space"):
        writer.write(make_result(0))


@pytest.mark.parametrize("kind", ["folder", "below a file"])
def test_unwritable_path_is_told_before_anything_starts(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path if kind == "folder" else tmp_path / "file" / "faces.jsonl"
    with pytest.raises(OutputError, match="cannot write"):
        JsonlWriter(path)
    with pytest.raises(OutputError, match="cannot write"):
        write_json(path, [])


def test_a_file_has_one_writer_and_goes_if_nothing_came(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    writer = JsonlWriter(path)
    with pytest.raises(OutputError, match=r"faces\.jsonl: another run is writing it; choose another name"):
        JsonlWriter(path)
    writer.close()
    assert not path.exists()
    path.write_text("older\n")
    JsonlWriter(path).close()
    assert path.read_text() == "older\n"


def test_a_full_disk_leaves_the_document_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "faces.json"
    write_json(path, ["old"])
    with disk_full_after(1000), pytest.raises(OutputError, match=r"cannot write .*faces\.json"):
        write_json(path, list(range(1000)))
    assert json.loads(path.read_text()) == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_document_goes_where_a_link_leads_and_into_devices(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "real.json").chmod(0o640)
    (tmp_path / "link.json").symlink_to("real.json")
    write_json(tmp_path / "link.json", ["new"])
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text()) == ["new"]
    assert (tmp_path / "real.json").stat().st_mode & 0o777 == 0o640
    write_json("/dev/null", ["new"])
    assert Path("/dev/null").is_char_device()
