"""Decides the letter case for the whole text: most captchas use one case throughout."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from captchad.domain.recognition import Hints
from captchad.recognition.alphabet import fold

_PRIOR_MIXED = 0.25
# Keeps a single letter from deciding the case of all others.
_LOG_ODDS_LIMIT = 12.0


@dataclass(frozen=True, slots=True)
class CasedText:
    """A text with its letters' cases, and the probability (0..1) that they are all right."""

    text: str
    confidence: float


def apply_case(symbols: str, log_odds: Sequence[float], hints: Hints) -> CasedText:
    """Return the text with its case; `log_odds` says for each symbol how much it looks upper case.

    The charset comes first. Where the caller says that case doesn't matter, it does not lower the confidence.
    """
    odds = [_bound(symbol, value, hints.charset) for symbol, value in zip(symbols, log_odds, strict=True)]
    open_odds = [value for value in odds if value is not None and not math.isinf(value)]
    if not open_odds:
        return CasedText(_spell(symbols, odds), 1.0)
    upper = -sum(_log1p_exp(-value) for value in open_odds)
    lower = -sum(_log1p_exp(value) for value in open_odds)
    if hints.case_sensitive is False:
        return CasedText(_spell(symbols, [_whole(value, upper >= lower) for value in odds]), 1.0)
    mixed = -sum(_log1p_exp(-abs(value)) for value in open_odds)
    return _choose(symbols, odds, (upper, lower, mixed), len(open_odds))


def _choose(
    symbols: str, odds: Sequence[float | None], likelihoods: tuple[float, float, float], letters: int
) -> CasedText:
    """Weigh all upper, all lower and mixed; a single letter is never mixed."""
    upper, lower, mixed = likelihoods
    prior_whole = math.log((1 - _PRIOR_MIXED) / 2)
    # The prior of mixed case is shared evenly by all 2^n patterns.
    pattern = math.log(_PRIOR_MIXED) - letters * math.log(2)
    scores = {
        _spell(symbols, [_whole(value, True) for value in odds]): upper + _log_sum(prior_whole, pattern),
        _spell(symbols, [_whole(value, False) for value in odds]): lower + _log_sum(prior_whole, pattern),
    }
    scores.setdefault(_spell(symbols, odds), mixed + pattern)
    # The letters' odds are normalised, so all patterns together have a likelihood of 1.
    total = math.log(math.exp(upper + prior_whole) + math.exp(lower + prior_whole) + math.exp(pattern))
    best = max(scores, key=lambda text: scores[text])
    return CasedText(best, min(1.0, math.exp(scores[best] - total)))


def _bound(symbol: str, log_odds: float, charset: str | None) -> float | None:
    """Return None for what has no case, infinite odds where the charset leaves no choice."""
    if not (symbol.isascii() and symbol.isalpha()):
        return None
    if charset is not None:
        present = {character for character in charset if fold(character) == symbol}
        if present == {symbol}:
            return -math.inf
        if present == {symbol.upper()}:
            return math.inf
    return min(max(log_odds, -_LOG_ODDS_LIMIT), _LOG_ODDS_LIMIT)


def _whole(value: float | None, is_upper: bool) -> float | None:
    if value is None or math.isinf(value):
        return value
    return 1.0 if is_upper else -1.0


def _spell(symbols: str, odds: Sequence[float | None]) -> str:
    return "".join(
        symbol.upper() if value is not None and value > 0 else symbol
        for symbol, value in zip(symbols, odds, strict=True)
    )


def _log1p_exp(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _log_sum(first: float, second: float) -> float:
    return max(first, second) + math.log1p(math.exp(-abs(first - second)))
