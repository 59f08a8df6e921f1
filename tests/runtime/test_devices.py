"""The device: what auto means, and CUDA where there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streamer.errors import ConfigError, DeviceError
from streamer.runtime import devices


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_nvidia_driver", lambda: False)


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu() -> None:
    assert devices.resolve_device("auto") == "cpu"
    assert devices.resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="no NVIDIA GPU or driver was found: choose device cpu or auto"):
        devices.resolve_device("cuda")


@pytest.mark.parametrize(("sees", "auto"), [(True, "cuda"), (False, "cpu")])
def test_with_a_driver_torch_decides(sees: bool, auto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(devices, "has_nvidia_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: sees)
    assert devices.resolve_device("auto") == auto
    if not sees:
        with pytest.raises(DeviceError, match="torch cannot use the GPU"):
            devices.resolve_device("cuda")


def test_unknown_device() -> None:
    with pytest.raises(ConfigError, match="choose auto, cpu or cuda"):
        devices.resolve_device("tpu")


@pytest.mark.skipif(devices.has_nvidia_driver(), reason="this machine has a GPU driver")
def test_auto_without_driver_imports_no_torch() -> None:
    code = (
        "import sys; from streamer.runtime.devices import resolve_device; resolve_device('auto');"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
