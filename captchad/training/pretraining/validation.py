"""Measures how well a network reads fresh pictures by family; a recipe always has the same pictures."""

from concurrent.futures import Executor

import torch

from captchad.training.network import CaptchaNetwork
from captchad.training.pretraining.drawing import DrawingPlan
from captchad.training.recipe import Recipe
from captchad.training.sample import Sample
from captchad.training.validation import FamilyFigures, compare, read_greedily


def draw_validation(recipe: Recipe, drawers: Executor) -> dict[str, list[Sample]]:
    """Draw the pictures of every family of a recipe, the held-out ones too."""
    names = sorted({*recipe.families, *recipe.held_out})
    count = recipe.validation.pictures_per_family
    drawings = {
        name: drawers.submit(DrawingPlan(((name, 1.0),), recipe.validation.seed).draw, 0, count) for name in names
    }
    return {name: drawing.result() for name, drawing in drawings.items()}


def validate(network: CaptchaNetwork, pictures: dict[str, list[Sample]], device: torch.device) -> list[FamilyFigures]:
    """Read every family's pictures without any hint; the network must be in evaluation mode."""
    return [
        compare(name, [sample.text for sample in drawn], read_greedily(network, drawn, device))
        for name, drawn in pictures.items()
    ]
