"""Fits a calibration's curves: a logistic regression, then a monotone curve through its scores."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.calibration import Curve

KNOTS = 24
_TAIL_EDGES = (1 / 8, 1 / 4, 1 / 2)
_ROUNDS, _RATE, _SHRINKAGE = 6000, 0.5, 1e-4
_LEAST_SPREAD = 1e-9
_DOUBT_LIMIT, _DOUBT_STEP = 30.0, 0.5
Matrix = NDArray[np.float64]


def fit_curve(evidence: Sequence[Sequence[float]], right: Sequence[bool], knots: int = KNOTS) -> Curve:
    """Fit the weights, then a rising curve through groups of neighbouring scores.

    `evidence` has a row for each text or character, `right` says which of them are right.
    """
    features, targets = np.array(evidence, dtype=float), np.array(right, dtype=float)
    weights, bias = fit_logistic(features, targets)
    scores = features @ np.array(weights) + bias
    means = [
        _place_knot(scores[group], targets[group])
        for group in np.split(np.argsort(scores), _choose_edges(len(scores), knots))
        if len(group) > 0
    ]
    pooled = pool_violators(means)
    return Curve(tuple(weights), bias, tuple(score for score, _ in pooled), tuple(share for _, share in pooled))


def add_doubt(curve: Curve, evidence: Sequence[Sequence[float]], right: Sequence[bool]) -> Curve:
    """Return a curve that weighs its last feature, at most 1, by what is right where that is less.

    Fitted together with the others, so rare a feature would bend the curve of all pictures.
    """
    if not evidence:
        return curve
    plain = replace(curve, weights=(*curve.weights[:-1], 0.0))
    candidates = [
        replace(plain, weights=(*plain.weights[:-1], weight), bias=plain.bias - weight)
        for weight in np.arange(0, _DOUBT_LIMIT + _DOUBT_STEP, _DOUBT_STEP).tolist()
    ]
    return max(candidates, key=lambda candidate: _log_likelihood(candidate, evidence, right))


def _log_likelihood(curve: Curve, evidence: Sequence[Sequence[float]], right: Sequence[bool]) -> float:
    estimates = map(curve.estimate, evidence)
    return sum(math.log(share if is_it else 1 - share) for share, is_it in zip(estimates, right, strict=True))


def _place_knot(scores: Matrix, targets: Matrix) -> tuple[float, float, int]:
    # Smoothed by one pseudo-picture, right with the probability of the logistic regression.
    score = float(scores.mean())
    return score, (float(targets.sum()) + 1 / (1 + math.exp(-score))) / (len(scores) + 1), len(scores)


def _choose_edges(count: int, knots: int) -> list[int]:
    """Divide the scores into equal groups, and the outer ones again: a small change of score matters most there."""
    inner = np.arange(1, knots) / knots
    tail = np.array(_TAIL_EDGES) / knots
    return [round(float(share * count)) for share in np.concatenate((tail, inner, 1 - tail[::-1]))]


def fit_logistic(
    features: Matrix, right: Matrix, rounds: int = _ROUNDS, rate: float = _RATE
) -> tuple[list[float], float]:
    """Fit a logistic regression whose weights can't be negative, by projected gradient on scaled features."""
    centre, scale = features.mean(axis=0), features.std(axis=0) + _LEAST_SPREAD
    scaled = (features - centre) / scale
    weights, bias = np.zeros(features.shape[1]), 0.0
    for _ in range(rounds):
        error = 1 / (1 + np.exp(-(scaled @ weights + bias))) - right
        weights = np.maximum(0.0, weights - rate * (scaled.T @ error / len(right) + _SHRINKAGE * weights))
        bias -= rate * float(error.mean())
    # A feature that was constant on these pictures says nothing about others.
    unscaled = np.where(scale > 2 * _LEAST_SPREAD, weights / scale, 0.0)
    return [float(weight) for weight in unscaled], float(bias - unscaled @ centre)


def pool_violators(knots: Iterable[tuple[float, float, int]]) -> list[tuple[float, float]]:
    """Merge neighbouring knots (score, probability, count) until the probabilities rise."""
    pools: list[list[float]] = []
    for score, probability, count in knots:
        pools.append([score, probability, count])
        while len(pools) > 1 and pools[-2][1] >= pools[-1][1]:
            upper, lower = pools.pop(), pools.pop()
            total = lower[2] + upper[2]
            pools.append([(lower[k] * lower[2] + upper[k] * upper[2]) / total for k in range(2)] + [total])
    return [(round(score, 4), round(probability, 4)) for score, probability, _ in pools]


def mark_characters(text: str, truth: str) -> list[bool]:
    """Say of each character whether it belongs to the longest common alignment with the truth."""
    marks = [False] * len(text)
    for block in SequenceMatcher(None, text, truth, autojunk=False).get_matching_blocks():
        marks[block.a : block.a + block.size] = [True] * block.size
    return marks


def to_values(curve: Curve) -> dict[str, object]:
    """Return a curve as `Curve.from_json` reads it."""
    return {
        "weights": [round(weight, 5) for weight in curve.weights],
        "bias": round(curve.bias, 5),
        "scores": list(curve.scores),
        "probabilities": list(curve.probabilities),
    }
