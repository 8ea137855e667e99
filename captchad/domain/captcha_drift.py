"""Whether a target's captcha has changed: a Shiryaev-Roberts procedure on conformal p-values.

Three signals are watched: the picture's size, the confidence of its reading, and whether the answer was right. A size
is ranked among all visits of the baseline, the others among those of the same size. As long as nothing changes (the
visits are exchangeable), such conformal p-values with ties broken at random are independent and uniform, whatever the
signal's distribution is. The procedure bets against that. Its statistic less the number of visits is then a martingale,
so that by Doob's inequality it reaches a threshold within m visits with a probability of at most m / threshold.

Sources: A. N. Shiryaev, "On optimum methods in quickest detection problems" (1963); S. W. Roberts, "A comparison of
some control chart procedures" (1966); V. Vovk and others, "Testing exchangeability on-line" (ICML 2003) and "Retrain or
not retrain: conformal test martingales for change-point detection" (COPA 2021).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

LEARNING_VISITS = 200
"""A signal is bet on from here: by fewer visits it can't be told what is rare."""
VISITS_PER_FALSE_ALARM = 300_000
"""Within m visits without a change, there is an alarm with a probability of at most m / this."""
CONFIDENCE_BINS = 50
SIZES_LIMIT = 64
RECOGNISERS_LIMIT = 16
RANKED_SIZES_LIMIT = 8
OTHER_SIZE = "other"
SMALLEST_RANK = 1e-9
"""A rank of 0 would pay without end; to pay less than is fair keeps the bound."""
COMMON_SHARE = 0.1
"""A size that is more than this share of the visits is as usual as any other."""


class DriftSignal(StrEnum):
    """What is watched of a target's captcha."""

    SIZE = "size"
    CONFIDENCE = "confidence"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class CaptchaObservation:
    """What the first picture of one visit showed.

    `target` is the host as it is declared, `width` and `height` are in pixels; `verified` is None without a verdict.
    """

    target: str
    width: int
    height: int
    confidence: float
    recogniser: str
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class Bet:
    """A betting function of a p-value, whose mean is 1: `share` of its pay is for the `quantile` at one end.

    There it falls with the rank's `exponent`, as that of a power martingale does; elsewhere it is flat.
    """

    quantile: float
    share: float
    exponent: float = 0.0
    is_upper: bool = False

    def pay(self, p_value: float) -> float:
        """Return the factor by which the stake changes."""
        rank = max(1 - p_value if self.is_upper else p_value, SMALLEST_RANK)
        if rank > self.quantile:
            return (1 - self.share) / (1 - self.quantile)
        rest = 1 - self.exponent
        return self.share * rest / math.pow(self.quantile, rest) * math.pow(rank, -self.exponent)


_RARE = Bet(0.1, 0.5, 0.6)
_HALF = Bet(0.5, 0.8)
BETS: Mapping[DriftSignal, tuple[Bet, ...]] = {
    DriftSignal.SIZE: (_RARE,),
    DriftSignal.CONFIDENCE: (_RARE, replace(_RARE, is_upper=True)),
    # Where half of the answers are wrong already, that nearly all are shows in no tail smaller than half.
    DriftSignal.VERIFIED: (_RARE, _HALF, replace(_HALF, is_upper=True)),
}
"""Only what is rare counts: of two sizes that a site shows in turns neither is, however long the turns are."""


@dataclass(frozen=True, slots=True)
class SignalState:
    """One signal of one target: how often each value was seen, and the statistic of each of its bets.

    Values are sizes, or a size and a number (`160x60 47`).
    """

    counts: dict[str, int] = field(default_factory=dict)
    statistics: tuple[float, ...] = ()

    @property
    def visits(self) -> int:
        """How many visits showed this signal."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class CaptchaState:
    """All that is remembered of one target's captcha.

    `recognisers` have read in the baseline; `changes` counts the alarms so far, `signals` are those of the last one.
    """

    visits: int = 0
    recognisers: tuple[str, ...] = ()
    size: SignalState = SignalState()
    confidence: SignalState = SignalState()
    verified: SignalState = SignalState()
    changes: int = 0
    signals: tuple[DriftSignal, ...] = ()

    @property
    def is_learning(self) -> bool:
        """Whether the baseline has too few visits to tell a change by."""
        return self.visits < LEARNING_VISITS


def observe(state: CaptchaState, seen: CaptchaObservation, draw: Callable[[], float]) -> tuple[CaptchaState, bool]:
    """Return the state after one more visit, and whether the captcha has changed: then a new baseline begins.

    `draw` returns random numbers from 0 to 1, which break ties.
    """
    if seen.recogniser not in state.recognisers:
        state = _admit_recogniser(state, seen.recogniser)
    shown = _name_size(state, seen)
    size, is_size_new = _watch_size(state.size, shown, draw())
    kind = shown if shown in tuple(size.counts)[:RANKED_SIZES_LIMIT] else OTHER_SIZE
    confidence_bin = int(seen.confidence * CONFIDENCE_BINS)
    confidence, is_confidence_new = _watch_rank(DriftSignal.CONFIDENCE, state.confidence, kind, confidence_bin, draw())
    verified, is_verified_new = state.verified, False
    if seen.verified is not None:
        verified, is_verified_new = _watch_rank(DriftSignal.VERIFIED, state.verified, kind, int(seen.verified), draw())
    alarms = zip(DriftSignal, (is_size_new, is_confidence_new, is_verified_new), strict=True)
    signals = tuple(signal for signal, is_new in alarms if is_new)
    if signals:
        return CaptchaState(recognisers=state.recognisers, changes=state.changes + 1, signals=signals), True
    return replace(state, visits=state.visits + 1, size=size, confidence=confidence, verified=verified), False


def _admit_recogniser(state: CaptchaState, name: str) -> CaptchaState:
    """Begin a new baseline for a new model: by its confidence the captcha would seem to have changed.

    While the baseline is learned it is only noted: an ensemble's members, and workers during an upgrade, take turns.
    """
    if state.is_learning:
        return replace(state, recognisers=(*state.recognisers, name)[-RECOGNISERS_LIMIT:])
    return CaptchaState(recognisers=(name,), changes=state.changes, signals=state.signals)


def _name_size(state: CaptchaState, seen: CaptchaObservation) -> str:
    size = f"{seen.width}x{seen.height}"
    return size if size in state.size.counts or len(state.size.counts) < SIZES_LIMIT else OTHER_SIZE


def _watch_size(state: SignalState, size: str, tie: float) -> tuple[SignalState, bool]:
    """Rank a size by how rare it is."""
    counts = {**state.counts, size: state.counts.get(size, 0) + 1}
    visits = sum(counts.values())
    ranks = {known: min(count, COMMON_SHARE * visits) for known, count in counts.items()}
    rarer = sum(count for known, count in counts.items() if ranks[known] < ranks[size])
    equal = sum(count for known, count in counts.items() if ranks[known] == ranks[size])
    return _bet(DriftSignal.SIZE, state, counts, (rarer + tie * equal) / visits)


def _watch_rank(signal: DriftSignal, state: SignalState, kind: str, value: int, tie: float) -> tuple[SignalState, bool]:
    """Rank a number by how low it is among those of its kind."""
    name = f"{kind} {value}"
    counts = {**state.counts, name: state.counts.get(name, 0) + 1}
    alike = {int(other.partition(" ")[2]): count for other, count in counts.items() if other.startswith(f"{kind} ")}
    lower = sum(count for other, count in alike.items() if other < value)
    return _bet(signal, state, counts, (lower + tie * alike[value]) / sum(alike.values()))


def _bet(signal: DriftSignal, state: SignalState, counts: dict[str, int], p_value: float) -> tuple[SignalState, bool]:
    """Bet on a visit's p-value, and say whether the mean of the statistics reaches the threshold.

    The mean of martingales is one. Each signal has its share of the false alarms (Bonferroni).
    """
    if state.visits < LEARNING_VISITS:
        return SignalState(counts), False
    bets = BETS[signal]
    # Of another number after the signal was learned, or where another release with other bets has stored them.
    before: Sequence[float] = state.statistics if len(state.statistics) == len(bets) else (0.0,) * len(bets)
    statistics = tuple((old + 1) * bet.pay(p_value) for old, bet in zip(before, bets, strict=True))
    threshold = VISITS_PER_FALSE_ALARM * len(DriftSignal)
    return SignalState(counts, statistics), sum(statistics) / len(statistics) >= threshold
