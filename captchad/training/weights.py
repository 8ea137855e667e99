"""A network's weights out of a model's file, to go on from where an earlier training ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper

from captchad.recognition.model import DESCRIPTION_KEY
from captchad.training.network import CaptchaNetwork
from captchad.training.published_weights import load_published
from captchad.training.recipe import NetworkShape, Recipe


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """A network as a model's file holds it, in evaluation mode, with the file's description."""

    network: CaptchaNetwork
    shape: NetworkShape
    description: dict[str, Any]


def load_starting_point(path: Path) -> StartingPoint:
    """Read the network of a model that `export` wrote, or of the published weights; ValueError where it is neither."""
    try:
        model = onnx.load(str(path))
        if all(entry.key != DESCRIPTION_KEY for entry in model.metadata_props):
            return StartingPoint(load_published(path).eval(), NetworkShape(), {})
        description = json.loads(next(entry.value for entry in model.metadata_props if entry.key == DESCRIPTION_KEY))
        shape = Recipe.from_json(description["recipe"]).shape
        network = CaptchaNetwork(shape)
        network.load_state_dict(_pick(_read_weights(model), network))
    # What protobuf raises of rubbish shares no base with the rest but Exception.
    except Exception as error:
        raise ValueError(f"{path} is no model of captchad that could be trained further: {error}") from error
    return StartingPoint(network.eval(), shape, description)


def _pick(weights: Mapping[str, torch.Tensor], network: CaptchaNetwork) -> dict[str, torch.Tensor]:
    # Besides the network's own weights the file holds constants of the graph.
    return {name: weights[name] for name in network.state_dict()}


def _read_weights(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    tensors = model.graph.initializer
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()).float() for tensor in tensors}
    # Equal tensors are stored once: the others are names for the first.
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    return weights
