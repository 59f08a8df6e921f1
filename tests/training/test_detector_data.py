"""Reading annotated photographs: every layout, broken annotations, the held-out part, the teacher's completion."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.detectors import load_detector
from streamer.detectors.postprocess import overlap
from streamer.evaluation.detection_data import held_out
from streamer.training.datasets import DatasetError
from streamer.training.detection.data import PhotoSet, collect, split
from streamer.training.detection.layouts import read_entries
from streamer.training.detection.teacher import Look, learn, teach

FACE = (185.0, 60.0, 265.0, 170.0)
"""The astronaut's face."""


def read(folder: Path) -> PhotoSet:
    return collect(read_entries([folder]), [folder])


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def pack(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def own(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """Our own layout, with everything that can be wrong."""
    good = {"box": FACE, "mask": "without_mask"}
    rows = {
        "good.jpg": [good, {"box": [10, 10, 30, 30], "mask": None}],
        "inverted.jpg": [good, {"box": [100, 400, 60, 300], "mask": None}],
        "empty-box.jpg": [good, {"box": [50, 50, 50, 90], "mask": None}],
        "outside.jpg": [{"box": [600, 600, 700, 700], "mask": True}, {"box": [-20, 100, 40, 160], "mask": "with_mask"}],
        "not-a-number.jpg": [{"box": [float("nan"), 1, 2, 3], "mask": None}],
        "no-face.jpg": [],
        "broken.jpg": [good],
        "missing.jpg": [good],
    }
    table = [{"file": name, "source": "test", "faces": faces} for name, faces in rows.items()]
    (tmp_path / "annotations.json").write_text(json.dumps(table))
    files = {name: jpeg(astronaut) for name in rows if name != "missing.jpg"} | {"broken.jpg": b"no picture"}
    pack(tmp_path / "images.tar", files)
    return tmp_path


def test_broken_annotations_are_counted_not_fatal(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos = read(own)
    assert photos.problems.counts == {
        "box is inverted, empty or no number (left out)": 3,
        "box lies outside the picture (left out)": 1,
        "box reaches over the picture's edge (clipped)": 1,
        "no face in the picture (kept as background)": 2,
        "picture cannot be decoded": 1,
        "picture is missing": 1,
    }
    assert "inverted.jpg" in caplog.text
    assert "missing.jpg" in caplog.text
    named = {photo.name.rpartition("/")[2]: photo for photo in photos.photographs}
    assert len(named) == 6
    assert named["outside.jpg"].boxes.tolist() == [[0, 100, 40, 160]]
    assert named["outside.jpg"].masked.tolist() == [1]
    assert named["inverted.jpg"].ignore.tolist() == [[60, 300, 100, 400]], "a swapped box may be a face"
    assert np.isnan(named["good.jpg"].masked[1])
    assert named["good.jpg"].masked[0] == 0
    assert np.isnan(named["good.jpg"].keypoints).all()
    for photo in named.values():
        width, height = photo.size
        assert (photo.boxes >= 0).all()
        assert (photo.boxes <= [width, height, width, height]).all()


def test_pictures_beyond_the_memory_budget_are_decoded_when_needed(own: Path) -> None:
    kept, fresh = (collect(read_entries([own]), [own], decoded_bytes=size) for size in (1 << 30, 0))
    assert kept.picture(0) is kept.picture(0)
    assert fresh.picture(0) is not fresh.picture(0)
    assert (kept.picture(0) == fresh.picture(0)).all()


def test_wider_face(tmp_path: Path, astronaut: np.ndarray) -> None:
    folder = tmp_path / "WIDER_train" / "images" / "0--Parade"
    folder.mkdir(parents=True)
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(jpeg(astronaut))
    lines = ["0--Parade/a.jpg", "3", "185 60 80 110 0 0 0 0 0 0", "5 5 20 20 0 0 0 1 0 0", "9 9 0 4 2 0 0 0 0 0"]
    lines += ["0--Parade/b.jpg", "0", "0 0 0 0 0 0 0 0 0 0"]
    (tmp_path / "wider_face_train_bbx_gt.txt").write_text("\n".join(lines) + "\n")
    photos = read(tmp_path)
    assert photos[0].boxes.tolist() == [list(FACE)]
    assert photos[0].ignore.tolist() == [[5, 5, 25, 25]], "WIDER's invalid faces are neither face nor background"
    assert len(photos[1]) == 0
    assert photos.problems.counts["box is inverted, empty or no number (left out)"] == 1


def test_pascal_voc(tmp_path: Path, astronaut: np.ndarray) -> None:
    def thing(name: str, difficult: int = 0, box: tuple[float, ...] = FACE) -> str:
        sides = "".join(f"<{s}>{v}</{s}>" for s, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        return f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{sides}</bndbox></object>"

    for part in ("JPEGImages", "Annotations"):
        (tmp_path / part).mkdir()
    (tmp_path / "JPEGImages" / "one.jpg").write_bytes(jpeg(astronaut))
    things = thing("face_mask") + thing("person") + thing("face", 1, (1, 1, 9, 9)) + thing("without_mask")
    (tmp_path / "Annotations" / "one.xml").write_text(f"<annotation>{things}</annotation>")
    (tmp_path / "Annotations" / "two.xml").write_text("<annotation>")
    (tmp_path / "Annotations" / "three.xml").write_text(f"<annotation>{things}</annotation>")
    photos = read(tmp_path)
    assert len(photos) == 1
    assert photos[0].masked.tolist() == [1, 0]
    assert photos[0].ignore.tolist() == [[1, 1, 9, 9]]
    assert photos.problems.counts == {"XML is no Pascal VOC annotation": 1, "picture is missing": 1}


def test_yolo(tmp_path: Path, astronaut: np.ndarray) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for name in ("one", "two", "unlabelled"):
        (tmp_path / "images" / f"{name}.jpg").write_bytes(jpeg(astronaut))
    x0, y0, x1, y1 = (value / 512 for value in FACE)
    points = " ".join(f"{0.4 + 0.01 * k} {0.2 + 0.01 * k} 2" for k in range(5))
    line = f"{(x0 + x1) / 2} {(y0 + y1) / 2} {x1 - x0} {y1 - y0}"
    (tmp_path / "labels" / "one.txt").write_text(f"0 {line} {points}\n1 {line}\n")
    (tmp_path / "labels" / "two.txt").write_text("0 0.5 0.5\n")
    (tmp_path / "classes.txt").write_text("face\nwith_mask\n")
    photos = read(tmp_path)
    assert len(photos) == 1
    assert np.allclose(photos[0].boxes, [FACE, FACE], atol=0.01)
    assert np.allclose(photos[0].keypoints[0, 4], [0.44 * 512, 0.24 * 512], atol=0.01)
    assert np.isnan(photos[0].keypoints[1]).all()
    assert np.isnan(photos[0].masked[0])
    assert photos[0].masked[1] == 1
    assert photos.problems.counts == {"text holds no YOLO labels": 1}


def test_unusable_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="no annotation that can be read"):
        read(tmp_path)
    (tmp_path / "annotations.json").write_text("[{}]")
    pack(tmp_path / "images.tar", {})
    with pytest.raises(DatasetError, match="not as documented"):
        read(tmp_path)
    (tmp_path / "annotations.json").write_text('[{"file": "a.jpg", "faces": []}]')
    with pytest.raises(DatasetError, match=r"No usable picture.*picture is missing"):
        read(tmp_path)


def test_no_held_out_photograph_is_trained_on(shared_data: Path) -> None:
    folder = shared_data / "detection"
    entries = list(read_entries([folder]))
    first = [entry for entry in entries if entry.name.startswith("images.tar/")]
    assert len(first) == 1149
    assert len(entries) == 1149 + 2847
    assert [entry.held_out for entry in first] == [held_out(entry.name.removeprefix("images.tar/")) for entry in first]
    assert not any(entry.held_out for entry in entries[1149:]), "RetinaFace helped to label the second part"
    small = collect(entries[:12], [folder])
    train, held = split(small)
    assert len(train)
    assert len(held)
    assert not {photo.data for photo in train.photographs} & {photo.data for photo in held.photographs}


def test_the_teacher_completes_labels(own: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    photos = read(own)
    taught, lessons = teach(photos, tmp_path / "teacher.npz")
    photo, lesson = taught[0], lessons[0]
    assert np.isfinite(photo.keypoints[0]).all()
    assert ((photo.keypoints[0] > FACE[:2]) & (photo.keypoints[0] < FACE[2:])).all()
    assert photo.keypoints[0, 0, 0] < photo.keypoints[0, 1, 0], "left eye left"
    assert len(photo) == 2
    assert not np.isfinite(photo.keypoints[1]).any(), "there is no second face to find"
    background = next(one for one in taught.photographs if one.name.endswith("no-face.jpg"))
    assert len(background) == 1, "a certain face nobody annotated becomes one"
    near = lesson.near(1.1)
    assert (near.faces == 0).any()
    assert near.scores.max() > 0.95
    assert set(near.kinds[near.faces == 0].tolist()) <= {2, 3}, "a face of 100 pixels has anchors of 64 and 128"
    assert set(lesson.near(0.5).kinds[lesson.near(0.5).faces == 0].tolist()) <= {1, 2}
    assert len(lesson.near(8.0).scores) == 0
    again, _ = teach(photos, tmp_path / "teacher.npz")
    assert np.array_equal(again[0].keypoints, photo.keypoints, equal_nan=True)
    (tmp_path / "teacher.npz").write_bytes(b"half a file")
    teach(photos.replaced(photos.photographs[:1]), tmp_path / "teacher.npz")


def searched(folder: Path, source: str, faces: list[dict[str, object]], image: np.ndarray) -> PhotoSet:
    """A photograph of the second part."""
    row = {"file": "face.jpg", "source": source, "faces": faces, "ignore": []}
    (folder / "more.json").write_text(json.dumps([row]))
    pack(folder / "more.tar", {"face.jpg": jpeg(image)})
    return read(folder)


def test_collections_with_other_boxes_are_brought_to_wider_faces(tmp_path: Path, astronaut: np.ndarray) -> None:
    faces = [{"box": FACE, "mask": "without_mask"}, {"box": [0, 300, 100, 512], "mask": "with_mask"}]
    (photo,) = searched(tmp_path, "macwin", faces, astronaut).photographs
    assert np.allclose(photo.boxes[0], [193.8, 74.3, 257, 166.7])
    assert np.allclose(photo.boxes[1], [0, 327.56, 90, 512]), "what ends at the picture's edge still does"
    (photo,) = searched(tmp_path, "somebody's", faces, astronaut).photographs
    assert photo.boxes.tolist() == [list(FACE), [0, 300, 100, 512]]


def test_corrected_boxes_agree_better_with_the_teachers(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "detection"
    entries = [entry for entry in read_entries([folder]) if entry.source in ("haonan", "fmd", "macwin")][::60]
    assert all(any(entry.reach) for entry in entries)
    corrected = collect(entries, [folder])
    for entry in entries:
        entry.reach = (0.0,) * 4
    plain = collect(entries, [folder])
    detector, overlaps = load_detector("retinaface", score=0.9), []
    for index in range(len(plain)):
        found = detector.detect(plain.picture(index)).boxes
        for before, after in zip(plain[index].boxes, corrected[index].boxes, strict=True):
            if len(found) and overlap(before, found).max() > 0.3:
                overlaps.append((overlap(before, found).max(), overlap(after, found).max()))
    assert len(overlaps) > 40
    before, after = np.median(overlaps, axis=0)
    assert after > before + 0.05


def test_labels_the_teacher_does_not_confirm_are_ignored(tmp_path: Path, astronaut: np.ndarray) -> None:
    """In the second part: a detector's own finds must be certain, annotated faces must be seen at all."""
    fist, far = [300, 300, 340, 340], [400, 30, 440, 70]
    faces = [{"box": FACE, "mask": None}, {"box": fist, "mask": None}, {"box": far, "mask": "without_mask"}]
    (photo,) = searched(tmp_path, "stanford40", faces, astronaut).photographs
    rows = np.array([FACE, fist, far], np.float32)

    def kept(*scores: float) -> tuple[list[list[float]], list[list[float]]]:
        seen = Look(
            rows[:, :2] + 20,
            np.ones(3, int),
            np.ones(3, int),
            np.array(scores, np.float32),
            rows,
            np.full((3, 5, 2), 0),
        )
        plus, lesson = learn(photo, seen)
        assert len(plus.boxes) == len(plus.keypoints) == len(plus.masked)
        assert (lesson.hints.faces < len(plus)).all()
        return plus.boxes.tolist(), plus.ignore.tolist()

    assert kept(0.99, 0.8, 0.3) == ([list(FACE), far], [fist])
    assert kept(0.99, 0.99, 0.1) == ([list(FACE), fist], [far])


def test_what_the_teacher_sees_beside_the_annotation(own: Path) -> None:
    photo = read(own)[0]
    rows = np.array([[300, 300, 340, 340], [301, 300, 341, 340], [400, 30, 440, 70], [450, 450, 460, 460]], np.float32)
    scores = np.array([0.99, 0.8, 0.6, 0.99], np.float32)
    seen = Look(rows[:, :2] + 20, np.ones(4, int), np.ones(4, int), scores, rows, np.full((4, 5, 2), 310, np.float32))
    plus, lesson = learn(photo, seen)
    assert plus.boxes[2:].tolist() == [[300, 300, 340, 340]], "certain and large: a face"
    assert sorted(plus.ignore.tolist()) == [[400, 30, 440, 70], [450, 450, 460, 460]], "doubtful or tiny: left out"
    assert lesson.hints.faces.tolist() == [2, 2, -1, -1]
