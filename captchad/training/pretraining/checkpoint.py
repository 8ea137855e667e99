"""The state of a training on disk, written beside the old one and renamed, so that it is always complete."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

FILE_NAME = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a training needs to go on exactly: `next_batch` also counts the steps done.

    Pictures, alterations, dropout and learning rate are all functions of the recipe and that number.
    """

    recipe: dict[str, Any]
    next_batch: int
    network: dict[str, Any]
    average: dict[str, Any]
    optimiser: dict[str, Any]
    figures: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint, surviving a stop at any instant."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        torch.save({name: getattr(checkpoint, name) for name in Checkpoint.__slots__}, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read the folder's checkpoint; FileNotFoundError where there is none."""
    return Checkpoint(**torch.load(folder / FILE_NAME, map_location="cpu", weights_only=True))
