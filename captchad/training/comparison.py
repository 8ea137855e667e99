"""Compares two models on pictures of known text that neither has learned from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.captchad_engine import CaptchadEngine
from captchad.recognition.decoding import Pixels
from captchad.training.augmentation import disturb
from captchad.training.exact_test import LEVEL, measure_chance
from captchad.training.lesson import Lesson
from captchad.training.reading import read_pictures, spell_reading

DISTURBED_VIEWS = 8
_SEED = 20_260


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two models read the same held-back pictures.

    A label that the site has verified is of a picture that the old model read: as they are, the old one reads nearly
    all of them, whatever it misses of the site. So each is shown several times disturbed. `gained` counts the pictures
    of which the new model reads more disturbed views than the old one, `lost` those of which it reads fewer. `before`
    and `after` count those read as they are, `new_losses` those that only the old one reads so, and `reread` the
    refused pictures of the same time (`refused`) in which the new model sees something else than what was refused.
    """

    pictures: int
    before: int
    after: int
    before_disturbed: float
    after_disturbed: float
    gained: int
    lost: int
    new_losses: int
    refused: int
    reread: int

    @property
    def chance(self) -> float:
        """The probability of so much gain if both read equally well, by McNemar's exact test."""
        return measure_chance(self.gained, self.lost)

    @property
    def is_better(self) -> bool:
        """Whether the new model reads more, and as they are loses no more pictures than it can have gained."""
        new_gains = self.after - self.before + self.new_losses
        # Of the refused pictures that it reads otherwise it may well read every second one wrong again.
        return self.chance < LEVEL and self.new_losses <= new_gains + self.reread / 2


def compare_models(old: CaptchadEngine, new: CaptchadEngine, lesson: Lesson) -> Comparison:
    """Let both models read what a lesson has held back."""
    truths = [sample.text for sample in lesson.held_back]
    old_marks, new_marks = ([_mark(engine, view, truths) for view in _list_views(lesson)] for engine in (old, new))
    old_sums, new_sums = np.sum(old_marks[1:], axis=0), np.sum(new_marks[1:], axis=0)
    refused = read_pictures(new, [sample.picture for sample in lesson.refused])
    return Comparison(
        pictures=len(truths),
        before=int(np.sum(old_marks[0])),
        after=int(np.sum(new_marks[0])),
        before_disturbed=float(np.mean(old_marks[1:])),
        after_disturbed=float(np.mean(new_marks[1:])),
        gained=int(np.sum(new_sums > old_sums)),
        lost=int(np.sum(new_sums < old_sums)),
        new_losses=int(np.sum(old_marks[0] & ~new_marks[0])),
        refused=len(refused),
        reread=sum(spell_reading(found) != sample.text for found, sample in zip(refused, lesson.refused, strict=True)),
    )


def _list_views(lesson: Lesson) -> Iterator[list[Pixels]]:
    """Return the held-back pictures as they are, then disturbed; the same each time."""
    yield [sample.picture for sample in lesson.held_back]
    for number in range(DISTURBED_VIEWS):
        generator = np.random.default_rng((_SEED, number))
        yield [disturb(sample.picture, generator) for sample in lesson.held_back]


def _mark(engine: CaptchadEngine, pictures: Sequence[Pixels], truths: Sequence[str]) -> NDArray[np.bool_]:
    found = read_pictures(engine, pictures)
    return np.array([spell_reading(one) == truth for one, truth in zip(found, truths, strict=True)])
