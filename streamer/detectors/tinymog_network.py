"""The network of TinyMog, with the names of mmdet's SCRFD so that published checkpoints load strictly.

Where each fact comes from (``insightface/detection/scrfd``, MIT; written anew here):

* Backbone: ``mmdet/models/backbones/mobilenet.py`` (``stem`` and ``layer1`` to ``layer4`` of Sequentials of
  convolution without bias, batch norm, ReLU) with the widths and counts of
  ``configs/scrfd/scrfd_500m_bnkps.py``. ``res`` blocks have the names of ``resnet.py`` with ResNetV1e's
  averaging shortcut, ``inv`` blocks those of mmdet's ``InvertedResidual``.
* Neck: mmdet's PAFPN from ``layer2`` on, 16 wide, every convolution with bias, without norm or activation.
* Head: ``dense_heads/scrfd_head.py`` with ``dw_conv``, batch norm, two depthwise-separable convolutions to
  64 channels that class, box and keypoints share. Keys are ``(8, 8)``, ``(16, 16)``, ``(32, 32)``, or ``0``
  where the levels share their weights. Initialisation as in its ``init_weights``.
* Scales of the box distances: the published 0.5 G model has none (``scale_mode=0``), larger ones have one a
  level. This network always has them; a checkpoint without them gets 1.
* ``bbox_head.integral.project``, which every published checkpoint holds, is the constant 0, 1, … 8 of a loss
  that these models do not use (``loss_dfl=False``); it is skipped.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.config import SCRFD_05G as SCRFD_05G
from streamer.detectors.structure import STAGES, Block, parse_structure
from streamer.detectors.tinymog import ANCHORS_PER_CELL, Network, RawOutputs
from streamer.detectors.tinymog import STRIDES as STRIDES
from streamer.errors import WeightsError
from streamer.runtime.devices import Device
from streamer.runtime.states import fit, read_tensors
from streamer.types import FloatArray

ANCHORS = ((16, 32), (64, 128), (256, 512))
"""Sides in pixels of a cell's two square anchors, per stride; decoding needs none, assignment does."""
NECK_WIDTH = 16
HEAD_WIDTH = 64
_PRIOR_LOGIT = -4.595
"""Bias of the scores before training: a probability of 0.01, so that the many empty anchors start right."""


class Level(NamedTuple):
    """Raw outputs of one stride; anchors are numbered cell by cell, row by row, a cell's two next to each other.

    Attributes:
        scores: logits ``(n, anchors)``.
        distances: from the anchor's centre to left, top, right and bottom, in strides, ``(n, anchors, 4)``.
        keypoints: x and y offsets from the anchor's centre, in strides, ``(n, anchors, 5, 2)``.
    """

    scores: Tensor
    distances: Tensor
    keypoints: Tensor


class TinyMogNetwork(nn.Module):
    """Backbone, neck and head.

    Args:
        structure: the backbone; see :mod:`streamer.detectors.structure`.
        shared_head: whether the three levels share the head's weights, as those of some larger models do.

    Raises:
        ConfigError: the structure string is wrong.
    """

    def __init__(self, structure: str = SCRFD_05G, *, shared_head: bool = False) -> None:
        super().__init__()
        stages = parse_structure(structure)
        self.backbone = Backbone(stages)
        self.neck = Neck([stage[-1].width for stage in stages[-len(STRIDES) :]])
        self.bbox_head = Head(shared=shared_head)
        _initialise(self)

    def forward(self, x: Tensor) -> tuple[Level, Level, Level]:
        """Raw outputs of a batch at strides 8, 16 and 32.

        Args:
            x: ``(n, 3, h, w)``, RGB (v − 127.5) / 128, sides multiples of 32.
        """
        levels: tuple[Level, Level, Level] = self.bbox_head(self.neck(self.backbone(x)))
        return levels


def load_tinymog(path: Path, structure: str = SCRFD_05G) -> TinyMogNetwork:
    """A network with the weights of a checkpoint, ready to run.

    Args:
        path: safetensors, or a torch checkpoint: a state dict or what holds one as ``state_dict``; names as
            published, with or without ``module.``, the head's with a key per stride or ``0``.
        structure: its backbone.

    Raises:
        ConfigError: the structure string is wrong.
        WeightsError: the file is missing, damaged or of another network; lists what is missing and left over.
    """
    state = read_tensors(path)
    network = TinyMogNetwork(structure, shared_head="bbox_head.stride_cls.0.weight" in state)
    state.pop("bbox_head.integral.project", None)
    if not any(name.startswith("bbox_head.scales.") for name in state):
        state |= {f"bbox_head.scales.{i}.scale": torch.tensor(1.0) for i in range(len(STRIDES))}
    try:
        fit(network, state, str(path))
    except WeightsError as error:
        raise WeightsError(f"{error} For a TinyMog with another backbone, set detector.structure to it.") from None
    return network.eval()


def torch_network(weights: Path, structure: str, device: Device, threads: int) -> Network:
    """The network with the weights of a file, on torch.

    Args:
        weights: see :func:`load_tinymog`.
        structure: its backbone.
        device: where it runs.
        threads: CPU threads; torch has one number for the whole process.

    Raises:
        ConfigError: the structure string is wrong.
        WeightsError: the file is missing, damaged or of another network.
    """
    network = load_tinymog(weights, structure).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if device == "cpu":
        torch.set_num_threads(threads)

    def run(blob: FloatArray) -> RawOutputs:
        with torch.inference_mode():
            levels = network(torch.from_numpy(blob).to(device, memory_format=torch.channels_last))
            scores, distances, keypoints = (torch.cat(parts, 1)[0].cpu().numpy() for parts in zip(*levels, strict=True))
        return scores, distances, keypoints

    return run


class Backbone(nn.Module):
    """The blocks of a structure string; gives the features of the last three stages."""

    stem: nn.Sequential
    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, stages: tuple[tuple[Block, ...], ...]) -> None:
        super().__init__()
        width = 3
        for name, blocks in zip(STAGES, stages, strict=True):
            layers = []
            for block in blocks:
                layers.append(build_block(width, block))
                width = block.width
            self.add_module(name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(n, 3, h, w)`` to the features of strides 8, 16 and 32."""
        eighth: Tensor = self.layer2(self.layer1(self.stem(x)))
        sixteenth: Tensor = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


def build_block(inputs: int, block: Block) -> nn.Module:
    """The module of one block that has so many input channels."""
    match block.kind:
        case "conv":
            return nn.Sequential(*_conv_norm_relu(inputs, block.width, 3, block.stride))
        case "dw":
            return nn.Sequential(
                *_conv_norm_relu(inputs, inputs, 3, block.stride, groups=inputs),
                *_conv_norm_relu(inputs, block.width, 1),
            )
        case "res":
            return Residual(inputs, block.width, block.stride)
        case "inv":
            return InvertedResidual(inputs, block)


def _conv_norm_relu(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


class Residual(nn.Module):
    """ResNet's basic block (He et al., 2016); the shortcut averages before its 1×1 convolution (ResNet-D)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(stride, stride), nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inputs, h, w)`` to ``(n, width, h / stride, w / stride)``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + shortcut)


class InvertedResidual(nn.Module):
    """MobileNetV2's block (Sandler et al., 2018): 1×1 to the inner width, depthwise 3×3, 1×1 without activation."""

    def __init__(self, inputs: int, block: Block) -> None:
        super().__init__()
        inner = inputs * block.expansion
        self.expand_conv: nn.Module | None = None
        if block.expansion != 1:
            self.expand_conv = conv_module(inputs, inner, 1, activation=nn.ReLU6)
        self.depthwise_conv = conv_module(inner, inner, 3, block.stride, groups=inner, activation=nn.ReLU6)
        self.linear_conv = conv_module(inner, block.width, 1, activation=None)
        self.has_shortcut = block.stride == 1 and inputs == block.width

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inputs, h, w)`` to ``(n, width, h / stride, w / stride)``."""
        inner = x if self.expand_conv is None else self.expand_conv(x)
        y: Tensor = self.linear_conv(self.depthwise_conv(inner))
        return x + y if self.has_shortcut else y


def conv_module(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    norm: bool = True,
    activation: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Convolution, then batch norm and activation if wanted, named as in mmcv's ``ConvModule``."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=not norm)
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=conv)
    if norm:
        layers["bn"] = nn.BatchNorm2d(outputs)
    if activation is not None:
        layers["activate"] = activation()
    return nn.Sequential(layers)


class Neck(nn.Module):
    """PAFPN (Liu et al., CVPR 2018): what the coarse levels know goes down to the fine ones, and up again.

    Args:
        widths: channels of the three levels, finest first.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()

        def linear(inputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
            return conv_module(inputs, NECK_WIDTH, kernel, stride, norm=False, activation=None)

        self.lateral_convs = nn.ModuleList(linear(width, 1) for width in widths)
        self.fpn_convs = nn.ModuleList(linear(NECK_WIDTH, 3) for _ in widths)
        self.downsample_convs = nn.ModuleList(linear(NECK_WIDTH, 3, 2) for _ in widths[1:])
        self.pafpn_convs = nn.ModuleList(linear(NECK_WIDTH, 3) for _ in widths[1:])

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """The backbone's features to 16 channels each."""
        fine, middle, coarse = (conv(level) for conv, level in zip(self.lateral_convs, levels, strict=True))
        middle = middle + functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        fine = fine + functional.interpolate(middle, scale_factor=2.0, mode="nearest")
        fine, middle, coarse = (conv(x) for conv, x in zip(self.fpn_convs, (fine, middle, coarse), strict=True))
        middle = middle + self.downsample_convs[0](fine)
        coarse = coarse + self.downsample_convs[1](middle)
        return fine, self.pafpn_convs[0](middle), self.pafpn_convs[1](coarse)


class Head(nn.Module):
    """SCRFD's head: class, box and keypoints from the same two depthwise-separable convolutions.

    Args:
        shared: whether the levels share its weights.
    """

    def __init__(self, *, shared: bool) -> None:
        super().__init__()
        self.keys = ["0"] * len(STRIDES) if shared else [f"({stride}, {stride})" for stride in STRIDES]
        keys = list(dict.fromkeys(self.keys))
        self.cls_stride_convs = nn.ModuleDict(
            {key: nn.Sequential(_separable(NECK_WIDTH), _separable(HEAD_WIDTH)) for key in keys}
        )
        self.stride_cls = self._outputs(keys, 1)
        self.stride_reg = self._outputs(keys, 4)
        self.stride_kps = self._outputs(keys, 10)
        self.scales = nn.ModuleList(Scale() for _ in STRIDES)

    @staticmethod
    def _outputs(keys: list[str], numbers: int) -> nn.ModuleDict:
        """3×3 convolutions to so many numbers an anchor."""
        return nn.ModuleDict({key: nn.Conv2d(HEAD_WIDTH, ANCHORS_PER_CELL * numbers, 3, padding=1) for key in keys})

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Level, Level, Level]:
        """The neck's levels to raw outputs."""
        fine, middle, coarse = (self._level(i, x) for i, x in enumerate(levels))
        return fine, middle, coarse

    def _level(self, i: int, x: Tensor) -> Level:
        key, n = self.keys[i], x.shape[0]
        features = self.cls_stride_convs[key](x)
        scores, distances, keypoints = (
            outputs[key](features).permute(0, 2, 3, 1)
            for outputs in (self.stride_cls, self.stride_reg, self.stride_kps)
        )
        return Level(scores.reshape(n, -1), self.scales[i](distances.reshape(n, -1, 4)), keypoints.reshape(n, -1, 5, 2))


def _separable(inputs: int) -> nn.Sequential:
    """The ``DepthwiseSeparableConvModule`` of mmcv, to the head's width."""
    return nn.Sequential(
        OrderedDict(
            depthwise_conv=conv_module(inputs, inputs, 3, groups=inputs),
            pointwise_conv=conv_module(inputs, HEAD_WIDTH, 1),
        )
    )


class Scale(nn.Module):
    """A learnt factor."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x * self.scale


def _initialise(network: TinyMogNetwork) -> None:
    """Start weights as in the published training: Kaiming, Xavier in the neck, 0.01 in the head."""
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if name.startswith("backbone"):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif name.startswith("neck"):
            nn.init.xavier_uniform_(module.weight)
        else:
            nn.init.normal_(module.weight, std=0.01)
        if module.bias is not None:
            nn.init.constant_(module.bias, _PRIOR_LOGIT if ".stride_cls." in name else 0.0)
