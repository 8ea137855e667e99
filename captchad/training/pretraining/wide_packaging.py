"""The wide model as the package holds it: `python -m captchad.training.pretraining.wide_packaging --weights FILE`.

Exported, quantised, and calibrated on pictures drawn with fonts that it has not learned from, among them pictures of
the packaged model's own alphabet, whose readings must not be taken for something of a wide one.
"""

import argparse
import hashlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from captchad.domain.errors import DependencyMissing
from captchad.recognition.calibration import Calibration
from captchad.recognition.captchad_engine import CALIBRATION_KEY
from captchad.recognition.ctc import BLANK
from captchad.recognition.model import load_model
from captchad.recognition.preparation import (
    COLOUR_PLANES,
    HEIGHT_PIXELS,
    NORMALISATION,
    WIDTH_LEAST_PIXELS,
    WIDTH_LIMIT_PIXELS,
    prepare,
)
from captchad.recognition.wide_alphabet import list_columns
from captchad.recognition.wide_engine import WideEngine, find_wide_model
from captchad.training.export import DIFFERENCE_LIMIT, ExportFailed, measure_difference, write_description, write_onnx
from captchad.training.network import COLUMN_WIDTH_PIXELS, CaptchaNetwork
from captchad.training.pictures.wide import Division
from captchad.training.pictures.wide_texts import TEXTS
from captchad.training.pretraining.quantisation import quantise
from captchad.training.pretraining.wide_calibration import draw_wide, fit_wide, measure_wide, read_wide
from captchad.training.recipe import NetworkShape, Recipe

SEED = 717_171
RANGE_PICTURES, CALIBRATION_PICTURES = 40, 120


def describe_wide(weights: Path) -> dict[str, Any]:
    """Return the description of the wide model: its input, its columns and its origin."""
    shape = NetworkShape(planes=COLOUR_PLANES)
    recipe = Recipe("wide", SEED, {name: weight for name, (_, weight) in TEXTS.items()}, shape=shape)
    return {
        "name": recipe.name,
        "weights_digest": hashlib.sha256(weights.read_bytes()).hexdigest()[:16],
        "symbols": list_columns(),
        "blank": BLANK,
        "planes": COLOUR_PLANES,
        "height_pixels": HEIGHT_PIXELS,
        "width_least_pixels": WIDTH_LEAST_PIXELS,
        "width_limit_pixels": WIDTH_LIMIT_PIXELS,
        "column_width_pixels": COLUMN_WIDTH_PIXELS,
        "normalisation": NORMALISATION,
        "recipe": recipe.to_json(),
    }


def export_wide(weights: Path, out: Path) -> None:
    """Write the quantised model; ExportFailed where onnxruntime and torch differ by too much before the rounding."""
    description = describe_wide(weights)
    network = CaptchaNetwork(NetworkShape(planes=COLOUR_PLANES), len(list_columns())).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    drawn = [sample.picture for sample in draw_wide(Division.LEARN, RANGE_PICTURES, SEED, plain_pictures=0)]
    with tempfile.TemporaryDirectory(prefix="captchad-") as scratch:
        whole = Path(scratch) / "whole.onnx"
        write_onnx(network, whole)
        difference = measure_difference(network, whole)
        if difference > DIFFERENCE_LIMIT:
            raise ExportFailed(f"onnxruntime and torch differ by {difference:.2g}")
        write_description(whole, description)
        quantise(whole, out, [prepare(picture, planes=COLOUR_PLANES) for picture in drawn])


def calibrate_wide(path: Path, pictures: int) -> str:
    """Fit the calibration into the model's file; return how honest it is on fonts it was not fitted with."""
    model = load_model(path)
    description = {key: value for key, value in model.description.items() if key != CALIBRATION_KEY}
    engine = WideEngine(replace(model, description=description))
    fitted = fit_wide(read_wide(engine, draw_wide(Division.CALIBRATE, pictures, SEED + 1)))
    write_description(path, {**description, CALIBRATION_KEY: fitted})
    judged = read_wide(engine, draw_wide(Division.JUDGE, pictures, SEED + 2))
    return measure_wide(judged, Calibration.from_json(fitted))


def main() -> None:
    """Package one training's weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="the file that the training wrote")
    parser.add_argument("--out", type=Path, default=find_wide_model(), help="the package's own by default")
    parser.add_argument("--pictures", type=int, default=CALIBRATION_PICTURES, help="of each family, to calibrate with")
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        export_wide(given.weights, given.out)
        sys.stdout.write(f"{calibrate_wide(given.out, given.pictures)}\n")
    except (DependencyMissing, ExportFailed, FileNotFoundError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
