"""Writes TinyMog as an ONNX graph made for one CPU thread.

Exporting the torch module as it stands gives a graph that takes 0.74 of RetinaFace MobileNet0.25's time; this one
gives the same numbers in about 0.55 (``python -m benchmarks runtimes``). Channels padded to whole blocks, fixed
shapes, and the first maps cut into strips that fit a core's cache gain nothing more.

* BatchNorm and the boxes' scales are folded into the convolutions.
* The picture comes in as its interleaved BGR bytes turned into floats, with middle grey around: a 3×9 convolution
  over rows of 3·width numbers reads it without a transposition, and order and normalisation of the colours are in
  its weights. As it never pads, that is exact.
* Of the three 3×3 convolutions that end a level, two (28 of 30 channels) are left to the runner, which works them
  out at the few cells whose score passes the threshold; the graph hands out their input and their weights.
* The third, 64 channels to the scores, is first a 1×1 convolution to its nine taps, then their sum over the
  neighbourhood: a seventh of the multiplications, which ORT's wide kernels would mostly spend on padding.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from torch import nn

from streamer.detectors.tinymog import ANCHORS_PER_CELL, STRIDES
from streamer.detectors.tinymog_network import HEAD_WIDTH, Head, InvertedResidual, Neck, Residual, TinyMogNetwork
from streamer.detectors.tinymog_onnx import INPUT, NUMBERS, OUTPUTS
from streamer.errors import ConfigError
from streamer.training.onnx_builder import Array, Graph, as_numpy, fold_norm

_TAPS = 32
"""The nine taps of two anchors, and zeros up to two whole AVX-512 blocks: others leave ORT's blocked layout."""


def tinymog_graph(network: TinyMogNetwork) -> onnx.ModelProto:
    """Build the network.

    Args:
        network: in evaluation mode.

    Returns:
        Model with the inputs and outputs that :mod:`streamer.detectors.tinymog_onnx` describes.

    Raises:
        ConfigError: the backbone does not begin with a 3×3 convolution of stride 2, which reads the picture.
    """
    graph = Graph()
    first, *blocks = (block for stage in network.backbone.children() for block in stage.children())
    ends = {id(list(stage.children())[-1]) for stage in list(network.backbone.children())[-3:]}
    x, features = _read_picture(graph, first), []
    for block in blocks:
        x = _run(graph, x, block)
        if id(block) in ends:
            features.append(x)
    levels = [_level(graph, y, network.bbox_head, i) for i, y in enumerate(_neck(graph, features, network.neck))]
    weights, biases = zip(*(_value_weights(network.bbox_head, i) for i in range(len(levels))), strict=True)
    parts = [part for kind in zip(*levels, strict=True) for part in kind]
    return graph.model("tinymog", *_interface(graph, [*parts, graph.constant(weights), graph.constant(biases)]))


def _interface(graph: Graph, parts: list[str]) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    """Inputs and outputs; the tensors of the latter are renamed where they are made, as an Identity would copy."""
    names = dict(zip(parts, OUTPUTS, strict=True))
    for node in graph.nodes:
        node.output[:] = [names.get(name, name) for name in node.output]
    for constant in graph.constants:
        constant.name = names.get(constant.name, constant.name)
    shapes: list[list[int | str]] = [[1, ANCHORS_PER_CELL, f"h{stride}", f"w{stride}"] for stride in STRIDES]
    shapes += [[1, f"h{stride}", f"w{stride}", HEAD_WIDTH] for stride in STRIDES]
    shapes += [[len(STRIDES), 9 * HEAD_WIDTH, ANCHORS_PER_CELL * NUMBERS], [len(STRIDES), ANCHORS_PER_CELL * NUMBERS]]
    image = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 1, "height + 1", "3 (width + 1)"])
    described = zip(OUTPUTS, shapes, strict=True)
    return [image], [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in described]


def _read_picture(graph: Graph, block: nn.Module) -> str:
    """The first block on interleaved pixels from 0 to 255."""
    layers: list[Any] = list(block.children())
    if not (isinstance(block, nn.Sequential) and layers[0].groups == 1 and layers[0].stride == (2, 2)):
        raise ConfigError("Only a TinyMog whose structure begins with conv and /2 can be exported.")
    weight, bias = fold_norm(layers[0], layers[1])
    rows = np.zeros((len(weight), 1, 3, 9))
    for channel in range(3):
        rows[:, 0, :, 2 - channel :: 3] = weight[:, channel] / 128
    bias = bias - weight.sum(axis=(1, 2, 3)) * 127.5 / 128
    return graph.add("Relu", graph.conv(INPUT, rows, bias, stride=(2, 6)))


def _run(graph: Graph, x: str, module: nn.Module) -> str:
    """Any module that the network consists of."""
    match module:
        case nn.Sequential():
            for layer, following in pairwise([*module.children(), None]):
                assert layer is not None
                x = _convolve(graph, x, layer, following) if isinstance(layer, nn.Conv2d) else _run(graph, x, layer)
            return x
        case nn.BatchNorm2d():
            return x  # folded into the convolution before it
        case nn.ReLU():
            return graph.add("Relu", x)
        case nn.ReLU6():
            return graph.add("Clip", x, graph.scalar(0), graph.scalar(6))
        case nn.AvgPool2d():
            sides: list[Any] = [module.kernel_size] * 2
            return graph.add("AveragePool", x, kernel_shape=sides, strides=sides)
        case Residual():
            shortcut = x if module.downsample is None else _run(graph, x, module.downsample)
            x = graph.add("Relu", _convolve(graph, x, module.conv1, module.bn1))
            return graph.add("Relu", graph.add("Add", _convolve(graph, x, module.conv2, module.bn2), shortcut))
        case InvertedResidual():
            inner = x if module.expand_conv is None else _run(graph, x, module.expand_conv)
            y = _run(graph, _run(graph, inner, module.depthwise_conv), module.linear_conv)
            return graph.add("Add", x, y) if module.has_shortcut else y
    raise TypeError(f"TinyMog has no {type(module).__name__}")


def _convolve(graph: Graph, x: str, conv: nn.Conv2d, norm: nn.Module | None) -> str:
    if isinstance(norm, nn.BatchNorm2d):
        weight, bias = fold_norm(conv, norm)
    else:
        weight, bias = as_numpy(conv.weight), as_numpy(conv.bias)
    stride: Any = conv.stride
    return graph.conv(x, weight, bias, stride, int(conv.padding[0]), depthwise=conv.groups > 1)


def _neck(graph: Graph, features: list[str], neck: Neck) -> list[str]:
    """:class:`Neck`, step by step."""

    def run(x: str, module: nn.Module) -> str:
        return _run(graph, x, module)

    def twice(x: str) -> str:
        modes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return graph.add("Resize", x, "", graph.constant([1, 1, 2, 2]), **modes)

    fine, middle, coarse = map(run, features, neck.lateral_convs)
    middle = graph.add("Add", middle, twice(coarse))
    fine = graph.add("Add", fine, twice(middle))
    fine, middle, coarse = map(run, (fine, middle, coarse), neck.fpn_convs)
    middle = graph.add("Add", middle, run(fine, neck.downsample_convs[0]))
    coarse = graph.add("Add", coarse, run(middle, neck.downsample_convs[1]))
    return [fine, run(middle, neck.pafpn_convs[0]), run(coarse, neck.pafpn_convs[1])]


def _level(graph: Graph, x: str, head: Head, level: int) -> tuple[str, str]:
    """Logits ``(1, anchors, h, w)`` and features ``(1, h, w, channels)`` of one level."""
    key = head.keys[level]
    x = _run(graph, x, head.cls_stride_convs[key])
    # The layout costs nothing: ORT leaves its blocked one for this as cheaply as for the usual one.
    return _logits(graph, x, head.stride_cls[key]), graph.add("Transpose", x, perm=[0, 2, 3, 1])


def _logits(graph: Graph, x: str, conv: Any) -> str:
    """The 3×3 convolution to the scores: each tap for itself, moved to where it belongs, then summed."""
    count = ANCHORS_PER_CELL
    taps, moves, sums = np.zeros((_TAPS, conv.in_channels, 1, 1)), np.zeros((_TAPS, 1, 3, 3)), np.zeros((count, _TAPS))
    taps[: 9 * count, :, 0, 0] = as_numpy(conv.weight).transpose(2, 3, 0, 1).reshape(9 * count, -1)
    moves[: 9 * count, 0] = np.eye(9).reshape(9, 3, 3).repeat(count, axis=0)
    sums[:, : 9 * count] = np.tile(np.eye(count), 9)
    x = graph.conv(x, taps, np.zeros(_TAPS))
    x = graph.conv(x, moves, np.zeros(_TAPS), padding=1, depthwise=True)
    return graph.conv(x, sums[..., None, None], as_numpy(conv.bias))


def _value_weights(head: Head, level: int) -> tuple[Array, Array]:
    """Weights ``(9 · channels, anchors · numbers)`` and bias; an anchor's box comes before its keypoints."""
    weights, biases, key = [], [], head.keys[level]
    for conv, scale in ((head.stride_reg[key], as_numpy(head.scales[level].scale)), (head.stride_kps[key], 1.0)):
        weight = as_numpy(conv.weight).transpose(2, 3, 1, 0) * scale
        weights.append(weight.reshape(9 * HEAD_WIDTH, ANCHORS_PER_CELL, -1))
        biases.append(as_numpy(conv.bias).reshape(ANCHORS_PER_CELL, -1) * scale)
    return np.concatenate(weights, axis=2).reshape(9 * HEAD_WIDTH, -1), np.concatenate(biases, axis=1).reshape(-1)
