"""How much of the texts is right, and which characters are taken for which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from captchad.recognition.evaluation.alignment import align_texts, measure_distance
from captchad.recognition.evaluation.evaluated_picture import EvaluatedPicture, Rule
from captchad.recognition.evaluation.proportion import Proportion, estimate_clustered_proportion


@dataclass(frozen=True, slots=True)
class Confusion:
    """A character read for another, `count` times; an empty `truth` was added, an empty `read` left out."""

    truth: str
    read: str
    count: int


def measure_characters(outcomes: Sequence[EvaluatedPicture], rule: Rule) -> Proportion:
    """Return the share of true characters that needed no edit: each text's length less the Levenshtein distance."""
    counts = []
    for outcome in outcomes:
        truth = rule.fold(outcome.truth)
        distance = measure_distance(align_texts(truth, rule.fold(outcome.text)))
        # A long text read into a short one is no worse than none.
        counts.append((max(len(truth) - distance, 0), len(truth)))
    return estimate_clustered_proportion(counts)


def find_confusions(outcomes: Sequence[EvaluatedPicture], rule: Rule) -> tuple[Confusion, ...]:
    """Return all pairs of characters that were confused, the most frequent first."""
    pairs = Counter(
        pair
        for outcome in outcomes
        for pair in align_texts(rule.fold(outcome.truth), rule.fold(outcome.text))
        if pair[0] != pair[1]
    )
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(truth, read, count) for (truth, read), count in ordered)
