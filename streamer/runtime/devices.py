"""Which device networks run on: the CPU, or a CUDA GPU through torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from streamer.errors import ConfigError, DeviceError

Device = Literal["cpu", "cuda"]


def resolve_device(wanted: str) -> Device:
    """Turn the configured device into the one to use.

    torch is imported only where the machine shows signs of an NVIDIA driver, so that a CPU run starts
    without its two seconds.

    Args:
        wanted: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.

    Raises:
        DeviceError: CUDA was asked for and cannot be used.
        ConfigError: no such choice.
    """
    if wanted == "cpu":
        return "cpu"
    if wanted not in ("auto", "cuda"):
        raise ConfigError(f"Unknown device {wanted!r}: choose auto, cpu or cuda.")
    if has_nvidia_driver() and _torch_sees_cuda():
        return "cuda"
    if wanted == "auto":
        return "cpu"
    reason = (
        "the installed torch cannot use the GPU that is here"
        if has_nvidia_driver()
        else "no NVIDIA GPU or driver was found"
    )
    raise DeviceError(f"CUDA was asked for, but {reason}: choose device cpu or auto.")


def has_nvidia_driver() -> bool:
    """Whether this machine shows an NVIDIA driver: its device nodes, WSL's or its ``nvidia-smi``."""
    nodes = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
    return any(Path(node).exists() for node in nodes) or shutil.which("nvidia-smi") is not None


def _torch_sees_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
