"""Reading faces for training: both layouts, bad items, the split."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.landmarks.topology import MEAN_SHAPE_3D
from streamer.training.datasets import SIDE, DatasetError, held_out, load_faces
from streamer.training.geometry import eye_angle


def placed(scale: float = 60.0, centre: tuple[float, float] = (200.0, 180.0), turn: float = 0.0) -> np.ndarray:
    """The mean face in a picture: ``(106, 2)``."""
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return MEAN_SHAPE_3D[:, :2] @ np.array([[cos, sin], [-sin, cos]]) * scale + centre


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """Twenty pictures in the folder layout, two a group."""
    for number in range(20):
        cv2.imwrite(str(tmp_path / f"{number:02}.jpg"), astronaut)
        label = {"landmarks": placed().tolist(), "pose": [1.0, 2.0, 3.0], "group": f"person{number // 2}"}
        (tmp_path / f"{number:02}.json").write_text(json.dumps(label))
    return tmp_path


def relabel(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_folder_layout_is_cut_upright(folder: Path) -> None:
    relabel(folder / "00.json", landmarks=placed(turn=30).tolist(), pose=[1.0, 32.0, 3.0])
    faces = load_faces(folder)
    assert len(faces) == 20
    assert faces.images.shape == (20, SIDE, SIDE, 3)
    turned, plain = faces.landmarks[0], faces.landmarks[1]
    assert abs(eye_angle(turned)) < 1e-3
    assert np.allclose(turned[:, :2], plain[:, :2], atol=0.1)
    assert np.allclose(faces.pose[0], [1, 2, 3], atol=1e-3)


def test_upright_cut_shows_the_same_pixels(folder: Path, astronaut: np.ndarray) -> None:
    """What lies under a point in the picture lies under it in the cut face."""
    faces = load_faces(folder)
    smooth, cut = cv2.GaussianBlur(astronaut, (0, 0), 3), cv2.GaussianBlur(faces.images[0], (0, 0), 3)
    before = [smooth[round(y), round(x)] for x, y in placed()]
    after = [cut[round(y), round(x)] for x, y in faces.landmarks[0, :, :2].tolist()]
    assert np.abs(np.array(before, float) - np.array(after, float)).mean() < 6


def test_missing_points_and_pose_are_kept_as_such(folder: Path) -> None:
    points: list[list[float] | None] = placed().tolist()
    points[5] = None
    relabel(folder / "00.json", landmarks=points, pose=None)
    faces = load_faces(folder)
    assert np.isnan(faces.landmarks[0, 5, :2]).all()
    assert np.isnan(faces.pose[0]).all()
    assert np.isfinite(faces.landmarks[0, 6, :2]).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"landmarks": placed()[:68].tolist()}, "106 landmarks"),
        ({"landmarks": [[float("nan")] * 2] * 106}, "eye corners"),
        ({"landmarks": [[5.0, 5.0]] * 106}, "fall together"),
        ({"landmarks": "many"}, "not as documented"),
        ({"pose": [1.0, 2.0]}, "pose of 3 angles"),
        ({"pose": [999.0, 0.0, 0.0]}, "no angle"),
    ],
)
def test_a_bad_label_is_skipped_and_named(folder: Path, changes: dict[str, object], reason: str) -> None:
    relabel(folder / "07.json", **changes)
    faces = load_faces(folder)
    assert len(faces) == 19
    assert len(faces.skipped) == 1
    assert faces.skipped[0].startswith("07.jpg")
    assert reason in faces.skipped[0]


def test_an_undecodable_picture_is_skipped_and_named(folder: Path) -> None:
    (folder / "03.jpg").write_bytes(b"no picture")
    assert "03.jpg" in load_faces(folder).skipped[0]


def test_too_much_bad_data_is_an_error(folder: Path) -> None:
    (folder / "03.json").unlink()
    (folder / "04.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"2 of 20 items"):
        load_faces(folder)


def test_no_folder_and_empty_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no folder"):
        load_faces(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds no labelled face"):
        load_faces(tmp_path)


def test_split_is_by_group_and_stable(folder: Path) -> None:
    faces = load_faces(folder)
    held = held_out(faces, 0.4, always=["person7"])
    assert held[faces.group == "person7"].all()
    assert 0 < held.sum() < len(faces)
    for group in set(faces.group.tolist()):
        assert len(set(held[faces.group == group].tolist())) == 1
    assert (held_out(faces.subset(np.arange(10)), 0.4, ["person7"]) == held[:10]).all()


def test_shards(tmp_path: Path, astronaut: np.ndarray) -> None:
    """The sharded layout, with one truncated member among forty."""
    count = 40
    points = np.column_stack([placed(centre=(80.0, 80.0), scale=45), MEAN_SHAPE_3D[:, 2] * 45])
    np.savez(
        tmp_path / "labels.npz",
        landmarks=np.repeat(points[None], count, axis=0).astype(np.float16),
        pose=np.zeros((count, 3), np.float16),
        source=np.zeros(count, np.uint8),
        sources=np.array(["here"]),
        group=np.array([f"g{row}" for row in range(count)]),
    )
    data = cv2.imencode(".jpg", astronaut[:SIDE, :SIDE])[1].tobytes()
    with tarfile.open(tmp_path / "images-000.tar", "w") as archive:
        for row in range(count):
            content = data[:30] if row == 4 else data
            member = tarfile.TarInfo(f"{row:06}.jpg")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    faces = load_faces(tmp_path)
    assert len(faces) == count - 1
    assert "000004.jpg" in faces.skipped[0]
    assert "g4" not in faces.group
    assert faces.landmarks.shape == (count - 1, 106, 3)
    assert load_faces(tmp_path, limit=3).images.shape[0] == 3


def test_the_real_faces_have_no_bad_item(shared_data: Path) -> None:
    faces = load_faces(shared_data / "faces", limit=300)
    assert len(faces) == 300
    assert not faces.skipped
