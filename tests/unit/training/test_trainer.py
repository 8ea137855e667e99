"""Learning, stopping and going on."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from captchad.training.pretraining.trainer import Trainer
from captchad.training.recipe import NetworkShape, Schedule
from captchad.training.validation import compare, count_edits, read_greedily
from tests.unit.training.plain_pictures import SMALL_RECIPE, batch_of, draw_many

CPU = torch.device("cpu")


def test_a_resumed_training_goes_on_exactly(tmp_path: Path) -> None:
    recipe = replace(SMALL_RECIPE, shape=replace(SMALL_RECIPE.shape, dropout=0.3))
    batches = [batch_of(draw_many(4, seed), number) for number, seed in enumerate(range(6))]
    straight = Trainer(recipe, CPU)
    losses = [straight.step(batch).loss for batch in batches]

    stopped = Trainer(recipe, CPU)
    for batch in batches[:3]:
        stopped.step(batch)
    stopped.save(tmp_path)
    resumed = Trainer(recipe, CPU)
    resumed.resume(tmp_path)
    assert resumed.next_batch == 3
    assert [resumed.step(batch).loss for batch in batches[3:]] == pytest.approx(losses[3:], rel=1e-5)
    for name, kept in straight.average.network.state_dict().items():
        assert torch.allclose(kept, resumed.average.network.state_dict()[name], atol=1e-6)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    Trainer(SMALL_RECIPE, CPU).save(tmp_path)
    with pytest.raises(ValueError, match="another network"):
        Trainer(replace(SMALL_RECIPE, shape=NetworkShape()), CPU).resume(tmp_path)


def test_a_save_cut_short_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    Trainer(SMALL_RECIPE, CPU).save(tmp_path)
    (tmp_path / "checkpoint.partial").write_bytes(b"half a checkpoint")
    Trainer(SMALL_RECIPE, CPU).resume(tmp_path)


def test_sixteen_pictures_are_learned_by_heart() -> None:
    steps_limit = 400
    schedule = Schedule(steps=steps_limit, warm_up_steps=20, fall_steps=1, peak_learning_rate=3e-3, average_decay=0.8)
    drawn = draw_many(16)
    trainer = Trainer(replace(SMALL_RECIPE, schedule=schedule), CPU)
    texts = [picture.text for picture in drawn]
    for number in range(steps_limit):
        trainer.step(batch_of(drawn, number))
        if number % 20 == 19 and read_greedily(trainer.average.network, drawn, CPU) == texts:
            break
    figures = compare("plain", texts, read_greedily(trainer.average.network, drawn, CPU))
    assert figures.exact == 1.0
    assert figures.character_errors == 0.0


def test_edits_are_counted() -> None:
    assert count_edits("kitten", "sitting") == 3
    assert count_edits("", "abc") == 3
    assert count_edits("same", "same") == 0
