"""TinyMog's ONNX file and its runner: the same numbers as torch, wrong files in plain words, no torch in sight."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from detectors.tiny_networks import OTHERS, SMALL, lively, settings

from streamer.detectors import Detector, load_detector
from streamer.detectors.postprocess import MAX_CANDIDATES
from streamer.detectors.tinymog import TinyMog
from streamer.detectors.tinymog_network import SCRFD_05G, torch_network
from streamer.detectors.tinymog_onnx import OUTPUTS, OnnxTinyMog, neighbourhoods, open_tinymog, to_picture
from streamer.errors import ConfigError, FacestreamError, WeightsError
from streamer.runtime.weights import own_weights, retinaface_mobilenet_onnx
from streamer.training.detection import export
from streamer.types import Detections

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A checkpoint of the published structure with lively numbers, and what the command exports of it."""
    folder = tmp_path_factory.mktemp("weights")
    checkpoint, exported = folder / "tinymog.pth", folder / "tinymog.onnx"
    torch.save({"state_dict": lively(SCRFD_05G).state_dict()}, checkpoint)
    export.main([str(checkpoint), "--out", str(exported)])
    return checkpoint, exported


@pytest.fixture(scope="module")
def threshold(files: tuple[Path, Path], astronaut: np.ndarray) -> float:
    """A score that some hundred anchors of a photograph pass: random weights have no better meaning."""
    _, (logits, _, _) = open_tinymog(files[1], 1)(to_picture(astronaut), -np.inf)
    return float(np.sort(logits)[-100])


@pytest.fixture
def both(files: tuple[Path, Path], threshold: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Detector, Detector]:
    """The runner and torch, which take the threshold for their score's logit."""
    for module in ("tinymog", "tinymog_onnx"):
        monkeypatch.setattr(f"streamer.detectors.{module}.to_logit", lambda _score: threshold)
    return (
        OnnxTinyMog(open_tinymog(files[1], 1), **settings()),
        TinyMog(torch_network(files[0], SCRFD_05G, "cpu", 1), **settings()),
    )


def same(ours: Detections, torchs: Detections) -> None:
    assert len(ours) == len(torchs)
    scale = max(1.0, float(np.abs(torchs.boxes).max(initial=0)))
    np.testing.assert_allclose(ours.boxes / scale, torchs.boxes / scale, atol=1e-4)
    np.testing.assert_allclose(ours.keypoints / scale, torchs.keypoints / scale, atol=1e-4)
    np.testing.assert_allclose(ours.scores, torchs.scores, atol=1e-4)


# ---- the export ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", [SMALL, *OTHERS.values()], ids=["depthwise", *OTHERS])
@pytest.mark.parametrize("shared_head", [False, True], ids=["a head a stride", "one head"])
def test_every_structure_is_exported_and_says_what_torch_says(
    structure: str, shared_head: bool, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    assert export.export_onnx(lively(structure, shared_head=shared_head), path) < export.TOLERANCE
    assert tuple(output.name for output in onnx.load(path).graph.output) == OUTPUTS


def test_a_network_that_says_something_else_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = export.tinymog_graph(lively(seed=1))
    monkeypatch.setattr(export, "tinymog_graph", lambda _network: model)
    with pytest.raises(FacestreamError, match="differs from torch by"):
        export.export_onnx(lively(), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_backbone_that_cannot_be_exported_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="begins with conv and /2"):
        export.export_onnx(lively("dw4/2 | dw4/2 | dw4/2 | dw4/2 | dw4/2"), tmp_path / "model.onnx")


def test_the_command_tells_a_mistake_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"No weights file at .*none\.pth"):
        export.main([str(tmp_path / "none.pth"), "--out", str(tmp_path / "model.onnx")])


# ---- the runner ------------------------------------------------------------------------------------------------


def test_it_finds_what_torch_finds_on_real_pictures(
    both: tuple[Detector, Detector], photographs: list[np.ndarray]
) -> None:
    ours, torchs = both
    found = [(ours.detect(image), torchs.detect(image)) for image in photographs]
    for a, b in found:
        same(a, b)
    assert sum(len(a) for a, _ in found) > 20


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 700, 3), (700, 2, 3), (31, 33, 3), (512, 512, 3)])
def test_any_size_works(shape: tuple[int, ...], both: tuple[Detector, Detector]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    same(both[0].detect(image), both[1].detect(image))


def test_the_reused_input_keeps_nothing_of_the_last_picture(
    both: tuple[Detector, Detector], photographs: list[np.ndarray]
) -> None:
    """Pictures of other sizes and a strided one in between, then the first again."""
    ours, torchs = both
    wide = photographs[0][:200]
    first = ours.detect(wide)
    for image in (photographs[1], photographs[0][:210, ::2], photographs[0][:224]):
        same(ours.detect(image), torchs.detect(image))
    np.testing.assert_array_equal(ours.detect(wide).boxes, first.boxes)


def test_threads_share_a_detector(both: tuple[Detector, Detector], photographs: list[np.ndarray]) -> None:
    ours = both[0]
    alone = [ours.detect(image).boxes for image in photographs]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda image: ours.detect(image).boxes, photographs * 2))
    for a, b in zip(alone * 2, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_wall_of_faces_is_bounded(files: tuple[Path, Path], photographs: list[np.ndarray]) -> None:
    """A score that every anchor of a large picture passes: the best some thousand go on."""
    detector = load_detector("tinymog", weights=files[1], device="cpu", score=1e-9, nms=0.99, max_side=1024)
    assert 0 < len(detector.detect(photographs[1])) <= MAX_CANDIDATES


def test_neighbourhoods_are_those_of_a_padded_map() -> None:
    features = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float32)
    padded = np.pad(features, ((1, 1), (1, 1), (0, 0)))
    found = neighbourhoods(features, np.arange(24))
    for cell, values in enumerate(found):
        row, column = divmod(cell, 6)
        np.testing.assert_array_equal(values, padded[row : row + 3, column : column + 3].reshape(-1))
    assert neighbourhoods(features, np.zeros(0, np.intp)).shape == (0, 45)


# ---- files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (retinaface_mobilenet_onnx(), "is another network: its outputs are loc, conf, landmarks"),
        (own_weights("landmarks106.onnx").read_bytes(), "is another network"),
        (b"no network", "is no usable ONNX network"),
        (b"", "is empty"),
        (None, "No weights file at"),
    ],
    ids=["retinaface", "landmarks", "text", "empty", "missing"],
)
def test_wrong_files_are_told(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=words):
        load_detector("tinymog", weights=path, device="cpu")


def test_a_truncated_file_is_told(files: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(files[1].read_bytes()[:-1000])
    with pytest.raises(WeightsError, match="no usable ONNX network"):
        load_detector("tinymog", weights=path, device="cpu")


# ---- without torch ---------------------------------------------------------------------------------------------


def without_torch(code: str) -> None:
    check = "import sys\n" + code + "\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)


def test_an_exported_file_runs_without_torch(files: tuple[Path, Path]) -> None:
    without_torch(
        "import numpy as np; from pathlib import Path; from streamer.detectors import load_detector\n"
        f"load_detector('tinymog', weights=Path({str(files[1])!r}), device='cpu').detect(np.zeros((99, 50, 3), 'u1'))"
    )


def test_our_own_weights_find_the_astronaut_without_torch() -> None:
    without_torch(
        "from skimage.data import astronaut; from streamer.detectors import load_detector\n"
        "found = load_detector('tinymog', device='cpu').detect(astronaut()[..., ::-1])\n"
        "assert len(found) == 1 and abs(found.boxes[0] - [178, 57, 273, 177]).max() < 25, found"
    )
