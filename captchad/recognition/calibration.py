"""From a reading's features to a probability: a logistic score and a monotone curve, fitted on labelled pictures."""

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from itertools import pairwise
from typing import Any, Self

from captchad.domain.errors import DependencyMissing

_DOUBT, _PLAIN_REACH = 0.5, 10
# The log odds must stay finite.
LEAST_CONFIDENCE, GREATEST_CONFIDENCE = 0.001, 0.999


@dataclass(frozen=True, slots=True)
class Curve:
    """A monotone probability: weights (none negative) give a score, the knots (both rising) its probability."""

    weights: tuple[float, ...]
    bias: float
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        # See ReadingFeatures: more of a feature never makes a reading less likely.
        if any(weight < 0 for weight in self.weights):
            raise ValueError("a calibration's weights must not be negative")
        if len(self.scores) != len(self.probabilities) or not self.scores:
            raise ValueError("a calibration's knots must come in pairs")
        if any(a > b for knots in (self.scores, self.probabilities) for a, b in pairwise(knots)):
            raise ValueError("a calibration's knots must not fall")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read one curve as the fitting program writes it."""
        return cls(tuple(values["weights"]), values["bias"], tuple(values["scores"]), tuple(values["probabilities"]))

    def to_json(self) -> dict[str, Any]:
        """Return the curve as `from_json` reads it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def adjust(self, slope: float, intercept: float) -> "Curve":
        """Return the curve with slope * log odds + intercept as its log odds; the slope must not be negative."""
        adjusted = tuple(_to_probability(slope * to_log_odds(one) + intercept) for one in self.probabilities)
        return replace(self, probabilities=adjusted)

    def extend(self, features: int) -> "Curve":
        """Return the curve for so many features, those that it was not fitted to weighing nothing."""
        return replace(self, weights=self.weights + (0.0,) * (features - len(self.weights)))

    def weigh(self, features: Sequence[float]) -> float:
        """Return the score of a row of features."""
        return self.bias + sum(weight * value for weight, value in zip(self.weights, features, strict=True))

    def estimate(self, features: Sequence[float]) -> float:
        """Return the probability (0..1) that a reading with these features is right."""
        score = self.weigh(features)
        above = bisect_right(self.scores, score)
        if above == 0:
            estimate = self.probabilities[0]
        elif above == len(self.scores):
            estimate = self.probabilities[-1]
        else:
            low, high = self.scores[above - 1], self.scores[above]
            share = (score - low) / (high - low)
            estimate = self.probabilities[above - 1] + share * (
                self.probabilities[above] - self.probabilities[above - 1]
            )
        return min(max(estimate, LEAST_CONFIDENCE), GREATEST_CONFIDENCE)


@dataclass(frozen=True, slots=True)
class LetterCase:
    """For each letter what its two columns say of its case: a weight for each network, and a bias."""

    weights: Mapping[str, tuple[tuple[float, ...], float]]

    def log_odds(self, letter: str, ratios: Sequence[float]) -> float:
        """Return the log odds that a letter (given in lower case) is upper case; 0 where nothing is known."""
        if letter not in self.weights:
            return 0.0
        weights, bias = self.weights[letter]
        return bias + sum(weight * ratio for weight, ratio in zip(weights, ratios, strict=True))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything that was fitted for one engine."""

    text: Curve
    character: Curve
    letter_case: LetterCase

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a calibration as the fitting program writes it."""
        letters = {letter: (tuple(weights), bias) for letter, (weights, bias) in values["letter_case"].items()}
        return cls(Curve.from_json(values["text"]), Curve.from_json(values["character"]), LetterCase(letters))

    def character_confidence(self, scores: Sequence[float], text_confidence: float) -> float:
        """Return the probability that one character is right, never below that of the whole text."""
        logit = to_log_odds(text_confidence)
        # If the whole text is right, so is each character.
        return max(self.character.estimate((min(scores), sum(scores) / len(scores), logit)), text_confidence)


def to_log_odds(probability: float) -> float:
    """Return a probability's log odds, finite ones also for 0 and 1."""
    probability = min(max(probability, LEAST_CONFIDENCE), GREATEST_CONFIDENCE)
    return math.log(probability / (1 - probability))


def _to_probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def make_plain_calibration() -> Calibration:
    """Make the calibration of a model without one: half of its own probability."""
    scores = tuple(float(score) for score in range(-_PLAIN_REACH, 1))
    probabilities = tuple(_DOUBT * math.exp(score) for score in scores)
    text = Curve((1.0, *[0.0] * 8), 0.0, scores, probabilities)
    return Calibration(text, Curve((0.0, 1.0, 0.0), 0.0, scores, probabilities), LetterCase({}))


def load_calibration(name: str) -> Calibration:
    """Load a calibration of this package's `models` folder by its name."""
    try:
        text = resources.files("captchad.recognition").joinpath("models", f"{name}.json").read_text(encoding="utf-8")
        return Calibration.from_json(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DependencyMissing(f"the calibration {name} can't be read ({error}); reinstall captchad") from error
