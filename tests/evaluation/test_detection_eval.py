"""``facestream evaluate detection --data``: matching, AP, slices, turned photographs, the command, bad input."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from streamer.cli import app
from streamer.config import Config, load_config
from streamer.detectors import Detector
from streamer.errors import ConfigError, FacestreamError, OutputError
from streamer.evaluation.detection import (
    PROTOCOL,
    Contender,
    Scale,
    evaluate_detection,
    load_contenders,
    measure_photographs,
)
from streamer.evaluation.detection_data import (
    HeldOutPhotographs,
    Photograph,
    held_out,
    read_annotations,
    roll_for,
    turned,
)
from streamer.evaluation.detection_scores import FALSE, IGNORED, Record, Shown, match, score
from streamer.training.datasets import DatasetError
from streamer.types import Detections, Image

ASTRONAUT = [170.0, 62.0, 272.0, 200.0]
"""The face of the astronaut, by hand."""
MEASURED = [name for name in (f"{number:05d}.jpg" for number in range(200)) if held_out(name)]


def detections(boxes: list[list[float]], scores: list[float]) -> Detections:
    table = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(table, np.array(scores, np.float32), np.zeros((len(table), 5, 2), np.float32))


def photograph(boxes: list[list[float]], masks: list[str] | None = None, **fields: Any) -> Photograph:
    table = np.array(boxes, np.float32).reshape(-1, 4)
    names = np.array(masks or ["unknown"] * len(table), np.str_)
    ignore = np.array(fields.pop("ignore", []), np.float32).reshape(-1, 4)
    return Photograph("a.jpg", fields.pop("source", "here"), table, names, ignore)


def square(x: float, side: float = 20) -> list[float]:
    return [x, 0, x + side, side]


def annotation(file: str, boxes: list[list[float]], mask: Any = None) -> dict[str, Any]:
    faces = [{"box": box, "mask": mask} for box in boxes]
    return {"file": file, "width": 512, "height": 512, "source": "here", "faces": faces}


def write_folder(folder: Path, entries: list[dict[str, Any]], pictures: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "annotations.json").write_text(json.dumps(entries))
    with tarfile.open(folder / "images.tar", "w") as tar:
        for name, data in pictures.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return folder


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """Four held-out pictures of the astronaut, one broken, one with an impossible box more; and one not held out."""
    names, kept = MEASURED[:4], next(name for name in (f"{n:05d}.jpg" for n in range(99)) if not held_out(name))
    entries = [annotation(name, [ASTRONAUT], mask="without_mask") for name in [*names, kept]]
    entries[1]["faces"].append({"box": [300, 50, 200, 90], "mask": None})
    pictures = {name: jpeg(astronaut) for name in [*names, kept]}
    pictures[names[3]] = b"no picture"
    return write_folder(tmp_path / "data", entries, pictures)


def quiet() -> Console:
    return Console(file=io.StringIO(), width=120)


def settings(*more: str) -> Config:
    return load_config(None, [*PROTOCOL, *more])


def test_the_held_out_part_hangs_on_the_name_alone() -> None:
    assert MEASURED[:4] == ["00007.jpg", "00008.jpg", "00010.jpg", "00015.jpg"]  # changing it would spoil the training
    assert 0.24 < np.mean([held_out(f"{number}.jpg") for number in range(20000)]) < 0.26


def test_average_precision_is_the_area_under_the_curve() -> None:
    right = np.array([True, False, True])
    result = score(np.array([0.9, 0.8, 0.7], np.float32), right, 2)
    assert result.ap == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert (result.recall, result.recall_at_90) == (1, 0.5)
    assert score(np.array([0.7, 0.8, 0.9], np.float32), right, 4).ap == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)
    assert score(np.zeros(0, np.float32), np.zeros(0, bool), 3).ap == 0


def test_precision_is_the_best_at_a_recall_or_a_higher_one() -> None:
    result = score(np.array([0.9, 0.8, 0.7], np.float32), np.array([False, True, True]), 2)
    assert result.ap == pytest.approx(2 / 3)


def test_equal_scores_are_in_no_order() -> None:
    for right in ([True, False], [False, True]):
        assert score(np.array([0.9, 0.9], np.float32), np.array(right), 1).ap == pytest.approx(0.5)


def test_a_second_detection_of_a_face_is_false() -> None:
    found = detections([square(0), square(1), square(100)], [0.9, 0.8, 0.7])
    assert match(found, photograph([square(0)])).tolist() == [0, FALSE, FALSE]


def test_neighbours_are_matched_one_to_one() -> None:
    faces = photograph([square(0), square(6)])
    assert match(detections([square(5), square(4)], [0.9, 0.8]), faces).tolist() == [1, 0]


def test_just_half_an_overlap_is_enough() -> None:
    faces = photograph([[0, 0, 10, 20]])
    assert match(detections([[0, 0, 10, 10]], [1]), faces).tolist() == [0]
    assert match(detections([[0, 0, 10, 9.9]], [1]), faces).tolist() == [FALSE]


def test_places_to_ignore_count_neither_way() -> None:
    faces = photograph([square(0)], ignore=[square(100, 60)])
    found = detections([square(110), square(0), square(145)], [0.9, 0.8, 0.7])
    assert match(found, faces).tolist() == [IGNORED, 0, IGNORED]
    assert match(detections([square(155)], [0.9]), faces).tolist() == [FALSE]
    assert match(detections([square(0)], [0.9]), photograph([], ignore=[])).tolist() == [FALSE]


def test_a_face_outside_the_slice_counts_neither_way() -> None:
    record = Record()
    faces = photograph([square(0, 20), square(100, 200)], ["masked", "bare"])
    record.add(Shown(faces), detections([square(100, 200), square(0, 20), square(400, 40)], [0.9, 0.8, 0.7]))
    slices = record.slices()
    assert (slices["all"].faces, slices["all"].ap) == (2, 1)
    assert (slices["16-32 px"].faces, slices["16-32 px"].precisions.tolist()) == (1, [1])
    assert slices["masked"].precisions.tolist() == [1, 0.5]  # the false one is charged, the bare face is not
    assert set(slices) == {"all", "here", "16-32 px", "from 128 px", "masked", "bare"}


def test_masks_are_measured_where_somebody_looked_for_them() -> None:
    record = Record()
    record.add(Shown(photograph([square(0)], source="wider")), detections([square(300)], [0.9]))
    record.add(Shown(photograph([square(0)], ["masked"], source="masks")), detections([square(0)], [0.8]))
    slices = record.slices()
    assert slices["masked"].ap == 1
    assert slices["all"].ap == pytest.approx(0.25)
    assert (slices["wider"].ap, slices["masks"].ap) == (0, 1)


def test_turned_photographs_are_binned_by_their_roll() -> None:
    record = Record()
    for roll in (10.0, 350.0, 100.0, 200.0):
        record.add(Shown(photograph([square(0)]), roll), detections([square(0 if roll != 100 else 50)], [0.9]))
    slices = record.slices()
    assert {name: slices[name].faces for name in slices if "°" in name} == {"0-45°": 2, "90-135°": 1, "135-180°": 1}
    assert (slices["0-45°"].ap, slices["90-135°"].ap) == (1, 0)


@pytest.mark.parametrize("roll", [0, 33, 90, 180, 251])
def test_a_turned_box_bounds_the_turned_face(roll: float) -> None:
    image = np.zeros((300, 420, 3), np.uint8)
    cv2.ellipse(image, (150, 120), (30, 45), 0, 0, 360, (255, 255, 255), -1)
    entry = photograph([[120, 75, 181, 166]], ignore=[[120, 75, 181, 166]])
    moved, canvas = turned(entry, image, roll)
    rows, columns = np.nonzero(canvas[..., 0] > 200)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert moved.boxes[0] == pytest.approx(seen, abs=2)
    assert (moved.ignore == moved.boxes).all()
    if roll == 90:
        assert canvas.shape == (420, 300, 3)
        assert moved.boxes[0] == pytest.approx([134, 120, 225, 181], abs=1e-3)


def test_rolls_are_random_but_always_the_same() -> None:
    rolls = np.array([roll_for(f"{number}.jpg") for number in range(2000)])
    assert (rolls == [roll_for(f"{number}.jpg") for number in range(2000)]).all()
    assert np.histogram(rolls, 8, (0, 360))[0].min() > 200


def test_scales() -> None:
    wide, tall = np.zeros((768, 1024, 3), np.uint8), np.zeros((1500, 1000, 3), np.uint8)
    vga = Scale.chosen("vga", None, 512)
    assert [vga.side(image) for image in (wide, tall, wide[:100, :50])] == [640, 640, 100]
    assert vga.side(np.zeros((1000, 1000, 3), np.uint8)) == 480
    assert Scale.chosen("original", None, 512).side(tall) == 1500
    assert Scale.chosen(None, 320, 512).side(wide) == 320
    assert str(Scale.chosen(None, None, 512)) == "longest side at most 512 px"
    with pytest.raises(ConfigError, match="exclude"):
        Scale.chosen("vga", 320, 512)
    with pytest.raises(ConfigError, match="choose vga or original"):
        Scale.chosen("hd", None, 512)


class Fixed(Detector):
    """Finds the astronaut where the picture is upright, however small it is shown; remembers what it saw."""

    def __init__(self, box: list[float]) -> None:
        super().__init__(name="fixed", max_side=64, score=0.5, nms=0.4, min_face=1)
        self.box, self.sides = box, []

    def _detect(self, bgr: Image, min_face: float) -> Detections:
        self.sides.append(round(self.max_side / max(bgr.shape[:2]), 2))
        return detections([self.box], [0.9])


def test_detectors_side_by_side_see_the_same(folder: Path) -> None:
    good, bad = Contender("good", Fixed(ASTRONAUT), 0.4), Contender("bad", Fixed([0, 0, 40, 40]))
    photographs = HeldOutPhotographs(folder)
    reports = measure_photographs(photographs, [good, bad], Scale(longest=256), quiet())
    assert [report.label for report in reports] == ["good", "bad"]
    assert [report.upright["all"].ap for report in reports] == [1, 0]
    assert [report.upright["bare"].ap for report in reports] == [1, 0]
    assert reports[0].turned["all"].faces == 3
    assert set(reports[0].speed) == {"320x240", "480x360", "640x480"}
    assert (good.detector.score, good.in_use().detector.score) == (0.5, 0.4)
    assert good.detector.sides == bad.detector.sides
    assert set(good.detector.sides[:6]) == {0.5}  # turned pictures too are shown at the scale of upright ones
    assert len(photographs.problems) == 2


def test_the_command_prints_and_writes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    command = ["evaluate", "detection", "--data", str(folder), "--scale", "vga", "--out", str(out)]
    result = CliRunner().invoke(app, [*command, "--detector", "retinaface"], env={"COLUMNS": "150"})
    assert result.exit_code == 0, result.output
    for text in (
        "VGA: fits 640 x 480",
        "score from 0.02",
        "bare",
        "turned",
        "640x480",
        "inverted",
    ):
        assert text in result.output
    table = json.loads((out / "detection.json").read_bytes())
    assert list(table["detectors"]) == ["retinaface"]
    for row in table["detectors"].values():
        assert row["upright"]["all"]["ap"] == pytest.approx(1)
        assert row["upright"]["all"]["faces"] == 3
        assert set(row["ms_by_size"]) == {"320x240", "480x360", "640x480"}
    assert len(table["left_out"]) == 2
    assert cv2.imread(str(out / "detection.png")) is not None


def test_real_photographs(shared_data: Path) -> None:
    photographs = HeldOutPhotographs(shared_data / "detection")
    assert len(photographs) == 305
    photographs.entries = photographs.entries[:12] + photographs.entries[-18:]
    (report,) = measure_photographs(photographs, load_contenders(["retinaface"], settings()), Scale(512), quiet())
    assert report.upright["all"].ap > 0.6
    assert report.upright["all"].ap > report.turned["all"].ap + 0.15
    assert report.upright["from 128 px"].ap > 0.9
    assert {"wider_face", "mask_ilc2021", "masked"} <= set(report.upright)


def test_both_annotation_files_of_the_real_set_are_read(shared_data: Path) -> None:
    first = read_annotations(shared_data / "detection" / "annotations.json")
    second = read_annotations(shared_data / "detection" / "more.json")
    assert (len(first), sum(len(entry.boxes) for entry in first)) == (1149, 3915)
    assert (len(second), sum(len(entry.boxes) for entry in second)) == (2847, 10381)
    assert sum(int((entry.masks == "masked").sum()) for entry in second) == 5640
    assert any(len(entry.ignore) for entry in second)


def test_the_protocol_yields_to_the_user_and_not_to_the_file() -> None:
    (contender,) = load_contenders([], settings("detector.min_face=20", "detector.nms=0.3"))
    detector = contender.detector
    assert (contender.label, detector.score, detector.min_face, detector.nms) == ("retinaface", 0.02, 20, 0.3)
    assert contender.in_use().detector.score == 0.7  # time is measured with what counts as a face


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["retinanet"], "Unknown detector 'retinanet'"),
        (["retinaface", "retinaface"], "given twice"),
        (["retinaface=mine.onnx"], "brings its own"),
        (["retinaface_resnet50=none.pth"], "none.pth"),
    ],
)
def test_wrong_detectors(names: list[str], message: str) -> None:
    with pytest.raises(FacestreamError, match=message):
        load_contenders(names, settings())


def test_boxes_that_cannot_be_are_named_and_ignored(tmp_path: Path, astronaut: np.ndarray) -> None:
    name = MEASURED[0]
    boxes = [ASTRONAUT, [300, 300, 260, 340], [600, 10, 640, 50]]
    photographs = HeldOutPhotographs(write_folder(tmp_path, [annotation(name, boxes)], {name: jpeg(astronaut)}))
    ((entry, _),) = [item for item in photographs if item is not None]
    assert entry.boxes.tolist() == [ASTRONAUT]
    assert entry.ignore.tolist() == [[260, 300, 300, 340], [600, 10, 640, 50]]
    assert photographs.problems == [
        f"{name}: box [300.0, 300.0, 260.0, 340.0] is inverted",
        f"{name}: box [600.0, 10.0, 640.0, 50.0] is outside the 512 x 512 picture",
    ]


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path, astronaut: np.ndarray) -> None:
    entries = [annotation(name, [ASTRONAUT]) for name in MEASURED[:3]]
    pictures = {MEASURED[0]: jpeg(astronaut), MEASURED[1]: b""}
    photographs = HeldOutPhotographs(write_folder(tmp_path / "some", entries, pictures))
    assert [item is None for item in photographs] == [False, True, True]
    assert [line[:9] for line in photographs.problems] == MEASURED[1:3]
    none = HeldOutPhotographs(write_folder(tmp_path / "none", entries, {MEASURED[1]: b"x"}))
    with pytest.raises(DatasetError, match=rf"can be used; the first problem: {MEASURED[0]}"):
        list(none)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ('{"images": []}', "must hold a list"),
        ('[{"file": "a.jpg"}]', "entry 0 is not as documented"),
        ('[{"file": "a.jpg", "faces": [{"box": [1, 2, 3]}]}]', "entry 0 is not as documented"),
        ('[{"file": "a.jpg", "faces": [{"box": [1, 2, 3, NaN]}]}]', "no number"),
        ('[{"file": "a.jpg", "faces": [{"box": [1, 2, 3, 4], "mask": "yes"}]}]', "without_mask"),
        ('["a.jpg"]', "entry 0"),
        ("[]", "No annotated face"),
        ('[{"file": "00007.jpg", "faces": []}]', "No annotated face"),
    ],
)
def test_wrong_annotations(tmp_path: Path, content: str, message: str) -> None:
    write_folder(tmp_path, [], {})
    (tmp_path / "annotations.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        HeldOutPhotographs(tmp_path)


def test_missing_and_damaged_files(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DatasetError, match="is no folder"):
        HeldOutPhotographs(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"no images\.tar"):
        HeldOutPhotographs(tmp_path)
    (folder / "images.tar").write_bytes(b"not an archive" * 100)
    with pytest.raises(DatasetError, match="no readable tar"):
        list(HeldOutPhotographs(folder))
    (folder / "annotations.json").unlink()
    with pytest.raises(DatasetError, match=r"annotations\.json cannot be read"):
        HeldOutPhotographs(folder)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"data": Path("a"), "wider": Path("b")},
        {"wider": Path("b")},
        {"gt": Path("b")},
        {"data": Path("a"), "gt": Path("b")},
    ],
)
def test_one_kind_of_data_is_needed(given: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="one of: clips, --data, or --wider"):
        evaluate_detection(settings(), **given, console=quiet())


def test_where_to_write_is_found_wrong_before_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError):
        evaluate_detection(settings(), data=folder, out=folder / "images.tar" / "out", console=quiet())
    monkeypatch.setattr("streamer.evaluation.detection.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install matplotlib"):
        evaluate_detection(settings(), data=folder, out=folder / "out", console=quiet())
