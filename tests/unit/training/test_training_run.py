"""A training from the first step to its end, with a stop in between."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from captchad.runtime.clock import Clock
from captchad.training.export import export
from captchad.training.pretraining.checkpoint import load_checkpoint
from captchad.training.pretraining.export import load_trained
from captchad.training.pretraining.training_run import FIGURES_NAME, TrainingRun, TrainingRunOptions
from captchad.training.recipe import Validation
from tests.unit.training.plain_pictures import SMALL_RECIPE

SHORT = replace(
    SMALL_RECIPE,
    schedule=replace(SMALL_RECIPE.schedule, steps=4),
    validation=Validation(every_steps=2, pictures_per_family=2),
)


def test_a_training_stopped_at_once_goes_on_to_its_end(tmp_path: Path) -> None:
    TrainingRun(SHORT, TrainingRunOptions(tmp_path, minutes=0.0, threads=1), Clock()).run()
    assert load_checkpoint(tmp_path).next_batch == 0
    TrainingRun(SHORT, TrainingRunOptions(tmp_path, is_resumed=True, threads=1), Clock()).run()
    assert load_checkpoint(tmp_path).next_batch == SHORT.schedule.steps
    lines = [json.loads(line) for line in (tmp_path / FIGURES_NAME).read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert lines[-1]["families"][0]["family"] == "captcha"
    assert load_trained(tmp_path).figures == lines[-1]


def test_a_checkpoint_is_not_trained_over_unasked(tmp_path: Path) -> None:
    TrainingRun(SHORT, TrainingRunOptions(tmp_path, minutes=0.0, threads=1), Clock()).run()
    with pytest.raises(ValueError, match="--resume"):
        TrainingRun(SHORT, TrainingRunOptions(tmp_path, threads=1), Clock()).run()


def test_a_training_can_begin_with_a_model(tmp_path: Path) -> None:
    model = tmp_path / "first.onnx"
    TrainingRun(SHORT, TrainingRunOptions(tmp_path / "first", threads=1), Clock()).run()
    trained = load_trained(tmp_path / "first")
    export(trained, model)
    options = TrainingRunOptions(tmp_path / "second", minutes=0.0, threads=1, first_model=model)
    TrainingRun(SHORT, options, Clock()).run()
    begun = load_checkpoint(tmp_path / "second")
    assert begun.next_batch == 0
    for name, values in trained.network.named_parameters():
        assert torch.equal(begun.network[name], values), name
