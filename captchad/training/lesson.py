"""What there is to learn of one target: its labels in time order, the newest held back to measure the gain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from captchad.domain.errors import PictureRefused
from captchad.domain.label import Verdict
from captchad.recognition.decoding import decode_picture
from captchad.training.alphabet import encode, spell_plainly
from captchad.training.sample import Sample

LEAST_RIGHT_LABELS = 100
"""Right labels of one target below which nothing is learned: a quarter of them is all that measures the gain."""
_HELD_BACK_SHARE, _HELD_BACK_MOST = 0.25, 300


class KeptLabel(Protocol):
    """A label as the store has it."""

    @property
    def text(self) -> str:
        """What is drawn, or what is not."""

    @property
    def verdict(self) -> Verdict:
        """Which of the two."""

    @property
    def at(self) -> str:
        """When it was found out; later ones sort after earlier ones."""

    @property
    def picture(self) -> bytes:
        """Its bytes; FileNotFoundError where it is gone."""


class TooFewLabels(Exception):
    """A target has so many right labels, and needs more."""

    def __init__(self, found: int) -> None:
        super().__init__(f"{found} right labels: {LEAST_RIGHT_LABELS - found} more are needed")
        self.found = found


@dataclass(frozen=True, slots=True)
class Lesson:
    """Pictures to learn from; right ones held back; refused ones as new as those, with what they do not say."""

    learned: tuple[Sample, ...]
    held_back: tuple[Sample, ...]
    refused: tuple[Sample, ...]


def count_right(labels: Sequence[KeptLabel]) -> int:
    """Return how many of some labels are right."""
    return sum(label.verdict == Verdict.RIGHT for label in labels)


def make_lesson(labels: Sequence[KeptLabel], host: str) -> Lesson:
    """Divide a target's labels, given in time order; TooFewLabels where that is not enough.

    What can't be used is left out: pictures that are gone or damaged, texts that no model spells.
    """
    samples = [(label, sample) for label in labels if (sample := _make_sample(label, host)) is not None]
    right = [(label, sample) for label, sample in samples if label.verdict == Verdict.RIGHT]
    if len(right) < LEAST_RIGHT_LABELS:
        raise TooFewLabels(len(right))
    count = min(round(len(right) * _HELD_BACK_SHARE), _HELD_BACK_MOST)
    since = right[-count][0].at
    refused = [sample for label, sample in samples if label.verdict == Verdict.WRONG and label.at >= since]
    return Lesson(
        learned=tuple(sample for _, sample in right[:-count]),
        held_back=tuple(sample for _, sample in right[-count:]),
        refused=tuple(refused),
    )


def _make_sample(label: KeptLabel, host: str) -> Sample | None:
    try:
        encode(label.text)
        return Sample(decode_picture(label.picture), spell_plainly(label.text), host)
    except (OSError, PictureRefused, ValueError):
        return None
