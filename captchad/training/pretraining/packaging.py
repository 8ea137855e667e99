"""A training's model as the package holds it: `python -m captchad.training.pretraining.packaging --checkpoint DIR`.

The averaged network is exported, quantised and calibrated; beside it lie the weights from which training can continue.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from captchad.domain.errors import DependencyMissing
from captchad.recognition.model import PACKAGED_NAME, PACKAGED_WEIGHTS_NAME, find_packaged_model
from captchad.training.export import ExportFailed, export
from captchad.training.pretraining.calibration import calibrate
from captchad.training.pretraining.export import load_trained
from captchad.training.pretraining.quantisation import draw_prepared, halve_weights, quantise, read_description

RANGE_PICTURES = 500
CALIBRATION_PICTURES = 200


def package(checkpoint: Path, folder: Path, calibration_pictures: int) -> str:
    """Write both files of a checkpoint's model into a folder; return how well it is calibrated."""
    trained = load_trained(checkpoint)
    with tempfile.TemporaryDirectory(prefix="captchad-") as scratch:
        whole, small, weights = (Path(scratch) / name for name in ("whole", PACKAGED_NAME, PACKAGED_WEIGHTS_NAME))
        export(trained, whole)
        quantise(whole, small, draw_prepared(trained.recipe.families, RANGE_PICTURES, trained.recipe.shape.planes))
        honesty = calibrate(small, calibration_pictures)
        halve_weights(whole, weights, read_description(small))
        folder.mkdir(parents=True, exist_ok=True)
        for path in (small, weights):
            (folder / path.name).write_bytes(path.read_bytes())
    return honesty


def main() -> None:
    """Package one checkpoint."""
    parser = argparse.ArgumentParser(prog="python -m captchad.training.pretraining.packaging", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="the folder the training saves to")
    parser.add_argument("--out", type=Path, default=find_packaged_model().parent, help="the package's own by default")
    parser.add_argument("--pictures", type=int, default=CALIBRATION_PICTURES, help="of each family, to calibrate with")
    given = parser.parse_args()
    try:
        sys.stdout.write(f"{package(given.checkpoint, given.out, given.pictures)}\n")
    except (DependencyMissing, ExportFailed, FileNotFoundError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
