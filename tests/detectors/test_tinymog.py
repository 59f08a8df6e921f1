"""TinyMog: size and names of the network, strict loading, decoding against a slow reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from detectors.tiny_networks import OTHERS, SMALL, lively, settings
from torch import Tensor, nn
from torch.nn import functional

from streamer import load_config
from streamer.detectors import Detector, load_detector
from streamer.detectors.postprocess import overlap
from streamer.detectors.tinymog import RawOutputs, TinyMog, decode, to_blob
from streamer.detectors.tinymog_network import STRIDES, Level, TinyMogNetwork, load_tinymog, torch_network
from streamer.errors import ConfigError, WeightsError


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small only lose by sharing the work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def outputs(network: TinyMogNetwork, x: Tensor) -> list[Tensor]:
    with torch.inference_mode():
        return [tensor for level in network(x) for tensor in level]


def saved(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "model.pth"
    torch.save(content, path)
    return path


# ---- the network -----------------------------------------------------------------------------------------------


def test_the_default_has_the_published_cost_and_size() -> None:
    network = TinyMogNetwork().eval()
    macs: list[int] = []

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        macs.append(output.numel() * module.weight[0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    outputs(network, torch.zeros(1, 3, 480, 640))
    assert sum(macs) == pytest.approx(0.55e9, rel=0.05)
    assert sum(p.numel() for p in network.parameters()) == 631_410 + len(STRIDES)  # and a scale per stride


def published_names(keys: list[str]) -> set[str]:
    """State-dict names of ``scrfd_500m_bnkps.py``, written down from its modules; with scales."""

    def norm(name: str) -> set[str]:
        return {f"{name}.{p}" for p in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")}

    def separable(name: str) -> set[str]:
        return {f"{name}.0.weight", f"{name}.3.weight"} | norm(f"{name}.1") | norm(f"{name}.4")

    names = {"backbone.stem.0.0.weight"} | norm("backbone.stem.0.1") | separable("backbone.stem.1")
    for layer, blocks in zip((1, 2, 3, 4), (2, 3, 2, 6), strict=True):
        for block in range(blocks):
            names |= separable(f"backbone.layer{layer}.{block}")
    for part, count in (("lateral_convs", 3), ("fpn_convs", 3), ("downsample_convs", 2), ("pafpn_convs", 2)):
        names |= {f"neck.{part}.{i}.conv.{p}" for i in range(count) for p in ("weight", "bias")}
    for key in keys:
        for i in range(2):
            for conv in ("depthwise_conv", "pointwise_conv"):
                stem = f"bbox_head.cls_stride_convs.{key}.{i}.{conv}"
                names |= {f"{stem}.conv.weight"} | norm(f"{stem}.bn")
        names |= {f"bbox_head.stride_{part}.{key}.{p}" for part in ("cls", "reg", "kps") for p in ("weight", "bias")}
    return names | {f"bbox_head.scales.{i}.scale" for i in range(3)}


def test_names_are_the_published_ones() -> None:
    assert set(TinyMogNetwork().state_dict()) == published_names(["(8, 8)", "(16, 16)", "(32, 32)"])
    assert set(TinyMogNetwork(shared_head=True).state_dict()) == published_names(["0"])


def test_anchors_are_numbered_row_by_row_and_two_a_cell() -> None:
    """Every output, against the maps of the last convolutions read cell by cell."""
    network = lively()
    head = network.bbox_head
    maps: dict[str, Tensor] = {}
    for part in ("cls", "reg", "kps"):
        conv = getattr(head, f"stride_{part}")["(16, 16)"]
        conv.register_forward_hook(lambda _m, _i, output, part=part: maps.update({part: output[0]}))
    with torch.inference_mode():
        level: Level = network(torch.randn(1, 3, 64, 96))[1]
    scale = head.scales[1].scale.item()
    assert maps["cls"].shape == (2, 4, 6)
    for row in range(4):
        for column in range(6):
            for anchor in range(2):
                number = (row * 6 + column) * 2 + anchor
                assert level.scores[0, number] == maps["cls"][anchor, row, column]
                for side in range(4):
                    assert level.distances[0, number, side] == maps["reg"][anchor * 4 + side, row, column] * scale
                for point in range(5):
                    for axis in range(2):
                        channel = anchor * 10 + point * 2 + axis
                        assert level.keypoints[0, number, point, axis] == maps["kps"][channel, row, column]


@pytest.mark.parametrize("structure", OTHERS.values(), ids=OTHERS)
def test_other_backbones_need_no_code(structure: str, tmp_path: Path) -> None:
    network = lively(structure)
    x = torch.randn(2, 3, 64, 96)
    shapes = [tuple(tensor.shape) for tensor in outputs(network, x)]
    cells = [8 * 12, 4 * 6, 2 * 3]
    assert shapes == [shape for n in cells for shape in ((2, 2 * n), (2, 2 * n, 4), (2, 2 * n, 5, 2))]
    loaded = load_tinymog(saved(tmp_path, network.state_dict()), structure)
    torch.testing.assert_close(outputs(loaded, x), outputs(network, x))


def test_other_blocks_have_the_names_and_shapes_of_mmdet() -> None:
    shapes = {name: tuple(value.shape) for name, value in TinyMogNetwork(OTHERS["mixed"]).state_dict().items()}
    inverted, residual = "backbone.layer3.0", "backbone.layer4.1"
    assert shapes[f"{inverted}.expand_conv.conv.weight"] == (24, 12, 1, 1)
    assert shapes[f"{inverted}.depthwise_conv.conv.weight"] == (24, 1, 3, 3)
    assert shapes[f"{inverted}.linear_conv.conv.weight"] == (16, 24, 1, 1)
    assert shapes[f"{inverted}.linear_conv.bn.weight"] == (16,)
    assert shapes[f"{residual}.conv1.weight"] == shapes[f"{residual}.conv2.weight"] == (24, 24, 3, 3)
    assert f"{residual}.downsample.1.weight" not in shapes
    changed = {name: tuple(value.shape) for name, value in TinyMogNetwork(OTHERS["residual"]).state_dict().items()}
    assert changed["backbone.layer1.0.downsample.1.weight"] == (8, 8, 1, 1)
    assert changed["backbone.layer3.1.downsample.1.weight"] == (24, 16, 1, 1)
    assert changed["backbone.layer3.1.downsample.2.weight"] == (24,)
    assert "backbone.stem.1.expand_conv.conv.weight" not in TinyMogNetwork(OTHERS["inverted"]).state_dict()


def test_the_neck_is_the_published_pyramid() -> None:
    """Against mmdet's PAFPN step by step: down to the fine levels, convolved, then up from the convolved ones."""
    neck = lively().neck
    state = neck.state_dict()

    def conv(part: str, i: int, x: Tensor, stride: int = 1) -> Tensor:
        weight, bias = state[f"{part}.{i}.conv.weight"], state[f"{part}.{i}.conv.bias"]
        return functional.conv2d(x, weight, bias, stride, weight.shape[-1] // 2)

    levels = [torch.randn(1, 4, side, side) for side in (16, 8, 4)]
    with torch.inference_mode():
        found = neck(levels)
    sums = [conv("lateral_convs", i, level) for i, level in enumerate(levels)]
    for i in (2, 1):
        sums[i - 1] = sums[i - 1] + sums[i].repeat_interleave(2, 2).repeat_interleave(2, 3)
    sums = [conv("fpn_convs", i, x) for i, x in enumerate(sums)]
    for i in (0, 1):
        sums[i + 1] = sums[i + 1] + conv("downsample_convs", i, sums[i], stride=2)
    wanted = (sums[0], conv("pafpn_convs", 0, sums[1]), conv("pafpn_convs", 1, sums[2]))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_training_starts_with_few_faces() -> None:
    scores = outputs(TinyMogNetwork(), torch.randn(2, 3, 64, 64))[::3]
    assert all(0.002 < level.sigmoid().mean() < 0.05 for level in scores)


# ---- checkpoints -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared_head", [False, True], ids=["key per stride", "key 0"])
def test_published_checkpoints_load(shared_head: bool, tmp_path: Path) -> None:
    """As mmcv saves them: under ``state_dict``, from a parallel training, with the loss's constant."""
    network = lively(shared_head=shared_head)
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    state["module.bbox_head.integral.project"] = torch.arange(9.0)
    loaded = load_tinymog(saved(tmp_path, {"meta": {"epoch": 640}, "state_dict": state}), SMALL)
    assert not loaded.training
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(outputs(loaded, x), outputs(network, x))


def test_a_checkpoint_without_scales_has_scales_of_one(tmp_path: Path) -> None:
    state = {name: value for name, value in lively().state_dict().items() if ".scales." not in name}
    loaded = load_tinymog(saved(tmp_path, state), SMALL)
    assert [float(scale) for name, scale in loaded.state_dict().items() if ".scales." in name] == [1, 1, 1]


def test_a_mismatch_names_what_is_missing_and_left_over(tmp_path: Path) -> None:
    state = lively().state_dict()
    del state["neck.fpn_convs.1.conv.bias"], state["bbox_head.scales.2.scale"]
    state["bbox_head.reg_stride_convs.(8, 8).0.conv.weight"] = torch.zeros(1)
    state["backbone.stem.0.0.weight"] = torch.zeros(4, 3, 5, 5)
    with pytest.raises(WeightsError) as caught:
        load_tinymog(saved(tmp_path, state), SMALL)
    message = str(caught.value)
    assert "2 missing: bbox_head.scales.2.scale, neck.fpn_convs.1.conv.bias;" in message
    assert "1 unexpected: bbox_head.reg_stride_convs.(8, 8).0.conv.weight;" in message
    assert "backbone.stem.0.0.weight (4, 3, 5, 5) instead of (4, 3, 3, 3)" in message


def test_another_backbone_points_to_its_structure(tmp_path: Path) -> None:
    path = saved(tmp_path, lively(OTHERS["residual"]).state_dict())
    with pytest.raises(WeightsError, match=r"missing: .*unexpected: .*set detector\.structure to it"):
        load_detector("tinymog", weights=path, device="cpu")


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(b"no checkpoint")
    with pytest.raises(WeightsError, match="no usable torch checkpoint"):
        load_tinymog(path, SMALL)
    with pytest.raises(WeightsError, match="No weights file"):
        load_tinymog(tmp_path / "none.pth", SMALL)


# ---- decoding --------------------------------------------------------------------------------------------------


def empty(height: int, width: int) -> RawOutputs:
    count = sum(2 * (height // stride) * (width // stride) for stride in STRIDES)
    return np.full(count, -9, np.float32), np.zeros((count, 4), np.float32), np.zeros((count, 5, 2), np.float32)


def test_a_face_made_by_hand_is_decoded() -> None:
    """Second anchor of row 2, column 3 at stride 16 of a 96 × 160 input: its centre is (48, 32)."""
    raw = empty(96, 160)
    number = 2 * 12 * 20 + (2 * 10 + 3) * 2 + 1
    raw[0][number] = np.log(0.9 / 0.1)
    raw[1][number] = 1, 0.5, 1.5, 2
    raw[2][number] = [[-0.5, -0.25], [0.5, -0.25], [0, 0], [-0.5, 0.75], [0.5, 0.75]]
    found = decode(raw, (96, 160), 0.3)
    np.testing.assert_allclose(found.boxes, [[48 - 16, 32 - 8, 48 + 24, 32 + 32]])
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-6)
    np.testing.assert_allclose(found.keypoints, [[[40, 28], [56, 28], [48, 32], [40, 44], [56, 44]]])
    assert {part.dtype for part in (found.boxes, found.scores, found.keypoints)} == {np.dtype(np.float32)}


def slow_decode(raw: RawOutputs, size: tuple[int, int], threshold: float) -> list[tuple[float, list[float]]]:
    """Score, box and keypoints of every anchor that passes, one after the other."""
    found, number = [], 0
    for stride in STRIDES:
        for row in range(size[0] // stride):
            for column in range(size[1] // stride):
                for _ in range(2):
                    score = 1 / (1 + np.exp(-raw[0][number]))
                    left, top, right, bottom = raw[1][number] * stride
                    x, y = column * stride, row * stride
                    points = [c for px, py in raw[2][number] * stride for c in (x + px, y + py)]
                    if score > threshold:
                        found.append((float(score), [x - left, y - top, x + right, y + bottom, *points]))
                    number += 1
    return found


def test_decoding_equals_the_slow_reference() -> None:
    random, size = np.random.default_rng(0), (96, 160)
    raw = tuple(random.normal(size=part.shape).astype(np.float32) for part in empty(*size))
    found = decode(raw, size, 0.6)
    slow = slow_decode(raw, size, 0.6)
    assert 100 < len(found) == len(slow)
    np.testing.assert_allclose(found.scores, [score for score, _ in slow], rtol=1e-5)
    both = np.hstack([found.boxes, found.keypoints.reshape(-1, 10)])
    np.testing.assert_allclose(both, [numbers for _, numbers in slow], rtol=1e-5, atol=1e-3)


def test_the_input_is_rgb_from_minus_one_to_one_padded_with_grey() -> None:
    blue = np.zeros((33, 40, 3), np.uint8)
    blue[..., 0] = 255
    blob = to_blob(blue)
    assert (blob.shape, blob.dtype) == ((1, 3, 64, 64), np.float32)
    assert set(np.unique(blob[0, :2, :33, :40])) == {-127.5 / 128}
    assert set(np.unique(blob[0, 2, :33, :40])) == {127.5 / 128}
    assert np.count_nonzero(blob) == 3 * 33 * 40


# ---- the detector ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the small structure with lively numbers."""
    path = tmp_path_factory.mktemp("weights") / "tinymog.pth"
    torch.save({"state_dict": lively().state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def tinymog(weights: Path) -> Detector:
    return load_detector("tinymog", weights=weights, structure=SMALL, device="cpu")


def test_a_whole_detection_equals_the_slow_reference(weights: Path, astronaut: np.ndarray) -> None:
    """Preprocessing by OpenCV, the network, the loop above and greedy suppression, on a real photograph."""
    network = load_tinymog(weights, SMALL)
    image = np.ascontiguousarray(astronaut[:384, :480])
    x = torch.from_numpy(cv2.dnn.blobFromImage(image, 1 / 128, mean=(127.5,) * 3, swapRB=True))
    parts = zip(*[iter(outputs(network, x))] * 3, strict=True)
    raw = tuple(torch.cat(part, 1)[0].numpy() for part in zip(*parts, strict=True))
    threshold = float(np.quantile(1 / (1 + np.exp(-raw[0])), 0.99))
    kept: list[np.ndarray] = []
    for score, numbers in sorted(slow_decode(raw, (384, 480), threshold), key=lambda face: -face[0]):
        box = np.array(numbers[:4], np.float32)
        if min(box[2:] - box[:2]) >= 4 and all(overlap(box, other[None, 1:5])[0] <= 0.45 for other in kept):
            kept.append(np.array([score, *numbers], np.float32))
    run = torch_network(weights, SMALL, "cpu", 1)
    found = TinyMog(run, **settings(score=threshold, min_face=4)).detect(image)
    assert len(found) == len(kept) > 10
    ours = np.hstack([found.scores[:, None], found.boxes, found.keypoints.reshape(-1, 10)])
    np.testing.assert_allclose(ours, kept, rtol=1e-4, atol=1e-2)
    assert not found.boxes.flags.writeable


def test_coordinates_are_those_of_the_given_image(astronaut: np.ndarray) -> None:
    """A network that always finds the same face of a 256 × 256 input, given a picture of 512 × 1024."""

    def run(blob: np.ndarray) -> RawOutputs:
        assert blob.shape == (1, 3, 128, 256)
        raw = empty(128, 256)
        number = (4 * 32 + 5) * 2  # centre (40, 32)
        raw[0][number : number + 2] = 2, 3  # the same face twice: one is suppressed
        raw[1][number : number + 2] = 2
        raw[2][number : number + 2, 2] = 0.5, 0.25
        return raw

    image = np.hstack([astronaut, astronaut])
    found = TinyMog(run, **settings(max_side=256)).detect(image)
    np.testing.assert_allclose(found.boxes, [[96, 64, 224, 192]])
    np.testing.assert_allclose(found.keypoints[0, 2], [176, 136])
    assert len(TinyMog(run, **settings(max_side=256)).detect(image, min_face=129)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 700, 3), (700, 2, 3), (31, 33), (200, 2000, 3)])
def test_any_size_works(shape: tuple[int, ...], tinymog: Detector) -> None:
    found = tinymog.detect(np.full(shape, 128, np.uint8))
    assert found.boxes.shape[1:] == (4,)
    assert found.keypoints.shape[1:] == (5, 2)
    assert np.isfinite(found.boxes).all()


def test_grey_is_expanded(tinymog: Detector, astronaut: np.ndarray) -> None:
    grey = astronaut[..., 1]
    np.testing.assert_array_equal(tinymog.detect(grey).boxes, tinymog.detect(np.dstack([grey] * 3)).boxes)


def test_a_wrong_structure_reaches_the_user(weights: Path) -> None:
    with pytest.raises(ConfigError, match=r"detector\.structure has 1 stage "):
        load_detector("tinymog", weights=weights, structure="dw4/2", device="cpu")


def test_thresholds_are_the_detectors_own_unless_given(tinymog: Detector, weights: Path, retinaface: Detector) -> None:
    assert (tinymog.score, tinymog.nms) == (0.5, 0.45)
    assert (retinaface.score, retinaface.nms) == (0.7, 0.4)
    given = load_detector("tinymog", weights=weights, structure=SMALL, device="cpu", score=0.6, nms=0.2)
    assert (given.score, given.nms) == (0.6, 0.2)
    config = load_config(None, [f"detector.structure={SMALL}", "detector.name=tinymog"]).detector
    assert (config.name, config.structure, config.score, config.nms) == ("tinymog", SMALL, None, None)
