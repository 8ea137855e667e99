"""A network's weights out of a model's file, to go on from where an earlier training ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper

from captchad.recognition.model import DESCRIPTION_KEY
from captchad.recognition.preparation import COLOUR_PLANES, GREY_PLANES
from captchad.training.alphabet import SYMBOLS
from captchad.training.network import CaptchaNetwork
from captchad.training.recipe import NetworkShape, Recipe

# The packaged weights were exported when the network's layers had other names. Renaming them would mean another file of
# six megabytes with the same numbers, and models trained from it would still have the old names.
_FORMER_NAMES: Mapping[str, Mapping[str, str]] = {
    "stem.": {
        "halve": "first_downsample",
        "narrow": "reduce",
        "widen": "expand",
        "quarter": "second_downsample",
        "lift": "project",
    },
    "encoder.": {
        "look": "depthwise",
        "gate": "squeeze_excitation",
        "grow": "expand",
        "shrink": "project",
        "mix": "project",
    },
    "neck.blocks.": {
        "before_look": "attention_norm",
        "look": "query_key_value",
        "gather": "attention_output",
        "before_think": "feed_forward_norm",
        "grow": "expand",
        "shrink": "project",
    },
    "neck.": {"enter": "project", "look": "depthwise", "last": "norm"},
}
"""Former names of layers and the present ones, by the part of the network; the first prefix that fits counts."""

PLANE_SHARES: Mapping[int, tuple[float, ...]] = {GREY_PLANES: (1.0,), COLOUR_PLANES: (0.5, 0.5, 0.0, 0.0)}
"""How much of the ink each plane shows at first: brightness and distance alike, the differences of colour nothing."""

_FIRST_WEIGHT = "stem.first_downsample.weight"
_HEAD_WEIGHT, _HEAD_BIAS = "head.weight", "head.bias"
_NEVER_READ = -10.0
"""The bias of a symbol that the file's network does not know."""


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """A network as a model's file holds it, in evaluation mode, with the file's description."""

    network: CaptchaNetwork
    shape: NetworkShape
    description: dict[str, Any]


def load_starting_point(path: Path) -> StartingPoint:
    """Read the network of a model that `export` wrote; ValueError where it is none."""
    try:
        model = onnx.load(str(path))
        description = json.loads(next(entry.value for entry in model.metadata_props if entry.key == DESCRIPTION_KEY))
        shape = Recipe.from_json(description["recipe"]).shape
        network = CaptchaNetwork(shape)
        network.load_state_dict(_pick(_read_weights(model), network, description["symbols"]))
    # protobuf's errors share no base class with the others but Exception.
    except Exception as error:
        raise ValueError(f"{path} is no model of captchad that could be trained further: {error}") from error
    return StartingPoint(network.eval(), shape, description)


def load_first_network(path: Path, planes: int) -> CaptchaNetwork:
    """Read the network to begin a training with; one of a single plane sees its ink in all planes that are wanted."""
    start = load_starting_point(path)
    if start.shape.planes == planes:
        return start.network
    if start.shape.planes != GREY_PLANES:
        raise ValueError(f"{path} reads {start.shape.planes} planes: it can't begin a network of {planes}")
    weights = start.network.state_dict()
    weights[_FIRST_WEIGHT] = torch.cat([share * weights[_FIRST_WEIGHT] for share in PLANE_SHARES[planes]], dim=1)
    network = CaptchaNetwork(replace(start.shape, planes=planes))
    network.load_state_dict(weights)
    return network.eval()


def _pick(weights: Mapping[str, torch.Tensor], network: CaptchaNetwork, symbols: str) -> dict[str, torch.Tensor]:
    # Besides the network's own weights the file holds constants of the graph.
    picked = {name: weights[name] for name in network.state_dict()}
    for name, filling in ((_HEAD_WEIGHT, 0.0), (_HEAD_BIAS, _NEVER_READ)):
        picked[name] = _arrange(picked[name], symbols, filling)
    return picked


def _arrange(rows: torch.Tensor, symbols: str, filling: float) -> torch.Tensor:
    """Put the head's rows, the blank's and one for each of `symbols`, in the order of today's symbols."""
    arranged = torch.full((1 + len(SYMBOLS), *rows.shape[1:]), filling)
    arranged[0] = rows[0]
    for number, symbol in enumerate(symbols, start=1):
        arranged[1 + SYMBOLS.index(symbol)] = rows[number]
    return arranged


def _read_weights(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    tensors = model.graph.initializer
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()).float() for tensor in tensors}
    # Equal tensors are stored once; Identity nodes give the others their names.
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    return {_translate(name): values for name, values in weights.items()}


def _translate(stored: str) -> str:
    """Return the present name of a weight, whichever name it was stored by."""
    for prefix, names in _FORMER_NAMES.items():
        if stored.startswith(prefix):
            return prefix + ".".join(names.get(part, part) for part in stored.removeprefix(prefix).split("."))
    return stored
