"""Holds a reading against its picture: separators that the network does not know are put in, doubts are counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from string import digits

import numpy as np

from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.ctc import BLANK, LogProbabilities
from captchad.recognition.ink import InkMask, find_parts
from captchad.recognition.joint_reading import PictureReading, Reading
from captchad.recognition.layout import count_unexplained, find_layout
from captchad.recognition.separators import DOT, SEPARATORS, find_dots, find_separators, spell_with

_DOUBTFUL = 0.5


@dataclass(frozen=True, slots=True)
class Network:
    """What of a network is needed: how wide its columns are, the number of that of the hyphen, if it has one, and
    whether it reads separators itself.
    """

    column_width_pixels: int
    hyphen: int | None
    reads_separators: bool


def explain(
    found: PictureReading, ink: InkMask, output: LogProbabilities, network: Network, hints: Hints
) -> PictureReading:
    """Return a reading with the separators that its picture shows and the hints allow, and as explained as it is."""
    parts = find_parts(ink)
    steps = found.reading.steps[0]
    centres = [(step + 0.5) * network.column_width_pixels for step in steps]
    layout = None if parts is None else find_layout(centres, parts)
    if layout is None or parts is None:
        return found
    explained = 1 / (1 + count_unexplained(layout, parts, ink))
    allowed = find_allowed(hints)
    if not allowed or network.reads_separators:
        return _rate(found, explained)
    if found.kind is CaptchaKind.MATH:
        dots = [] if hints.kind is CaptchaKind.MATH else find_dots(found.reading.symbols, layout, parts)
        return _rate(_take_as_number(found, dots), explained)
    hyphen = None if network.hyphen is None else _see(np.exp(output[:, network.hyphen]).tolist(), steps)
    separators = find_separators(found.reading.symbols, layout, ink, parts, hyphen)
    if separators.is_doubtful:
        explained *= _DOUBTFUL
    chosen = [(number, separator) for number, separator in separators.found if separator in allowed]
    if hints.max_length is not None and len(steps) + len(chosen) > hints.max_length:
        chosen = []
    return _rate(replace(found, reading=_insert(found.reading, chosen)), explained)


def find_allowed(hints: Hints) -> str:
    """Return the separators that may be read: those of the charset, or all."""
    return "".join(separator for separator in SEPARATORS if hints.charset is None or separator in hints.charset)


def may_be_longer(output: LogProbabilities, network: Network, hints: Hints) -> bool:
    """Whether a text that is shorter than the hints say may have separators that the network doesn't know."""
    if hints.min_length is None or network.reads_separators or not find_allowed(hints):
        return False
    likeliest = output.argmax(axis=1)
    likeliest[likeliest == network.hyphen] = BLANK
    return int(np.count_nonzero(np.diff(likeliest, prepend=BLANK) * (likeliest != BLANK))) < hints.min_length


def _see(probabilities: Sequence[float], steps: Sequence[int]) -> list[float]:
    """Return the highest probability between each two symbols."""
    return [max(probabilities[first + 1 : last], default=0.0) for first, last in pairwise(steps)]


def _rate(found: PictureReading, explained: float) -> PictureReading:
    features = replace(found.reading.features, explained=explained)
    return replace(found, reading=replace(found.reading, features=features))


def _take_as_number(found: PictureReading, dots: Sequence[int]) -> PictureReading:
    """Return what was read as a subtraction as a number with dots, where its signs are those."""
    symbols = "".join(DOT if number in dots else symbol for number, symbol in enumerate(found.reading.symbols))
    if not dots or not set(symbols) <= set(DOT + digits):
        return found
    return replace(found, reading=replace(found.reading, symbols=symbols), kind=CaptchaKind.TEXT)


def _insert(reading: Reading, separators: Sequence[tuple[int, str]]) -> Reading:
    """Put separators into a reading, each as sure as the symbol before it."""
    order = sorted([*range(len(reading.symbols)), *(number - 1 for number, _ in separators)])
    return replace(
        reading,
        symbols=spell_with(reading.symbols, separators),
        steps=tuple(tuple(row[place] for place in order) for row in reading.steps),
        symbol_scores=tuple(tuple(row[place] for place in order) for row in reading.symbol_scores),
    )
