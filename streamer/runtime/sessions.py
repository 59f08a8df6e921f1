"""ONNX Runtime sessions for the CPU: one thread, no spinning, quiet, and errors in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from streamer.errors import WeightsError
from streamer.runtime.weights import read_weights

_LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def onnx_session(
    model: bytes | Path,
    *,
    threads: int = 1,
    outputs: Sequence[str] | None = None,
    name: str | None = None,
) -> ort.InferenceSession:
    """Open an ONNX network on the CPU.

    Idle threads sleep instead of spinning: the default keeps a core busy for milliseconds after every
    run, which costs more CPU per second of video than the run itself.

    Args:
        model: the ONNX file's bytes or path.
        threads: threads that share one operator; stages already run in parallel, so 1 usually wins.
        outputs: names the network must have as outputs; others mean that it is another network.
        name: what to call the network in messages; the path by default.

    Raises:
        WeightsError: the file is missing, empty, truncated, no ONNX, or another network.
    """
    label = name or (str(model) if isinstance(model, Path) else "the built-in network")
    data = read_weights(model) if isinstance(model, Path) else model
    try:
        session = ort.InferenceSession(data, _options(threads), providers=["CPUExecutionProvider"])
    except _LOAD_ERRORS as error:
        raise WeightsError(f"{label} is no usable ONNX network (damaged, truncated or of another format).") from error
    _check_outputs(session, outputs, label)
    return session


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _check_outputs(session: ort.InferenceSession, expected: Sequence[str] | None, label: str) -> None:
    found = [output.name for output in session.get_outputs()]
    if expected is not None and found != list(expected):
        raise WeightsError(
            f"{label} is another network: its outputs are {', '.join(found)}, not {', '.join(expected)}."
        )
