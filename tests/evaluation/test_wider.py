"""The official WIDER FACE evaluation: known answers, the plain loops it must agree with, the real ground truth."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console
from scipy.io import savemat
from typer.testing import CliRunner

from streamer.cli import app
from streamer.evaluation.detection import Contender, Scale, measure_wider
from streamer.evaluation.wider import LEVELS, WiderPicture, find_pictures, load_ground_truth, wider_scores
from streamer.training.datasets import DatasetError
from streamer.types import Detections

FACE = [170.0, 62.0, 102.0, 138.0]
"""The astronaut's face: x, y, width, height."""


def detections(boxes: np.ndarray, scores: np.ndarray) -> Detections:
    """Detections from x, y, width, height."""
    table = np.array(boxes, np.float32).reshape(-1, 4)
    table[:, 2:] += table[:, :2]
    return Detections(table, np.array(scores, np.float32), np.zeros((len(table), 5, 2), np.float32))


def picture(boxes: list[list[float]], hard: list[bool], easy: list[bool] | None = None) -> WiderPicture:
    counted = {level: np.array(hard, bool) for level in LEVELS}
    if easy is not None:
        counted["easy"] = np.array(easy, bool)
    return WiderPicture("0--Parade", "a", np.array(boxes, np.float64).reshape(-1, 4), counted)


def cells(rows: list[object]) -> np.ndarray:
    """A column of MATLAB cells."""
    column = np.empty((len(rows), 1), object)
    for row, value in enumerate(rows):
        column[row, 0] = value
    return column


def write_truth(folder: Path, events: dict[str, dict[str, list[list[float]]]], counted: list[int]) -> Path:
    """The four official files: ``counted`` are the numbers of the faces that count in every picture."""
    folder.mkdir(exist_ok=True)
    lists = {
        "event_list": cells(list(events)),
        "file_list": cells([cells(list(files)) for files in events.values()]),
        "face_bbx_list": cells([cells([np.array(b) for b in files.values()]) for files in events.values()]),
    }
    savemat(folder / "wider_face_val.mat", lists)
    numbers = cells([cells([np.array(counted)[:, None]] * len(files)) for files in events.values()])
    for level in LEVELS:
        savemat(folder / f"wider_{level}_val.mat", {"gt_list": numbers})
    return folder


def reference(truth: list[WiderPicture], found: list[Detections], level: str) -> float:
    """The official MATLAB tool, loop by loop."""
    every = np.concatenate([d.scores for d in found]).astype(np.float64)
    low, high = every.min(), every.max()
    sums, faces = np.zeros((1000, 2)), 0
    for item, seen in zip(truth, found, strict=True):
        faces += int(item.counted[level].sum())
        if not len(seen) or not len(item.boxes):
            continue
        state, proposals, recalls = np.zeros(len(item.boxes)), [], []
        for x1, y1, x2, y2 in seen.boxes.astype(np.float64):
            best, at = -1.0, -1
            for number, (x, y, w, h) in enumerate(item.boxes):
                across, down = min(x2, x + w) - max(x1, x) + 1, min(y2, y + h) - max(y1, y) + 1
                common = across * down if across > 0 and down > 0 else 0.0
                share = common / ((x2 - x1 + 1) * (y2 - y1 + 1) + (w + 1) * (h + 1) - common)
                best, at = (share, number) if share > best else (best, at)
            proposal = 1
            if best >= 0.5:
                if not item.counted[level][at]:
                    state[at], proposal = -1, -1
                elif state[at] == 0:
                    state[at] = 1
            proposals.append(proposal)
            recalls.append(int((state == 1).sum()))
        scores = (seen.scores.astype(np.float64) - low) / (high - low)
        for t in range(1000):
            passing = np.flatnonzero(scores >= 1 - (t + 1) / 1000)
            if len(passing):
                sums[t] += (proposals[: passing[-1] + 1].count(1), recalls[passing[-1]])
    recall, precision = sums[:, 1] / faces, sums[:, 1] / np.maximum(sums[:, 0], 1)
    r, p = np.concatenate([[0], recall, [1]]), np.concatenate([[0], precision, [0]])
    for row in range(len(p) - 1, 0, -1):
        p[row - 1] = max(p[row - 1], p[row])
    change = np.flatnonzero(r[1:] != r[:-1])
    return float(((r[change + 1] - r[change]) * p[change + 1]).sum())


def test_known_answers() -> None:
    truth = [picture([[0, 0, 19, 19], [100, 0, 19, 19]], [True, True], easy=[True, False])]
    boxes = np.array([[0, 0, 19, 19], [200, 0, 19, 19], [100, 0, 19, 19]])
    scores = wider_scores(truth, [detections(boxes, np.array([0.9, 0.5, 0.1]))])
    assert scores["hard"].ap == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert (scores["hard"].faces, scores["easy"].faces) == (2, 1)
    assert scores["easy"].ap == 1  # the false one comes later; the face that does not count is left out
    assert scores["easy"].precisions[-1] == 0.5


def test_a_second_detection_of_a_face_is_false_and_of_one_that_does_not_count_is_not() -> None:
    truth = [picture([[0, 0, 19, 19], [100, 0, 19, 19]], [True, False])]
    twice = [[0, 0, 19, 19], [100, 0, 19, 19]]
    scores = wider_scores(truth, [detections(np.array(twice + twice), np.array([0.9, 0.8, 0.7, 0.6]))])
    assert scores["hard"].ap == 1
    assert scores["hard"].precisions[-1] == 0.5


def test_sides_are_counted_in_whole_pixels() -> None:
    """A third of the width beside it is just an overlap of one half with the one pixel, and less without."""
    truth = [picture([[0, 0, 29, 29]], [True])]
    for shift, ap in ((10, 1), (10.5, 0)):
        found = detections(np.array([[shift, 0, 29, 29]]), np.array([0.9]))
        assert wider_scores(truth, [found])["hard"].ap == ap


def test_faces_of_pictures_without_detections_are_missed() -> None:
    truth = [picture([[0, 0, 19, 19]], [True])] * 2
    found = [detections(np.array([[0, 0, 19, 19]]), np.array([0.9])), Detections.empty()]
    assert wider_scores(truth, found)["hard"].ap == 0.5
    assert wider_scores(truth, [Detections.empty()] * 2)["hard"].ap == 0


def test_scores_are_stretched_over_all_pictures() -> None:
    truth = [picture([[0, 0, 19, 19]], [True])] * 2
    boxes = np.array([[0, 0, 19, 19]])
    one = wider_scores(truth, [detections(boxes, np.array([0.5])), detections(boxes + 300, np.array([0.50001]))])
    assert one["hard"].recalls[998] == 0
    assert one["hard"].ap == pytest.approx(0.25)


def test_it_agrees_with_the_plain_loops() -> None:
    rng = np.random.default_rng(3)
    truth, found = [], []
    for _ in range(40):
        count = int(rng.integers(0, 9))
        faces = np.hstack([rng.uniform(0, 120, (count, 2)), rng.uniform(8, 60, (count, 2))]).round()
        hard = rng.random(count) < 0.7
        truth.append(picture(faces.tolist(), hard.tolist(), (hard & (rng.random(count) < 0.5)).tolist()))
        near = np.vstack([faces + rng.normal(0, 3, faces.shape), faces[:3], rng.uniform(10, 60, (4, 4))])
        scores = np.sort(rng.random(len(near)))[::-1].round(3)
        found.append(detections(rng.permutation(near), scores) if rng.random() < 0.9 else Detections.empty())
    ours = wider_scores(truth, found)
    for level in LEVELS:
        assert 0.05 < ours[level].ap < 0.95
        assert ours[level].ap == pytest.approx(reference(truth, found, level), abs=1e-12)


def test_the_real_ground_truth_fed_back_is_perfect(shared_data: Path) -> None:
    """Up to two of its hard faces that no detection can find: one is annotated twice, one has a negative width."""
    truth = load_ground_truth(shared_data / "wider_eval")
    assert len(truth) == 3226
    assert sum(len(item.boxes) for item in truth) == 39708
    scores = wider_scores(truth, [detections(item.boxes, np.ones(len(item.boxes))) for item in truth])
    assert {level: scores[level].faces for level in LEVELS} == {"easy": 7211, "medium": 13319, "hard": 31958}
    assert [round(scores[level].ap, 3) for level in LEVELS] == [1, 1, 1]
    assert scores["easy"].ap == pytest.approx(7211 / 7212, abs=1e-9)  # all found, the negative one is false
    assert scores["medium"].ap == pytest.approx(13319 / 13320, abs=1e-9)
    assert scores["hard"].ap == pytest.approx((31956 / 31958) ** 2, abs=1e-9)


def test_real_ground_truth_of_one_level_is_perfect_on_it_alone(shared_data: Path) -> None:
    truth = load_ground_truth(shared_data / "wider_eval")[:400]
    found = [detections(item.boxes[item.counted["easy"]], np.ones(int(item.counted["easy"].sum()))) for item in truth]
    scores = wider_scores(truth, found)
    assert scores["easy"].ap == 1
    assert scores["hard"].ap == pytest.approx(scores["easy"].faces / scores["hard"].faces)


@pytest.fixture
def wider(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """A set of three pictures: one with the astronaut, one broken, one missing; and its ground truth."""
    files = {name: [FACE, [400.0, 400.0, 9.0, 9.0]] for name in ("one", "broken", "missing")}
    write_truth(tmp_path / "gt", {"0--Parade": files, "1--Handshaking": {"two": [FACE]}}, [1])
    parade = tmp_path / "WIDER_val" / "images" / "0--Parade"
    parade.mkdir(parents=True)
    cv2.imwrite(str(parade / "one.jpg"), astronaut)
    (parade / "broken.jpg").write_bytes(b"no picture")
    return tmp_path


def test_the_command_measures_and_names_what_it_cannot_read(wider: Path) -> None:
    command = ["evaluate", "detection", "--wider", str(wider), "--gt", str(wider / "gt"), "--scale", "original"]
    result = CliRunner().invoke(app, [*command, "--out", str(wider / "out")], env={"COLUMNS": "150"})
    assert result.exit_code == 0, result.output
    for text in ("official protocol", "scale: original size", "easy", "broken.jpg", "left out in all: 3"):
        assert text in result.output
    table = json.loads((wider / "out" / "detection.json").read_bytes())
    levels = table["detectors"]["retinaface"]["levels"]
    assert levels["hard"] == {"faces": 4, "ap": 0.25}
    assert len(table["left_out"]) == 3
    assert cv2.imread(str(wider / "out" / "detection.png")) is not None


def test_pictures_are_found_from_any_folder_above_them(wider: Path) -> None:
    truth = load_ground_truth(wider / "gt")
    images = wider / "WIDER_val" / "images"
    assert [find_pictures(folder, truth) for folder in (wider, images.parent, images)] == [images] * 3
    with pytest.raises(DatasetError, match=r"images/0--Parade/one\.jpg"):
        find_pictures(wider / "gt", truth)


def test_a_set_without_any_readable_picture_is_an_error(wider: Path) -> None:
    truth = load_ground_truth(wider / "gt")[1:]
    none: list[Contender] = []
    with pytest.raises(DatasetError, match=r"the first: .*broken\.jpg"):
        measure_wider(wider / "WIDER_val" / "images", truth, none, Scale(), Console(file=io.StringIO()))


def test_wrong_ground_truth_is_told(wider: Path, tmp_path: Path) -> None:
    gt = wider / "gt"
    with pytest.raises(DatasetError, match="is no folder"):
        load_ground_truth(tmp_path / "none")
    hard, whole = gt / "wider_hard_val.mat", (gt / "wider_face_val.mat").read_bytes()
    hard.write_bytes(whole)
    with pytest.raises(DatasetError, match=r"another file: it holds no list named gt_list"):
        load_ground_truth(gt)
    for damaged in (b"", b"some text that is no MATLAB file at all" * 9, whole[:200], whole[:-40]):
        hard.write_bytes(damaged)
        with pytest.raises(DatasetError, match="no readable MATLAB file"):
            load_ground_truth(gt)
    hard.unlink()
    with pytest.raises(DatasetError, match=r"There is no .*wider_hard_val\.mat"):
        load_ground_truth(gt)


def test_levels_of_another_set_are_told(wider: Path) -> None:
    files = {"0--Parade": {name: [FACE] for name in ("one", "broken", "missing")}, "1--Handshaking": {"two": [FACE]}}
    write_truth(wider / "gt", files, [2])
    with pytest.raises(DatasetError, match="do not belong together"):
        load_ground_truth(wider / "gt")
    write_truth(wider / "other", {"0--Parade": {"one": [FACE]}}, [1])
    (wider / "gt" / "wider_easy_val.mat").write_bytes((wider / "other" / "wider_easy_val.mat").read_bytes())
    with pytest.raises(DatasetError, match="do not belong together"):
        load_ground_truth(wider / "gt")
