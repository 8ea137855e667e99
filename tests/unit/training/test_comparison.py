"""When a new model counts as the better reader."""

from dataclasses import replace

import numpy as np
import pytest

from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.training.augmentation import disturb
from captchad.training.comparison import Comparison, compare_models
from captchad.training.lesson import Lesson
from tests.unit.training.plain_pictures import draw_many

BETTER = Comparison(
    pictures=50,
    before=48,
    after=48,
    before_disturbed=0.5,
    after_disturbed=0.8,
    gained=20,
    lost=5,
    new_losses=0,
    refused=30,
    reread=0,
)


@pytest.mark.parametrize(
    ("changes", "is_better"),
    [
        ({}, True),
        ({"gained": 11, "lost": 10}, False),
        # Five without a loss are just certain enough, four are not.
        ({"gained": 5, "lost": 0}, True),
        ({"gained": 4, "lost": 0}, False),
        # What it loses as they are must be outweighed by what it may have gained.
        ({"after": 46, "new_losses": 2}, False),
        ({"after": 46, "new_losses": 2, "reread": 3}, False),
        ({"after": 46, "new_losses": 2, "reread": 4}, True),
        ({"after": 49, "new_losses": 2}, True),
    ],
)
def test_it_must_certainly_gain_and_not_lose_what_was_read(changes: dict[str, int], is_better: bool) -> None:
    assert replace(BETTER, **changes).is_better is is_better


def test_a_model_is_no_better_than_itself() -> None:
    engine, drawn = load_captchad_engine(), tuple(draw_many(6))
    found = compare_models(engine, engine, Lesson((), drawn, drawn[:2]))
    assert (found.gained, found.lost, found.new_losses) == (0, 0, 0)
    assert (found.before, found.before_disturbed) == (found.after, found.after_disturbed)
    assert found.refused == 2
    assert found.chance == 1


@pytest.mark.parametrize("shape", [(30, 90), (30, 90, 3), (1, 1), (200, 8, 3)])
def test_any_picture_can_be_disturbed_and_the_same_way_again(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    found = disturb(picture, np.random.default_rng(2))
    assert found.dtype == np.uint8
    assert found.ndim == picture.ndim
    assert (found == disturb(picture, np.random.default_rng(2))).all()
