"""Which runtime runs each network fastest: ONNX Runtime, OpenVINO and torch, float and int8, one thread and two.

OpenVINO is no dependency: its lines appear where it is installed (``pip install openvino``). What int8 costs in
accuracy is for ``facestream evaluate detection``; streamer/weights/tinymog.md has the figures.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import nn

from benchmarks.media import Media, four_faces
from benchmarks.report import console, make_table, verdict
from streamer.detectors import base, load_detector, retinaface, tinymog_onnx
from streamer.detectors.mtcnn import to_input
from streamer.detectors.mtcnn_networks import output_network, proposal_network, refine_network
from streamer.runtime.sessions import onnx_session
from streamer.runtime.weights import own_weights, retinaface_mobilenet_onnx
from streamer.types import Image

ROUNDS = 40
UNCOUNTED = 2
CALIBRATION = 8
SIDE = 640
NETWORK_TARGET, DETECTION_TARGET = 0.55, 0.6

Run = Callable[[], object]
Inputs = list[np.ndarray]


@dataclass(frozen=True, slots=True)
class Network:
    """A network as ONNX, with real inputs of one shape; the torch module too where the program runs that."""

    name: str
    model: bytes
    inputs: Inputs
    module: nn.Module | None = None


def measure(media: Media, folder: Path) -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    frames = list(four_faces(media, ROUNDS))
    networks = _networks(frames, folder)
    _compare_runtimes(networks, folder)
    _compare_detectors(networks, frames)


def _compare_runtimes(networks: list[Network], folder: Path) -> None:
    columns = {network.name: _time(_variants(network, folder)) for network in networks}
    table = make_table(
        f"One run in ms, and in parts of the first line's; the least of {ROUNDS} interleaved rounds, which other "
        "programs disturb least.\n1, 2: threads; fixed: a network for this one input size",
        "",
        *columns,
    )
    for name in dict.fromkeys(name for times in columns.values() for name in times):
        table.add_row(name, *(_cell(times, name) for times in columns.values()))
    console.print(table)


def _cell(times: dict[str, np.ndarray], name: str) -> str:
    if name not in times:
        return "–"
    first = next(iter(times.values()))
    return f"{times[name].min():.2f}  {times[name].min() / first.min():.2f}"


def _compare_detectors(networks: list[Network], frames: list[Image]) -> None:
    """TinyMog beside RetinaFace in the same rounds: their networks alone, and shrinking and boxes with them."""
    detectors = {name: load_detector(name, max_side=SIDE, device="cpu") for name in ("retinaface", "tinymog")}
    found = dict.fromkeys(detectors, 0)
    pictures = {name: cycle(frames) for name in detectors}

    def detect(name: str) -> None:
        found[name] += len(detectors[name].detect(next(pictures[name])))

    runs: dict[str, Run] = {}
    for name, network in zip(detectors, networks, strict=False):
        runs[f"{name}: network"] = _onnxruntime(network.model, network, 1)
        runs[f"{name}: detect()"] = partial(detect, name)
    times = _time(runs)
    table = make_table("1280x720 shrunk to 640x360, 640x384 into the network, one thread", "", "ms p50 / p95", "faces")
    for line, values in times.items():
        p50, p95 = np.percentile(values, (50, 95))
        name, what = line.split(": ")
        faces = f"{found[name] / (ROUNDS + UNCOUNTED):.1f}" if what == "detect()" else ""
        table.add_row(line, f"{p50:.2f} / {p95:.2f}", faces)
    console.print(table)
    for what, target in (("network", NETWORK_TARGET), ("detect()", DETECTION_TARGET)):
        ratio = float(np.median(times[f"tinymog: {what}"] / times[f"retinaface: {what}"]))
        console.print(f"tinymog in parts of retinaface, {what}, median of the rounds: {verdict(ratio, target)}")


def _time(variants: dict[str, Run]) -> dict[str, np.ndarray]:
    """Milliseconds of every round, each round running all variants in turn, after a few that do not count."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS + UNCOUNTED):
        for name, run in variants.items():
            times[name].append(_milliseconds(run))
    return {name: np.array(values[UNCOUNTED:]) for name, values in times.items()}


def _milliseconds(run: Run) -> float:
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1e3


# ---- the networks ----------------------------------------------------------------------------------------------


def _networks(frames: list[Image], folder: Path) -> list[Network]:
    small = [base.shrink(frame, SIDE)[0] for frame in frames[:: ROUNDS // CALIBRATION]]
    crops = [np.stack([image[y : y + 96, x : x + 96] for y, x in ((60, 100), (60, 420))]) for image in small]
    proposals, refined, finished = (
        [to_input(_tiles(image, side, count)).numpy() for image in small]
        for side, count in ((192, 1), (24, 64), (48, 16))
    )
    return [
        Network("RetinaFace", retinaface_mobilenet_onnx(), [retinaface.to_blob(image) for image in small]),
        Network(
            "TinyMog",
            own_weights("tinymog.onnx").read_bytes(),
            [tinymog_onnx.to_picture(image) for image in small],
        ),
        Network("landmarks, 2", own_weights("landmarks106.onnx").read_bytes(), crops),
        _stage("P-Net, 192²", proposal_network(), proposals, folder),
        _stage("R-Net, 64", refine_network(), refined, folder),
        _stage("O-Net, 16", output_network(), finished, folder),
    ]


def _tiles(image: Image, side: int, count: int) -> Image:
    """Square cuts of an image, ``(count, side, side, 3)``."""
    corners = np.random.default_rng(0).integers(0, min(image.shape[:2]) - side, (count, 2))
    return np.stack([image[y : y + side, x : x + side] for y, x in corners])


def _stage(name: str, module: nn.Module, inputs: Inputs, folder: Path) -> Network:
    """One of MTCNN's networks, which the program runs on torch."""
    file, x = folder / "stage.onnx", torch.from_numpy(inputs[0])
    axes = {"input": {0: "n"} | ({2: "h", 3: "w"} if name.startswith("P") else {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's newer exporter needs one more package
        torch.onnx.export(module, (x,), file, dynamo=False, input_names=["input"], dynamic_axes=axes)
    return Network(name, file.read_bytes(), inputs, module)


# ---- the runtimes ----------------------------------------------------------------------------------------------


def _variants(network: Network, folder: Path) -> dict[str, Run]:
    """What can run a network, by the name of its line; today's default first."""
    runtimes = {"ORT": _onnxruntime} | ({"OpenVINO": _openvino} if importlib.util.find_spec("openvino") else {})
    models = {"": network.model, " int8": _quantised(network, folder)}
    runs = {
        f"{runtime} {threads}{kind}{shapes}": start(_fixed(model, network) if shapes else model, network, threads)
        for runtime, start in runtimes.items()
        for kind, model in models.items()
        for threads in (1, 2)
        for shapes in ("", " fixed")
    }
    if network.module is not None:
        runs["torch 1"] = _torch(network.module, network)
    return runs


def _fixed(data: bytes, network: Network) -> bytes:
    """A network's ONNX with the shape of its input written down."""
    model = onnx.load_model_from_string(data)
    for size, length in zip(model.graph.input[0].type.tensor_type.shape.dim, network.inputs[0].shape, strict=True):
        size.dim_value = length
    return bytes(model.SerializeToString())


def _quantised(network: Network, folder: Path) -> bytes:
    """The network with 8-bit weights and activations, calibrated on its inputs.

    Activations without a sign: x86's VNNI multiplies them by signed weights, and with signed ones ORT takes a third
    longer. One scale a tensor: neither runtime loads what ORT makes of RetinaFace with one a channel, and for
    TinyMog they run alike.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quant_pre_process, quantize_static

    name = onnx.load_model_from_string(network.model).graph.input[0].name

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds = iter([{name: x} for x in network.inputs])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._feeds, None)

    source, ready, target = (folder / f"{step}.onnx" for step in ("float", "ready", "int8"))
    source.write_bytes(network.model)
    quant_pre_process(source, ready, skip_symbolic_shape=True)
    quantize_static(ready, target, Reader(), activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    return target.read_bytes()


def _onnxruntime(model: bytes, network: Network, threads: int) -> Run:
    session: ort.InferenceSession = onnx_session(model, threads=threads)
    feeds = {session.get_inputs()[0].name: network.inputs[0]}
    constants = {"weights", "bias"}  # TinyMog's, which nobody asks for in a run
    outputs = [output.name for output in session.get_outputs() if output.name not in constants]
    return lambda: session.run(outputs, feeds)


def _openvino(model: bytes, network: Network, threads: int) -> Run:
    import openvino  # type: ignore[import-untyped]

    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    settings["INFERENCE_PRECISION_HINT"] = "f32"  # bfloat16 would be its own choice where the CPU has it
    compiled = openvino.Core().compile_model(openvino.Core().read_model(model), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda: request.infer([network.inputs[0]], share_inputs=True, share_outputs=True)


def _torch(module: nn.Module, network: Network) -> Run:
    x = torch.from_numpy(network.inputs[0]).contiguous(memory_format=torch.channels_last)

    def run() -> object:
        with torch.inference_mode():
            return module(x)

    return run
