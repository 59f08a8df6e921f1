"""The ResNet-50 network of RetinaFace, with the names of the published ``Resnet50_Final.pth``.

No weights for it can be shipped: the user passes the published file as ``detector.weights``. The body is
torchvision's ResNet-50 cut after ``layer4``, written out here because that is all torchvision would be
needed for.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.detectors.retinaface import Network, RawOutputs
from streamer.errors import WeightsError
from streamer.runtime.devices import Device
from streamer.runtime.weights import load_checkpoint, load_strictly
from streamer.types import FloatArray

CHANNELS = 256
"""Width of the pyramid and of the heads' input."""
ANCHORS_PER_CELL = 2


def resnet50_network(weights: Path | None, device: Device, threads: int) -> Network:
    """The ResNet-50 network with the user's weights, on torch.

    Args:
        weights: the published ``Resnet50_Final.pth`` or one of the same names.
        device: where it runs.
        threads: CPU threads; torch has one number for the whole process.

    Raises:
        WeightsError: no file is named, or it is missing, damaged or of another network.
    """
    if weights is None:
        raise WeightsError(
            "retinaface_resnet50 needs its weights: download Resnet50_Final.pth and set "
            "detector.weights to its path, or choose detector.name retinaface."
        )
    network = RetinaFaceResNet50()
    load_strictly(network, load_checkpoint(weights), str(weights))
    network.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster than NCHW
    if device == "cpu":
        torch.set_num_threads(threads)

    def run(blob: FloatArray) -> RawOutputs:
        with torch.inference_mode():
            image = torch.from_numpy(blob).to(device, memory_format=torch.channels_last)
            boxes, scores, keypoints = (output[0].float().cpu().numpy() for output in network(image))
        return boxes, scores, keypoints

    return run


def convolution(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, leak: float | None = 0.0
) -> nn.Sequential:
    """Convolution and batch norm, then a ReLU with this leak; ``None``: no ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if leak is not None:
        layers.append(nn.LeakyReLU(leak, inplace=True))
    return nn.Sequential(*layers)


class Bottleneck(nn.Module):
    """ResNet's block: 1×1, 3×3 (which carries the stride), 1×1 to four times the width, plus a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * 4)
        self.downsample: nn.Module | None = None
        if inputs != width * 4 or stride != 1:
            self.downsample = convolution(inputs, width * 4, 1, stride, leak=None)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inputs, h, w)`` to ``(n, 4 width, h / stride, w / stride)``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet50Body(nn.Module):
    """ResNet-50 without its classifier; gives the features of strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = self._layer(64, 64, blocks=3, stride=1)
        self.layer2 = self._layer(256, 128, blocks=4, stride=2)
        self.layer3 = self._layer(512, 256, blocks=6, stride=2)
        self.layer4 = self._layer(1024, 512, blocks=3, stride=2)

    @staticmethod
    def _layer(inputs: int, width: int, *, blocks: int, stride: int) -> nn.Sequential:
        first = Bottleneck(inputs, width, stride)
        return nn.Sequential(first, *(Bottleneck(width * 4, width, 1) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(n, 3, h, w)`` to 512, 1024 and 2048 channels at strides 8, 16 and 32."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, padding=1)
        eighth = self.layer2(self.layer1(x))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class FeaturePyramid(nn.Module):
    """Brings the three strides to one width and adds what the coarser ones know to the finer ones."""

    def __init__(self) -> None:
        super().__init__()
        self.output1 = convolution(512, CHANNELS, 1)
        self.output2 = convolution(1024, CHANNELS, 1)
        self.output3 = convolution(2048, CHANNELS, 1)
        self.merge1 = convolution(CHANNELS, CHANNELS)
        self.merge2 = convolution(CHANNELS, CHANNELS)

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """The body's features to 256 channels each."""
        fine, middle, coarse = self.output1(levels[0]), self.output2(levels[1]), self.output3(levels[2])
        middle = self.merge2(middle + functional.interpolate(coarse, size=middle.shape[2:], mode="nearest"))
        fine = self.merge1(fine + functional.interpolate(middle, size=fine.shape[2:], mode="nearest"))
        return fine, middle, coarse


class ContextModule(nn.Module):
    """SSH's context module: receptive fields of 3×3, 5×5 and 7×7 side by side (names as published)."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = CHANNELS // 2, CHANNELS // 4
        self.conv3X3 = convolution(CHANNELS, half, leak=None)
        self.conv5X5_1 = convolution(CHANNELS, quarter)
        self.conv5X5_2 = convolution(quarter, quarter, leak=None)
        self.conv7X7_2 = convolution(quarter, quarter)
        self.conv7x7_3 = convolution(quarter, quarter, leak=None)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, 256, h, w)`` to the same shape."""
        five = self.conv5X5_1(x)
        fields = [self.conv3X3(x), self.conv5X5_2(five), self.conv7x7_3(self.conv7X7_2(five))]
        return functional.relu(torch.cat(fields, dim=1))


class Head(nn.Module):
    """1×1 convolution to so many numbers an anchor."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.numbers = numbers
        self.conv1x1 = nn.Conv2d(CHANNELS, ANCHORS_PER_CELL * numbers, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, 256, h, w)`` to ``(n, anchors, numbers)``, anchors row by row."""
        y: Tensor = self.conv1x1(x)
        return y.permute(0, 2, 3, 1).reshape(len(x), -1, self.numbers)


class RetinaFaceResNet50(nn.Module):
    """The whole network: 27.29 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.body = ResNet50Body()
        self.fpn = FeaturePyramid()
        self.ssh1, self.ssh2, self.ssh3 = ContextModule(), ContextModule(), ContextModule()
        self.ClassHead = nn.ModuleList(Head(2) for _ in range(3))
        self.BboxHead = nn.ModuleList(Head(4) for _ in range(3))
        self.LandmarkHead = nn.ModuleList(Head(10) for _ in range(3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raw outputs of a batch.

        Args:
            x: ``(n, 3, h, w)`` BGR minus mean, sides multiples of 32.

        Returns:
            ``loc (n, anchors, 4)``, ``conf (n, anchors, 2)`` softmaxed, ``landmarks (n, anchors, 10)``.
        """
        pyramid = self.fpn(self.body(x))
        contexts = [ssh(level) for ssh, level in zip((self.ssh1, self.ssh2, self.ssh3), pyramid, strict=True)]
        boxes, classes, landmarks = (
            torch.cat([head(context) for head, context in zip(heads, contexts, strict=True)], dim=1)
            for heads in (self.BboxHead, self.ClassHead, self.LandmarkHead)
        )
        return boxes, classes.softmax(dim=2), landmarks
