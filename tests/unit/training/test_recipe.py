"""Recipes and their files."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from captchad.training.recipe import Recipe, Schedule, load_recipe
from captchad.training.schedule import learning_rate_at
from tests.unit.training.plain_pictures import SMALL_RECIPE

RECIPES = Path(__file__).parents[3] / "captchad" / "training" / "pretraining" / "recipes"


def test_a_recipe_comes_back_from_its_json() -> None:
    again = Recipe.from_json(json.loads(json.dumps(SMALL_RECIPE.to_json())))
    assert again == SMALL_RECIPE
    assert again.digest == SMALL_RECIPE.digest


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.json")), ids=lambda path: path.stem)
def test_every_recipe_that_comes_with_the_package_can_be_read(path: Path) -> None:
    assert load_recipe(path).name == path.stem


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="has no batch"):
        Recipe.from_json({"name": "x", "seed": 1, "families": {"captcha": 1}, "feeding": {"batch": 3}})


def test_a_held_out_family_may_not_be_trained_on() -> None:
    with pytest.raises(ValueError, match="held-out"):
        Recipe(name="x", seed=1, families={"captcha": 1.0}, held_out=("captcha",))


def test_a_recipe_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text('{"seed": 1}')
    with pytest.raises(ValueError, match="is no recipe"):
        load_recipe(path)


def test_the_learning_rate_rises_keeps_and_falls() -> None:
    schedule = Schedule(steps=100, warm_up_steps=10, fall_steps=50, peak_learning_rate=1.0, least_learning_rate=0.1)
    rates = [learning_rate_at(step, schedule) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:50] == [1.0] * 40
    assert all(later <= earlier for earlier, later in pairwise(rates[50:]))
    assert rates[100] == pytest.approx(0.1)
