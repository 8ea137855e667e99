"""Trains by a recipe: `python -m captchad.training.pretraining --recipe FILE --checkpoints DIR`."""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from captchad.runtime.clock import Clock
from captchad.training.pretraining.published_weights import find_published
from captchad.training.pretraining.training_run import TrainingRun, TrainingRunOptions
from captchad.training.recipe import load_recipe

_PUBLISHED = "published"


def main() -> None:
    """Train until the recipe's last step, the given minutes, SIGTERM or Ctrl-C."""
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(prog="python -m captchad.training.pretraining", description=__doc__)
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint, if there is one")
    parser.add_argument("--drawers", type=int, default=max(1, cores - 1), help="processes that draw pictures")
    parser.add_argument("--threads", type=int, default=max(1, cores // 2), help="threads of the network on the CPU")
    parser.add_argument("--from", dest="first_model", help="a model to begin with: its file, or `published`")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        first_model = _find_first_model(given.first_model)
        options = TrainingRunOptions(
            given.checkpoints, given.minutes, given.resume, given.drawers, given.threads, first_model
        )
        TrainingRun(load_recipe(given.recipe), options, Clock()).run()
    except ValueError as error:
        sys.exit(str(error))


def _find_first_model(name: str | None) -> Path | None:
    if name is None:
        return None
    return find_published() if name == _PUBLISHED else Path(name)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
