"""Builds ONNX graphs node by node, from torch modules whose batch norms are folded into their convolutions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[np.float64]
_OPSET: Final = 17
_IR_VERSION: Final = 8


class Graph:
    """Nodes and constants in the making; every method returns the name of the tensor it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Any, dtype: type[np.generic] = np.float32) -> str:
        """An array, or what numpy makes one of."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(values, dtype)), name))
        return name

    def scalar(self, value: float) -> str:
        """One number, without dimensions."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, np.float32), name))
        return name

    def name(self, tensor: str, name: str) -> None:
        """Give a tensor the name of an output."""
        self.nodes.append(helper.make_node("Identity", [tensor], [name]))

    def conv(
        self,
        x: str,
        weight: Array,
        bias: Array,
        stride: tuple[int, int] = (1, 1),
        padding: int = 0,
        *,
        depthwise: bool = False,
    ) -> str:
        """Convolution of any kernel, of all channels or each by itself."""
        return self.add(
            "Conv",
            x,
            self.constant(weight),
            self.constant(bias),
            kernel_shape=list(weight.shape[2:]),
            strides=list(stride),
            pads=[padding] * 4,
            group=len(weight) if depthwise else 1,
        )

    def linear(self, x: str, weight: Array, bias: Array) -> str:
        """Dense layer, weight ``(outputs, inputs)``."""
        return self.add("Gemm", x, self.constant(weight), self.constant(bias), transB=1)

    def model(self, name: str, inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
        """The finished graph, checked."""
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], producer_name="facestream")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model


def as_numpy(tensor: Any) -> Array:
    """A torch tensor in double precision."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)


def fold_norm(conv: Any, norm: Any) -> tuple[Array, Array]:
    """Weights and bias of a bias-free convolution with the BatchNorm after it folded in."""
    scale = as_numpy(norm.weight) / np.sqrt(as_numpy(norm.running_var) + norm.eps)
    weight = as_numpy(conv.weight) * scale[:, None, None, None]
    return weight, as_numpy(norm.bias) - as_numpy(norm.running_mean) * scale
