"""Refits a model's confidence to one target after a training: a slope and an intercept on the log odds it had."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.calibration import Curve, to_log_odds
from captchad.recognition.captchad_engine import CaptchadEngine
from captchad.training.reading import read_pictures, spell_reading
from captchad.training.sample import Sample

_SHRINKAGE = 2.0
"""How many pictures' worth the calibration as it came counts."""
_ROUNDS, _RATE = 400, 0.5
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rated:
    """Log odds that readings had before the refit, and how likely each is right as far as that is known (0..1)."""

    log_odds: Numbers
    right: Numbers


@dataclass(frozen=True, slots=True)
class Refit:
    """New log odds are slope * log odds + intercept; the losses are the mean log losses of pictures not fitted on."""

    slope: float
    intercept: float
    loss_before: float
    loss_after: float

    @property
    def is_better(self) -> bool:
        """Whether it tells right from wrong better than what there was, on pictures it was not fitted on."""
        return self.loss_after < self.loss_before


def recalibrate(
    engine: CaptchadEngine, values: dict[str, Any] | None, right: Sequence[Sample], refused: Sequence[Sample] = ()
) -> tuple[dict[str, Any] | None, Refit | None]:
    """Return a model's calibration (None: it has none), refitted on pictures new to it if that is better."""
    if values is None:
        return None, None
    found = refit(rate(engine, right, refused))
    return (adjust(values, found) if found.is_better else values), found


def rate(engine: CaptchadEngine, right: Sequence[Sample], refused: Sequence[Sample]) -> Rated:
    """Read pictures whose text is known, and others of which it is known what they do not say.

    Of a refused picture that is read otherwise than it was refused nobody knows whether that is right: it counts as
    likely right as the engine says, and so changes nothing.
    """
    known, unknown = _read(engine, right), _read(engine, refused)
    targets = [float(is_right) for is_right, _ in known]
    targets += [0.0 if is_the_same else confidence for is_the_same, confidence in unknown]
    log_odds = [to_log_odds(confidence) for _, confidence in known + unknown]
    return Rated(np.array(log_odds), np.array(targets))


def refit(rated: Rated) -> Refit:
    """Fit on all pictures; measure with fits on every second one, each by the others."""
    halves = [np.arange(len(rated.right)) % 2 == number for number in (0, 1)]
    losses = []
    for half in halves:
        slope, intercept = _fit(rated.log_odds[~half], rated.right[~half])
        losses.append(_measure_losses(slope * rated.log_odds[half] + intercept, rated.right[half]))
    before = _measure_losses(rated.log_odds, rated.right)
    slope, intercept = _fit(rated.log_odds, rated.right)
    return Refit(slope, intercept, float(before.mean()), float(np.concatenate(losses).mean()))


def adjust(values: dict[str, Any], found: Refit) -> dict[str, Any]:
    """Return a calibration as models hold it, with the refit's text curve."""
    return values | {"text": Curve.from_json(values["text"]).adjust(found.slope, found.intercept).to_json()}


def _fit(log_odds: Numbers, right: Numbers) -> tuple[float, float]:
    slope, intercept = 1.0, 0.0
    scale = 1.0 + float(np.mean(log_odds**2)) if len(log_odds) else 1.0
    for _ in range(_ROUNDS):
        error = _to_probabilities(slope * log_odds + intercept) - right
        weight = len(right) + _SHRINKAGE
        # A slope below 0 would turn sure readings into doubtful ones.
        slope = max(0.0, slope - _RATE / scale * (float(error @ log_odds) + _SHRINKAGE * (slope - 1)) / weight)
        intercept -= _RATE * (float(error.sum()) + _SHRINKAGE * intercept) / weight
    return slope, intercept


def _measure_losses(log_odds: Numbers, right: Numbers) -> Numbers:
    return np.logaddexp(0, log_odds) - right * log_odds


def _to_probabilities(log_odds: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-log_odds))


def _read(engine: CaptchadEngine, samples: Sequence[Sample]) -> list[tuple[bool, float]]:
    """Return of each picture whether its sample's text was read, and with which confidence."""
    found = read_pictures(engine, [sample.picture for sample in samples])
    return [(spell_reading(one) == sample.text, one.confidence) for sample, one in zip(samples, found, strict=True)]
