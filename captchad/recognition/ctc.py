"""Texts out of a network's columns: connectionist temporal classification with length bounds.

All of it works on `log_probabilities`, shape (steps, symbols), whose symbol 0 is the blank; a `Labels` holds
symbol numbers without blanks.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LogProbabilities = NDArray[np.float64]
Labels = tuple[int, ...]

BLANK = 0
BEAM_WIDTH = 12
_SYMBOLS_PER_STEP = 6
_NEVER = -math.inf
_LEAST_LOG_PROBABILITY = math.log(1e-6)


def search_beam(
    log_probabilities: LogProbabilities, longest: int | None = None, width: int = BEAM_WIDTH
) -> dict[Labels, float]:
    """Find the likeliest texts of at most `longest` symbols, with the log probability the beam gives each."""
    beam: dict[Labels, tuple[float, float]] = {(): (0.0, _NEVER)}
    for step in log_probabilities:
        likely = _choose_symbols(step)
        grown: dict[Labels, tuple[float, float]] = {}
        for prefix, (ending_blank, ending_symbol) in beam.items():
            _extend(grown, prefix, (ending_blank, ending_symbol), likely, longest)
        kept = sorted(grown.items(), key=lambda item: _add(*item[1]), reverse=True)[:width]
        beam = dict(kept)
    return {prefix: _add(*endings) for prefix, endings in beam.items()}


def _choose_symbols(step: NDArray[np.float64]) -> list[tuple[int, float]]:
    order = np.argsort(step)[-_SYMBOLS_PER_STEP:]
    likely = [(int(symbol), float(step[symbol])) for symbol in order if step[symbol] > _LEAST_LOG_PROBABILITY]
    if all(symbol != BLANK for symbol, _ in likely):
        likely.append((BLANK, float(step[BLANK])))
    return likely


def _extend(
    grown: dict[Labels, tuple[float, float]],
    prefix: Labels,
    endings: tuple[float, float],
    likely: Sequence[tuple[int, float]],
    longest: int | None,
) -> None:
    ending_blank, ending_symbol = endings
    total = _add(ending_blank, ending_symbol)
    last = prefix[-1] if prefix else BLANK
    may_grow = longest is None or len(prefix) < longest
    for symbol, log_probability in likely:
        if symbol == BLANK:
            _put(grown, prefix, total + log_probability, _NEVER)
            continue
        if symbol == last:
            _put(grown, prefix, _NEVER, ending_symbol + log_probability)
        if may_grow:
            # The same symbol again is a new one only after a blank.
            before = ending_blank if symbol == last else total
            _put(grown, (*prefix, symbol), _NEVER, before + log_probability)


def _put(grown: dict[Labels, tuple[float, float]], prefix: Labels, blank: float, symbol: float) -> None:
    present_blank, present_symbol = grown.get(prefix, (_NEVER, _NEVER))
    grown[prefix] = (_add(present_blank, blank), _add(present_symbol, symbol))


def _add(first: float, second: float) -> float:
    """Give log(exp(first) + exp(second)), where either may be minus infinity."""
    high, low = (first, second) if first > second else (second, first)
    return high if low == _NEVER else high + math.log1p(math.exp(low - high))


def score_labels(log_probabilities: LogProbabilities, labels: Labels) -> float:
    """Give the log probability of exactly this text, over all its alignments."""
    extended = np.full(2 * len(labels) + 1, BLANK)
    extended[1::2] = labels
    may_skip = np.zeros(len(extended), dtype=bool)
    may_skip[3::2] = extended[3::2] != extended[1:-2:2]
    forward = np.full(len(extended), _NEVER)
    forward[:2] = log_probabilities[0, extended[:2]]
    for step in log_probabilities[1:]:
        from_before = np.concatenate(([_NEVER], forward[:-1]))
        from_skipped = np.where(may_skip, np.concatenate(([_NEVER, _NEVER], forward[:-2]))[: len(forward)], _NEVER)
        forward = np.logaddexp(np.logaddexp(forward, from_before), from_skipped) + step[extended]
    return float(np.logaddexp.reduce(forward[-2:]))


def find_best_of_length(log_probabilities: LogProbabilities, length: int) -> Labels | None:
    """Find the text of exactly `length` symbols whose best alignment is likeliest; None where the steps are too few.

    States are (symbols so far, last symbol, whether a blank came since); the beam can lose lengths that are
    unlikely, this never does.
    """
    symbols = log_probabilities.shape[1]
    on_symbol = np.full((length + 1, symbols), _NEVER)
    on_blank = np.full((length + 1, symbols), _NEVER)
    on_blank[0, BLANK] = 0.0
    history: list[tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]] = []
    for step in log_probabilities:
        start, start_from = _best_starts(on_symbol, on_blank)
        stays = on_symbol >= start
        waits = on_blank >= on_symbol
        history.append((start_from, stays, waits))
        next_symbol = np.maximum(on_symbol, start) + step
        next_symbol[:, BLANK] = _NEVER
        on_blank = np.maximum(on_blank, on_symbol) + step[BLANK]
        on_symbol = next_symbol
    return _trace_back(on_symbol, on_blank, history, length)


def _best_starts(
    on_symbol: NDArray[np.float64], on_blank: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Give for each (count, symbol) the best score of starting it now, and the state (2 * last + is_blank) before."""
    length = on_symbol.shape[0] - 1
    start = np.full_like(on_symbol, _NEVER)
    start_from = np.zeros(on_symbol.shape, dtype=np.intp)
    for count in range(1, length + 1):
        states = np.stack((on_symbol[count - 1], on_blank[count - 1]), axis=1).ravel()
        best, second = np.argsort(states)[::-1][:2]
        start[count], start_from[count] = states[best], best
        if best % 2 == 0:
            # Straight after a symbol only another one may start.
            start[count, best // 2], start_from[count, best // 2] = states[second], second
    return start, start_from


def _trace_back(
    on_symbol: NDArray[np.float64],
    on_blank: NDArray[np.float64],
    history: Sequence[tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]],
    length: int,
) -> Labels | None:
    ends = np.stack((on_symbol[length], on_blank[length]), axis=1)
    state = int(np.argmax(ends))
    if ends.ravel()[state] == _NEVER:
        return None
    labels: list[int] = []
    count, last, is_blank = length, state // 2, bool(state % 2)
    for start_from, stays, waits in reversed(history):
        if is_blank:
            is_blank = bool(waits[count, last])
        elif not stays[count, last]:
            labels.append(last)
            before = int(start_from[count, last])
            count, last, is_blank = count - 1, before // 2, bool(before % 2)
    return tuple(reversed(labels))


def align_labels(log_probabilities: LogProbabilities, labels: Labels) -> list[int]:
    """Give for each symbol of a text the step where it shows most clearly, in its likeliest alignment."""
    extended = np.full(2 * len(labels) + 1, BLANK)
    extended[1::2] = labels
    may_skip = np.zeros(len(extended), dtype=bool)
    may_skip[3::2] = extended[3::2] != extended[1:-2:2]
    score = np.full(len(extended), _NEVER)
    score[:2] = log_probabilities[0, extended[:2]]
    moves: list[NDArray[np.intp]] = []
    for step in log_probabilities[1:]:
        from_before = np.concatenate(([_NEVER], score[:-1]))
        from_skipped = np.where(may_skip, np.concatenate(([_NEVER, _NEVER], score[:-2]))[: len(score)], _NEVER)
        choices = np.stack((score, from_before, from_skipped))
        move = np.argmax(choices, axis=0)
        moves.append(move)
        score = choices.max(axis=0) + step[extended]
    state = len(extended) - 1 if len(labels) == 0 or score[-1] > score[-2] else len(extended) - 2
    path = [state]
    for move in reversed(moves):
        state -= int(move[state])
        path.append(state)
    path.reverse()
    return [_clearest_step(log_probabilities[:, symbol], path, 2 * k + 1) for k, symbol in enumerate(labels)]


def _clearest_step(column: NDArray[np.float64], path: Sequence[int], state: int) -> int:
    steps = [step for step, present in enumerate(path) if present == state]
    return max(steps, key=lambda step: float(column[step]), default=0)
