"""Learning a site's own pictures from a model that does not know them."""

import numpy as np
import pytest
import torch

from captchad.runtime.clock import Clock
from captchad.training.fine_tuning import TuningOptions, divide, fine_tune, make_samples
from captchad.training.network import CaptchaNetwork
from captchad.training.validation import FamilyFigures
from tests.unit.training.plain_pictures import SMALL_SHAPE, draw_many, draw_plainly

PICTURES = [(sample.picture, sample.text) for sample in draw_many(40)]


def make_network() -> CaptchaNetwork:
    torch.manual_seed(3)
    return CaptchaNetwork(SMALL_SHAPE)


def test_too_few_pictures_and_unknown_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        make_samples(PICTURES[:5], "site")
    with pytest.raises(ValueError, match="not in the alphabet"):
        make_samples([*PICTURES, (draw_plainly("A").picture, "é")], "site")


def test_the_same_seed_holds_back_the_same_pictures() -> None:
    samples = make_samples(PICTURES, "site")
    division, again, other = divide(samples, 1), divide(samples, 1), divide(samples, 2)
    assert [one.text for one in division.held_back] == [one.text for one in again.held_back]
    assert [one.text for one in division.held_back] != [one.text for one in other.held_back]
    assert len(division.learned) + len(division.held_back) == len(samples)


def test_the_best_of_all_passes_is_kept_and_the_first_network_left_alone() -> None:
    network = make_network()
    first = {name: values.clone() for name, values in network.state_dict().items()}
    heard: list[FamilyFigures] = []
    division = divide(make_samples(PICTURES, "site"), 1)
    options = TuningOptions(passes=12, patience_passes=12)
    tuned = fine_tune(network, division, options, Clock(), lambda number, figures: heard.append(figures))
    assert len(heard) == tuned.passes == 12
    assert tuned.after.character_errors == min(figures.character_errors for figures in [tuned.before, *heard])
    assert tuned.is_better
    assert all(torch.equal(values, first[name]) for name, values in network.state_dict().items())


def test_it_ends_when_nothing_gets_better() -> None:
    # Texts that have nothing to do with their pictures can't be learned for others.
    generator = np.random.default_rng(1)
    texts = ["".join(generator.choice(list("ABCDEFGH"), size=6)) for _ in PICTURES]
    samples = make_samples([(picture, text) for (picture, _), text in zip(PICTURES, texts, strict=True)], "site")
    options = TuningOptions(passes=30, patience_passes=1)
    tuned = fine_tune(make_network(), divide(samples, 1), options, Clock(), lambda number, figures: None)
    assert tuned.passes < 30


def test_ctrl_c_keeps_the_best_so_far() -> None:
    def interrupt(number: int, figures: FamilyFigures) -> None:
        if number == 2:
            raise KeyboardInterrupt

    division = divide(make_samples(PICTURES, "site"), 1)
    tuned = fine_tune(make_network(), division, TuningOptions(passes=30), Clock(), interrupt)
    assert tuned.passes == 2


class BatchClock(Clock):
    """A clock that moves on by a second each time it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_seconds(self) -> float:
        self.seconds += 1.0
        return self.seconds


def test_time_ends_it_in_the_middle_of_a_pass() -> None:
    clock = BatchClock()
    division = divide(make_samples(PICTURES * 40, "site"), 1)
    tuned = fine_tune(make_network(), division, TuningOptions(minutes=0.1), clock, lambda number, figures: None)
    assert tuned.passes == 1
    assert clock.seconds < len(division.learned) / 16
