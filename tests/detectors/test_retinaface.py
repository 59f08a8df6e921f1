"""RetinaFace: parity with the package that carries the weights, strict ResNet-50 loading, coordinates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.detectors import Detector, load_detector
from streamer.detectors.postprocess import overlap
from streamer.detectors.retinaface import anchors_at
from streamer.errors import ConfigError, DeviceError, WeightsError


def padded(image: np.ndarray) -> np.ndarray:
    """The reference does not pad; give both the same multiple of 32."""
    height, width = image.shape[:2]
    return cv2.copyMakeBorder(image, 0, -height % 32, 0, -width % 32, cv2.BORDER_CONSTANT, value=(104, 117, 123))


def test_finds_the_astronaut(astronaut: np.ndarray, retinaface: Detector) -> None:
    found = retinaface.detect(astronaut)
    assert len(found) == 1
    assert found.scores[0] > 0.99
    assert overlap(found.boxes[0], np.array([[178, 57, 273, 177]], np.float32))[0] > 0.9
    left_eye, right_eye, nose, left_mouth, right_mouth = found.keypoints[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert not found.boxes.flags.writeable


def test_parity_with_the_package(photographs: list[np.ndarray]) -> None:
    """Every face that either sees clearly, both see at the same place."""
    import retinaface as reference

    ours = load_detector(max_side=4096, score=0.5, nms=0.4, min_face=1)
    compared = 0
    for image in map(padded, photographs):
        found = ours.detect(image)
        theirs = reference.detect_faces(image[..., ::-1], score_threshold=0.5, nms_threshold=0.4)
        boxes = np.array([[f.x, f.y, f.x + f.width, f.y + f.height] for f in theirs], np.float32)
        scores = np.array([f.score for f in theirs], np.float32)
        points = np.array([[[p.x, p.y] for p in f.landmarks] for f in theirs], np.float32)
        for box, score, keypoints in zip(found.boxes, found.scores, found.keypoints, strict=True):
            if score < 0.8 or min(box[2:] - box[:2]) < 24:  # whole pixels alone cost small boxes 5 % of IoU
                continue
            same = int(overlap(box, boxes).argmax())
            # The reference cuts to whole pixels: compare after the same cut.
            cut = np.array([*box[:2].astype(int), *box[:2].astype(int)])
            cut[2:] += (box[2:] - box[:2]).astype(int)
            assert overlap(cut.astype(np.float32), boxes)[same] > 0.95
            assert abs(scores[same] - score) < 0.05
            assert np.abs(points[same] - keypoints).max() < 2 + 0.02 * (box[3] - box[1])
            compared += 1
        clear = boxes[scores > 0.8]
        assert all(overlap(box, found.boxes).max(initial=0) > 0.8 for box in clear)
    assert compared >= 12


def test_anchors_are_the_published_table() -> None:
    """Against the loop of the paper's code, for a size whose levels are odd."""
    height, width = 96, 160
    table = [
        ((column + 0.5) * stride, (row + 0.5) * stride, side)
        for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
        for row in range(height // stride)
        for column in range(width // stride)
        for side in sides
    ]
    centres, sides = anchors_at(np.arange(len(table)), (height, width))
    np.testing.assert_array_equal(np.hstack([centres, sides]), np.array(table, np.float32))


def test_coordinates_are_those_of_the_given_image(astronaut: np.ndarray) -> None:
    detector = load_detector(max_side=320)
    small = detector.detect(astronaut)
    wide = cv2.resize(astronaut, (1152, 1024))
    large = detector.detect(wide)
    stretched = small.boxes[0] * np.array([2.25, 2, 2.25, 2], np.float32)
    assert overlap(large.boxes[0], stretched[None])[0] > 0.8


def test_min_face_and_score_choose(astronaut: np.ndarray) -> None:
    assert len(load_detector(min_face=200).detect(astronaut)) == 0
    assert len(load_detector(score=0.9999).detect(astronaut)) == 0


def test_few_false_faces_where_there_are_none(clips: Path) -> None:
    import av

    with av.open(str(clips / "no_face.mp4")) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)][::8]
    detector = load_detector()
    assert sum(len(detector.detect(frame)) for frame in frames) == 0


def test_a_default_run_never_imports_torch() -> None:
    code = (
        "import sys, numpy as np; from streamer.detectors import load_detector;"
        "load_detector(device='cpu').detect(np.zeros((64, 64, 3), np.uint8));"
        "assert not {'torch', 'scipy', 'skimage', 'matplotlib', 'joblib'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_unknown_detector_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="retinaface, retinaface_resnet50, mtcnn"):
        load_detector("yolo")


@pytest.mark.parametrize("name", ["retinaface", "mtcnn"])
def test_weights_for_a_detector_that_brings_its_own(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="brings its own"):
        load_detector(name, weights=tmp_path / "some.pth", device="cpu")


def test_cuda_asked_for_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.runtime.devices.has_nvidia_driver", lambda: False)
    with pytest.raises(DeviceError, match="no NVIDIA GPU"):
        load_detector(device="cuda")


# ---- ResNet-50 -------------------------------------------------------------------------------------------------


def published_names() -> set[str]:
    """State-dict names of ``Resnet50_Final.pth``, written down from its published architecture."""

    def norm(name: str) -> set[str]:
        return {f"{name}.{p}" for p in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")}

    def unit(name: str) -> set[str]:
        return {f"{name}.0.weight"} | norm(f"{name}.1")

    names = {"body.conv1.weight"} | norm("body.bn1")
    for layer, blocks in zip((1, 2, 3, 4), (3, 4, 6, 3), strict=True):
        for block in range(blocks):
            stem = f"body.layer{layer}.{block}"
            for conv in (1, 2, 3):
                names |= {f"{stem}.conv{conv}.weight"} | norm(f"{stem}.bn{conv}")
        names |= unit(f"body.layer{layer}.0.downsample")
    for part in ("output1", "output2", "output3", "merge1", "merge2"):
        names |= unit(f"fpn.{part}")
    for level in (1, 2, 3):
        for part in ("conv3X3", "conv5X5_1", "conv5X5_2", "conv7X7_2", "conv7x7_3"):
            names |= unit(f"ssh{level}.{part}")
    for head in ("ClassHead", "BboxHead", "LandmarkHead"):
        names |= {f"{head}.{i}.conv1x1.{p}" for i in range(3) for p in ("weight", "bias")}
    return names


@pytest.fixture(scope="module")
def resnet50_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with the published names (with the ``module.`` of a parallel training) and random weights."""
    import torch

    from streamer.detectors.retinaface_resnet50 import RetinaFaceResNet50

    path = tmp_path_factory.mktemp("weights") / "Resnet50_Final.pth"
    torch.save({f"module.{k}": v for k, v in RetinaFaceResNet50().state_dict().items()}, path)
    return path


def test_resnet50_has_the_published_names_and_size() -> None:
    import torch

    from streamer.detectors.retinaface_resnet50 import RetinaFaceResNet50

    network = RetinaFaceResNet50().eval()
    assert set(network.state_dict()) == published_names()
    assert sum(p.numel() for p in network.parameters()) == 27_293_600
    with torch.inference_mode():
        boxes, scores, landmarks = network(torch.zeros(1, 3, 64, 96))
    anchors = 2 * (8 * 12 + 4 * 6 + 2 * 3)
    assert (boxes.shape, scores.shape, landmarks.shape) == ((1, anchors, 4), (1, anchors, 2), (1, anchors, 10))
    torch.testing.assert_close(scores.sum(dim=2), torch.ones(1, anchors))


def test_resnet50_loads_strictly_and_runs(resnet50_file: Path, astronaut: np.ndarray) -> None:
    detector = load_detector("retinaface_resnet50", weights=resnet50_file, max_side=64, device="cpu")
    assert detector.detect(astronaut).boxes.shape[1] == 4


def test_resnet50_without_weights_says_where_to_put_them() -> None:
    with pytest.raises(WeightsError, match=r"detector\.weights"):
        load_detector("retinaface_resnet50", device="cpu")


def test_resnet50_refuses_another_network(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "other.pth"
    torch.save({"body.conv1.weight": torch.zeros(64, 3, 3, 3), "fc.weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError) as caught:
        load_detector("retinaface_resnet50", weights=path, device="cpu")
    message = str(caught.value)
    assert re.search(r"455 missing: .*, …; 1 unexpected: fc.weight; 1 of another shape: body.conv1.weight", message)
    assert "(64, 3, 3, 3) instead of (64, 3, 7, 7)" in message
    assert len(message) < 400
