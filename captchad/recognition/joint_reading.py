"""Decodes one text from several outputs: each proposes texts, all score them, the best total wins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from heapq import nlargest

import numpy as np

from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.alphabet import Alphabet, Columns
from captchad.recognition.ctc import (
    Labels,
    LogProbabilities,
    align_labels,
    find_best_of_length,
    score_labels,
    search_beam,
)
from captchad.recognition.network import Probabilities

LEAST_SCORE = -30.0
"""The least score of a text with one output, so that none can veto it alone."""

MOST_COMPARED = 6
"""How many texts are scored with several outputs."""

PLAIN_TEXT_LENGTH = 3
"""Shorter readings mostly come from pictures without text."""


@dataclass(frozen=True, slots=True)
class View:
    """One output: masked log probabilities, and the log share the alphabet held before masking."""

    log_probabilities: LogProbabilities
    share: float


@dataclass(frozen=True, slots=True)
class ReadingFeatures:
    """The features the confidence is calibrated on; a greater value never makes a reading less likely.

    Natural logs, but for `agreement` (the share of networks that like this text best), `fullness` (0..1, below 1
    where the text is suspiciously short) and `clearness` (1 where a single pass was enough, else 0: the scores of
    two passes can't be compared with those of one), and `explained` (0..1, below 1 where the picture shows ink that
    looks like a letter, or a gap that looks like a space, which the text does not have).
    """

    mean_score: float
    least_score: float
    margin: float
    share: float
    agreement: float
    fullness: float
    least_symbol: float
    clearness: float
    explained: float = 1.0

    def as_tuple(self) -> tuple[float, ...]:
        """Return the values in the order of the calibration's weights."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class Reading:
    """The best text as symbols of its alphabet, with its features.

    `steps` has for each network the step at which each symbol shows, `symbol_scores` the log probabilities there.
    """

    symbols: str
    features: ReadingFeatures
    total_score: float
    steps: tuple[tuple[int, ...], ...]
    symbol_scores: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class PictureReading:
    """What was read from one picture before any calibration; `case_ratios` may have a row for each symbol."""

    reading: Reading
    kind: CaptchaKind
    case_ratios: tuple[tuple[float, ...], ...]


def mask_outputs(outputs: Sequence[Probabilities], columns: Sequence[Columns]) -> list[View]:
    """Mask each network's output to the columns of one alphabet."""
    return [View(*located.mask(output)) for output, located in zip(outputs, columns, strict=True)]


def is_seen(symbol: str, views: Sequence[View], alphabet: Alphabet) -> bool:
    """Whether a network takes some step for this symbol before any other."""
    label = alphabet.symbols.index(symbol) + 1
    return any(bool(np.any(view.log_probabilities.argmax(axis=1) == label)) for view in views)


def read_jointly(
    views: Sequence[View], alphabet: Alphabet, hints: Hints, accepts: Callable[[str], bool]
) -> Reading | None:
    """Choose the accepted text within the hints' length bounds that all networks together find likeliest.

    None where there is no text at all, or none that is accepted.
    """
    proposals = [search_beam(view.log_probabilities, hints.max_length) for view in views]
    candidates = {labels for proposal in proposals for labels in proposal}
    spelled = {labels: _spell(labels, alphabet) for labels in candidates}
    allowed = [labels for labels in candidates if len(labels) >= (hints.min_length or 0) and accepts(spelled[labels])]
    if not allowed:
        allowed = [labels for labels in _stretch(views, hints) if accepts(_spell(labels, alphabet))]
    if not allowed:
        return None
    if len(views) > 1:
        # Texts far behind with their own output never won, but took a tenth of the time to score with the others.
        allowed = nlargest(MOST_COMPARED, allowed, key=lambda labels: _best_proposal(labels, proposals))
    scores = {
        labels: [_score(view, labels, proposal) for view, proposal in zip(views, proposals, strict=True)]
        for labels in allowed
    }
    best = max(allowed, key=lambda labels: (sum(scores[labels]), labels))
    return _describe(best, scores, views, alphabet, is_length_known=hints.min_length is not None) if best else None


def _best_proposal(labels: Labels, proposals: Sequence[Mapping[Labels, float]]) -> tuple[float, Labels]:
    return max(proposal.get(labels, LEAST_SCORE) for proposal in proposals), labels


def _score(view: View, labels: Labels, proposal: Mapping[Labels, float]) -> float:
    # The beam's own score is trusted: computing it again for every text costs more than the search.
    known = proposal.get(labels)
    return max(score_labels(view.log_probabilities, labels) if known is None else known, LEAST_SCORE)


def _favourite(scores: Mapping[Labels, Sequence[float]], network: int) -> Labels:
    return max(scores, key=lambda labels: (scores[labels][network], labels))


def _spell(labels: Labels, alphabet: Alphabet) -> str:
    return "".join(alphabet.symbols[label - 1] for label in labels)


def _stretch(views: Sequence[View], hints: Hints) -> list[Labels]:
    """Return texts of the minimum length where every likely text is shorter."""
    if hints.min_length is None:
        return []
    forced = (find_best_of_length(view.log_probabilities, hints.min_length) for view in views)
    return sorted({labels for labels in forced if labels is not None})


def _find_margin(best: Labels, scores: Mapping[Labels, Sequence[float]]) -> float:
    """Return the log odds of a text against every other that was considered."""
    totals = np.array([sum(values) for values in scores.values()])
    log_posterior = sum(scores[best]) - float(np.logaddexp.reduce(totals))
    # A posterior that rounds to 1 would give infinite odds.
    return log_posterior - float(np.log(max(-np.expm1(log_posterior), 1e-9)))


def _describe(
    best: Labels,
    scores: Mapping[Labels, Sequence[float]],
    views: Sequence[View],
    alphabet: Alphabet,
    *,
    is_length_known: bool,
) -> Reading:
    steps = tuple(tuple(align_labels(view.log_probabilities, best)) for view in views)
    symbol_scores = tuple(
        tuple(float(view.log_probabilities[step, label]) for step, label in zip(of_view, best, strict=True))
        for view, of_view in zip(views, steps, strict=True)
    )
    features = ReadingFeatures(
        mean_score=float(np.mean(scores[best])),
        least_score=min(scores[best]),
        margin=_find_margin(best, scores),
        share=max(min(view.share for view in views), LEAST_SCORE),
        agreement=sum(_favourite(scores, number) == best for number in range(len(views))) / len(views),
        fullness=1.0 if is_length_known else min(len(best), PLAIN_TEXT_LENGTH) / PLAIN_TEXT_LENGTH,
        least_symbol=max(min(map(min, symbol_scores)), LEAST_SCORE),
        clearness=float(len(views) == 1),
    )
    # With the share of the alphabet added, readings of different alphabets can be compared.
    total = sum(scores[best]) + sum(view.share for view in views)
    return Reading(_spell(best, alphabet), features, total, steps, symbol_scores)
