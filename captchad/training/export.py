"""A trained network as ONNX."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from captchad.recognition.ctc import BLANK
from captchad.recognition.model import DESCRIPTION_KEY
from captchad.recognition.onnx_session import open_session
from captchad.recognition.preparation import HEIGHT_PIXELS, NORMALISATION, WIDTH_LEAST_PIXELS, WIDTH_LIMIT_PIXELS
from captchad.training.alphabet import SYMBOLS
from captchad.training.network import COLUMN_WIDTH_PIXELS, CaptchaNetwork
from captchad.training.recipe import Recipe

# The first opset with Gelu as one operation: onnxruntime can't fuse its parts again around quantised convolutions.
OPSET = 20
DIFFERENCE_LIMIT = 1e-3
INPUT_NAME, OUTPUT_NAME = "pictures", "log_probabilities"
# Other batch sizes and widths than those of the example, so that a fixed axis would show.
_TRIED_SHAPES = ((1, 64), (3, 128), (5, 204))


class ExportFailed(Exception):
    """The exported model's output differs from the network's."""


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network in evaluation mode, with the recipe, the steps and the last validation behind it."""

    network: CaptchaNetwork
    recipe: Recipe
    steps: int
    figures: Mapping[str, Any]


def export(trained: TrainedNetwork, path: Path) -> float:
    """Write the model with its description inside; return the greatest difference found.

    ExportFailed where onnxruntime and torch differ by more than the limit.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_onnx(trained.network, path)
    difference = measure_difference(trained.network, path)
    if difference > DIFFERENCE_LIMIT:
        raise ExportFailed(f"onnxruntime and torch differ by {difference:.2g}")
    write_description(path, describe(trained))
    return difference


def write_description(path: Path, description: Mapping[str, Any]) -> None:
    """Write a description into a model's file, replacing the previous one."""
    model = onnx.load(str(path))
    del model.metadata_props[:]
    model.metadata_props.add(key=DESCRIPTION_KEY, value=json.dumps(description, ensure_ascii=False))
    onnx.save(model, str(path))


def write_onnx(network: CaptchaNetwork, path: Path) -> None:
    """Write a network in evaluation mode, for any number of pictures of any width."""
    example = torch.zeros(2, network.planes, HEIGHT_PIXELS, WIDTH_LEAST_PIXELS)
    with warnings.catch_warnings():
        # The newer exporter gives the weights names of its own.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(path),
            dynamo=False,
            # Unfused, so that all weights keep their names and training can continue from the file; onnxruntime fuses
            # them when it loads it.
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_axes={INPUT_NAME: {0: "batch", 3: "width"}, OUTPUT_NAME: {0: "steps", 1: "batch"}},
        )


def measure_difference(network: CaptchaNetwork, path: Path) -> float:
    """Return the greatest difference between torch's and onnxruntime's log probabilities over some shapes."""
    session = open_session(path)
    generator = np.random.default_rng(0)
    greatest = 0.0
    for batch, width in _TRIED_SHAPES:
        pictures = generator.uniform(-1, 1, (batch, network.planes, HEIGHT_PIXELS, width)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(pictures)).numpy()
        (found,) = session.run([OUTPUT_NAME], {INPUT_NAME: pictures})
        greatest = max(greatest, float(np.abs(expected - np.asarray(found)).max()))
    return greatest


def describe(trained: TrainedNetwork) -> dict[str, Any]:
    """Return the description of a model: its input, its columns and its origin."""
    return {
        "name": trained.recipe.name,
        "weights_digest": digest_weights(trained.network),
        "symbols": SYMBOLS,
        "blank": BLANK,
        "planes": trained.recipe.shape.planes,
        "height_pixels": HEIGHT_PIXELS,
        "width_least_pixels": WIDTH_LEAST_PIXELS,
        "width_limit_pixels": WIDTH_LIMIT_PIXELS,
        "column_width_pixels": COLUMN_WIDTH_PIXELS,
        "normalisation": NORMALISATION,
        "recipe": trained.recipe.to_json(),
        "recipe_digest": trained.recipe.digest,
        "steps": trained.steps,
        "pictures_seen": trained.steps * trained.recipe.feeding.batch_pictures,
        "validation": dict(trained.figures),
    }


def digest_weights(network: CaptchaNetwork) -> str:
    """Return sixteen hex digits that differ where any weight does."""
    digest = hashlib.sha256()
    for name, values in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
