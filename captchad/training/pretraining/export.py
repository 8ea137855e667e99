"""A checkpoint as ONNX: `python -m captchad.training.pretraining.export --checkpoint DIR --out MODEL.onnx`."""

import argparse
import sys
from pathlib import Path

from captchad.training.export import ExportFailed, TrainedNetwork, export
from captchad.training.network import CaptchaNetwork
from captchad.training.pretraining.checkpoint import load_checkpoint
from captchad.training.recipe import Recipe


def load_trained(folder: Path) -> TrainedNetwork:
    """Load the averaged network of a folder's checkpoint."""
    checkpoint = load_checkpoint(folder)
    recipe = Recipe.from_json(checkpoint.recipe)
    network = CaptchaNetwork(recipe.shape)
    network.load_state_dict(checkpoint.average)
    return TrainedNetwork(network.eval(), recipe, checkpoint.next_batch, checkpoint.figures)


def main() -> None:
    """Export the checkpoint in a folder."""
    parser = argparse.ArgumentParser(prog="python -m captchad.training.pretraining.export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="the folder the training saves to")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        difference = export(load_trained(given.checkpoint), given.out)
    except (ExportFailed, FileNotFoundError) as error:
        sys.exit(str(error))
    size_kb = given.out.stat().st_size // 1024
    sys.stdout.write(f"{given.out}: {size_kb} kB, at most {difference:.1e} from the network it was trained as\n")


if __name__ == "__main__":
    main()
