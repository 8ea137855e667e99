"""Decodes a network's columns to texts: connectionist temporal classification with length bounds.

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
# The search runs in Python: few symbols a step, and sure blanks passed over, keep it cheap.
_SYMBOLS_PER_STEP = 6
_NEVER = -math.inf
_LEAST_PROBABILITY = 1e-4
_SURE_PROBABILITY = 1 - _LEAST_PROBABILITY

Beam = dict[Labels, tuple[float, float]]
"""For each prefix the probability of ending in a blank and of ending in its last symbol, on one scale."""


def search_beam(
    log_probabilities: LogProbabilities, longest: int | None = None, width: int = BEAM_WIDTH
) -> dict[Labels, float]:
    """Find the likeliest texts of at most `longest` symbols, with the log probability the beam gives each."""
    beam: Beam = {(): (1.0, 0.0)}
    log_scale = 0.0
    for likely in _choose_symbols(log_probabilities):
        # Most columns are plain ground: one multiplication for the whole beam.
        is_pause = len(likely) == 1 and likely[0][0] == BLANK
        grown = _wait(beam, likely[0][1]) if is_pause else _grow(beam, likely, longest)
        if len(grown) > width:
            kept = sorted(grown.items(), key=_total, reverse=True)[:width]
            grown = dict(kept)
        # Probabilities shrink at every step; unscaled, they would underflow on wide pictures.
        highest = max(blank + symbol for blank, symbol in grown.values())
        log_scale += math.log(highest)
        beam = {labels: (blank / highest, symbol / highest) for labels, (blank, symbol) in grown.items()}
    return {
        labels: math.log(blank + symbol) + log_scale for labels, (blank, symbol) in beam.items() if blank + symbol > 0
    }


def _total(entry: tuple[Labels, tuple[float, float]]) -> float:
    return entry[1][0] + entry[1][1]


def _choose_symbols(log_probabilities: LogProbabilities) -> list[list[tuple[int, float]]]:
    """Return for each step its likely symbols, the blank always among them, with their probabilities."""
    probabilities = np.exp(log_probabilities)
    best = probabilities.argmax(axis=1).tolist()
    chosen: list[list[tuple[int, float]]] = []
    for step, symbol in zip(probabilities, best, strict=True):
        if symbol == BLANK and step[BLANK] > _SURE_PROBABILITY:
            chosen.append([(BLANK, float(step[BLANK]))])
            continue
        best_few = min(_SYMBOLS_PER_STEP, len(step))
        numbers = np.argpartition(step, -best_few)[-best_few:].tolist()
        likely = [(number, float(step[number])) for number in numbers if step[number] > _LEAST_PROBABILITY]
        # The blank must stay: only it separates repeated symbols.
        if all(number != BLANK for number, _ in likely):
            likely.append((BLANK, float(step[BLANK])))
        chosen.append(likely)
    return chosen


def _wait(beam: Beam, probability: float) -> Beam:
    return {labels: ((blank + symbol) * probability, 0.0) for labels, (blank, symbol) in beam.items()}


def _grow(beam: Beam, likely: Sequence[tuple[int, float]], longest: int | None) -> Beam:
    grown: Beam = {}
    for prefix, (ending_blank, ending_symbol) in beam.items():
        total = ending_blank + ending_symbol
        last = prefix[-1] if prefix else BLANK
        may_grow = longest is None or len(prefix) < longest
        for symbol, probability in likely:
            if symbol == BLANK:
                _put(grown, prefix, total * probability, 0.0)
                continue
            if symbol == last:
                _put(grown, prefix, 0.0, ending_symbol * probability)
            if may_grow:
                # A repeated symbol is a new one only after a blank.
                before = ending_blank if symbol == last else total
                _put(grown, (*prefix, symbol), 0.0, before * probability)
    return grown


def _put(grown: Beam, prefix: Labels, blank: float, symbol: float) -> None:
    present = grown.get(prefix)
    grown[prefix] = (blank, symbol) if present is None else (present[0] + blank, present[1] + symbol)


def score_labels(log_probabilities: LogProbabilities, labels: Labels) -> float:
    """Return the log probability of exactly this text, over all its alignments."""
    extended = np.full(2 * len(labels) + 1, BLANK)
    extended[1::2] = labels
    may_skip = np.zeros(len(extended), dtype=bool)
    may_skip[3::2] = extended[3::2] != extended[1:-2:2]
    # Blanks and symbols alternate; a blank may be skipped only between two different symbols.
    forward = np.full(len(extended), _NEVER)
    forward[:2] = log_probabilities[0, extended[:2]]
    for step in log_probabilities[1:]:
        from_before = np.concatenate(([_NEVER], forward[:-1]))
        from_skipped = np.where(may_skip, np.concatenate(([_NEVER, _NEVER], forward[:-2]))[: len(forward)], _NEVER)
        forward = np.logaddexp(np.logaddexp(forward, from_before), from_skipped) + step[extended]
    return float(np.logaddexp.reduce(forward[-2:]))


def find_best_of_length(log_probabilities: LogProbabilities, length: int) -> Labels | None:
    """Find the text of exactly `length` symbols whose best alignment is likeliest; None where the steps are too few.

    States are (symbols so far, last symbol, whether a blank came since); the beam may prune unlikely
    lengths, this search never does.
    """
    symbols = log_probabilities.shape[1]
    on_symbol = np.full((length + 1, symbols), _NEVER)
    on_blank = np.full((length + 1, symbols), _NEVER)
    on_blank[0, BLANK] = 0.0
    history: list[tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]] = []
    for step in log_probabilities:
        start, start_from = _best_starts(on_symbol, on_blank)
        stays = on_symbol >= start
        # Kept for each step, to trace the best path back without storing the paths themselves.
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
    """Return for each (count, symbol) the best score of starting it now, and the state (2 * last + is_blank) before."""
    length = on_symbol.shape[0] - 1
    start = np.full_like(on_symbol, _NEVER)
    start_from = np.zeros(on_symbol.shape, dtype=np.intp)
    for count in range(1, length + 1):
        states = np.stack((on_symbol[count - 1], on_blank[count - 1]), axis=1).ravel()
        best, second = np.argsort(states)[::-1][:2]
        start[count], start_from[count] = states[best], best
        if best % 2 == 0:
            # Directly after a symbol only a different one may start.
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
    """Return for each symbol of a text the step where it shows most clearly, in its likeliest alignment."""
    # The likeliest path usually spells the text, and reading it off costs nothing.
    plain = _align_plainly(log_probabilities, labels)
    if plain is not None:
        return plain
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


def _align_plainly(log_probabilities: LogProbabilities, labels: Labels) -> list[int] | None:
    """Align along each step's likeliest symbol, where that spells the text; None where it spells another."""
    path = log_probabilities.argmax(axis=1)
    starts = np.flatnonzero(np.diff(path, prepend=BLANK) * (path != BLANK))
    if tuple(path[starts].tolist()) != labels:
        return None
    ends = [*starts[1:].tolist(), len(path)]
    return [
        start + int(log_probabilities[start:end, label].argmax())
        for start, end, label in zip(starts.tolist(), ends, labels, strict=True)
    ]


def _clearest_step(column: NDArray[np.float64], path: Sequence[int], state: int) -> int:
    steps = [step for step, present in enumerate(path) if present == state]
    return max(steps, key=lambda step: float(column[step]), default=0)
