"""Fits the first engine's calibration on seeded pictures, writes it, and measures it on others.

    python -m tests.benchmarks.fit_ddddocr_engine_calibration --seed 1

Optional packages with further families: gvcode, multicolorcaptcha, flask-simple-captcha.
"""

import argparse
import json
import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import captchad.recognition
from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.calibration import Calibration, Curve, LetterCase
from captchad.recognition.ddddocr_engine import (
    CALIBRATION_NAME,
    NETWORK_SOURCES,
    DdddocrEngine,
)
from captchad.recognition.decoding import decode_picture
from captchad.recognition.joint_reading import PictureReading
from captchad.recognition.network import load_network
from captchad.training.pretraining.fitting import fit_curve, fit_logistic, mark_characters, to_values
from tests.benchmarks.captcha_families import FITTED, UNSEEN, LabelledPicture, find_available

KNOTS = 14
MODEL_PATH = Path(captchad.recognition.__file__).parent / "models" / f"{CALIBRATION_NAME}.json"
UNFITTED = Calibration(Curve((0.0,) * 6, 0.0, (0.0,), (0.5,)), Curve((0.0,) * 3, 0.0, (0.0,), (0.5,)), LetterCase({}))
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One picture with what was read from it."""

    family: str
    labelled: LabelledPicture
    hints: Hints
    found: PictureReading | None

    @property
    def is_right(self) -> bool:
        """Whether the text is right but for its case."""
        if self.found is None or self.labelled.truth is None:
            return False
        if self.found.kind is CaptchaKind.MATH:
            computed = read_arithmetic(self.found.reading.symbols)
            return computed is not None and str(computed.result) == self.labelled.truth
        return self.found.reading.symbols == self.labelled.truth.lower()


def draw_hints(source: random.Random, labelled: LabelledPicture) -> Hints:
    """Return what a caller might know: mostly nothing."""
    if labelled.truth is None:
        return Hints()
    kind = labelled.kind if source.random() < 0.5 else None
    charset = labelled.charset if source.random() < 0.2 and labelled.kind is CaptchaKind.TEXT else None
    length = len(labelled.truth) if source.random() < 0.2 else None
    return Hints(charset=charset, min_length=length, max_length=length, kind=kind)


def collect(engine: DdddocrEngine, name: str, count: int, seed: str) -> list[Sample]:
    """Draw and read `count` pictures of one family."""
    family = find_available({**FITTED, **UNSEEN})[name]
    source = random.Random(f"{seed}/{name}")
    samples = []
    for _ in range(count):
        labelled = family(source)
        hints = draw_hints(source, labelled)
        samples.append(Sample(name, labelled, hints, engine.read(decode_picture(labelled.picture), hints)))
    return samples


def fit_letter_case(samples: Sequence[Sample]) -> LetterCase:
    """Fit for each letter how its columns tell the case, on texts read right."""
    seen: dict[str, list[tuple[tuple[float, ...], bool]]] = defaultdict(list)
    for sample in samples:
        if sample.is_right and sample.found is not None and sample.found.kind is CaptchaKind.TEXT:
            for character, ratios in zip(sample.labelled.truth or "", sample.found.case_ratios, strict=True):
                if character.isalpha():
                    seen[character.lower()].append((ratios, character.isupper()))
    fitted = {}
    for letter, rows in sorted(seen.items()):
        cases = {is_upper for _, is_upper in rows}
        if len(rows) >= 20 and len(cases) == 2:
            # A share of both cases of every letter keeps the prior of the alphabet out of it.
            weights, bias = fit_logistic(
                np.array([ratios for ratios, _ in rows]), np.array([float(is_upper) for _, is_upper in rows]), 2000
            )
            upper_share = sum(is_upper for _, is_upper in rows) / len(rows)
            prior = math.log(upper_share / (1 - upper_share))
            fitted[letter] = (tuple(round(w, 4) for w in weights), round(bias - prior, 4))
    return LetterCase(fitted)


def fit_characters(samples: Sequence[Sample], text: Curve) -> Curve:
    """Fit the probability of single characters on the texts' own."""
    features: list[tuple[float, ...]] = []
    right: list[bool] = []
    for sample in samples:
        if sample.found is None or sample.found.kind is CaptchaKind.MATH:
            continue
        confidence = text.estimate(sample.found.reading.features.as_tuple())
        logit = math.log(confidence / (1 - confidence))
        marks = mark_characters(sample.found.reading.symbols, (sample.labelled.truth or "").lower())
        for scores, mark in zip(zip(*sample.found.reading.symbol_scores, strict=True), marks, strict=True):
            features.append((min(scores), sum(scores) / len(scores), logit))
            right.append(mark)
    return fit_curve(features, right)


def write_model(calibration: Calibration, path: Path) -> None:
    """Write a calibration as `Calibration.from_json` reads it."""

    values = {
        "text": to_values(calibration.text),
        "character": to_values(calibration.character),
        "letter_case": calibration.letter_case.weights,
    }
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def measure_error(confidences: Matrix, right: Matrix, groups: int = 10) -> float:
    """Return the expected calibration error over equal bins of confidence."""
    numbers = np.minimum((confidences * groups).astype(int), groups - 1)
    return float(
        sum(
            abs(confidences[numbers == k].mean() - right[numbers == k].mean()) * np.mean(numbers == k)
            for k in range(groups)
            if np.any(numbers == k)
        )
    )


def report(engine: DdddocrEngine, samples: dict[str, list[Sample]]) -> None:
    """Print a table row for each family, and for the fitted and the unseen together."""
    print("| family | pictures | right | ECE | share at >= 0.9 | right there | highest confidence |")
    print("|---|---|---|---|---|---|---|")
    rows = {name: rate_family(engine, family) for name, family in samples.items()}
    joined = {
        "all fitted families": np.concatenate([rows[name] for name in rows if name in FITTED]),
        "all unseen families": np.concatenate([rows[name] for name in rows if name in UNSEEN] or [np.zeros((0, 2))]),
    }
    for name, row in {**rows, **joined}.items():
        if not len(row):
            continue
        confidences, right = row.T
        sure = confidences >= 0.9
        precision = f"{right[sure].mean():.1%}" if sure.any() else "-"
        print(
            f"| {name} | {len(row)} | {right.mean():.1%} | {measure_error(confidences, right):.3f} "
            f"| {sure.mean():.1%} | {precision} | {confidences.max():.3f} |"
        )


def rate_family(engine: DdddocrEngine, samples: Sequence[Sample]) -> Matrix:
    """Return for each sample its confidence, and 1 where it is right (case counts unless the hints say otherwise)."""
    rows = []
    for sample in samples:
        if sample.found is None:
            rows.append((0.0, 0.0))
            continue
        recognition = engine.answer(sample.found, sample.hints)
        is_right = (
            sample.is_right if sample.hints.case_sensitive is False else recognition.text == sample.labelled.truth
        )
        rows.append((recognition.confidence, float(is_right)))
    return np.array(rows)


def main() -> None:
    """Fit, write and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--train", type=int, default=400, help="pictures of each family to fit on")
    parser.add_argument("--test", type=int, default=250, help="pictures of each family to measure on")
    options = parser.parse_args()
    networks = [load_network(source) for source in NETWORK_SOURCES]
    reader = DdddocrEngine(networks, UNFITTED)
    training = [
        sample
        for name in find_available(FITTED)
        for sample in collect(reader, name, options.train, f"fit {options.seed}")
    ]
    read = [sample for sample in training if sample.found is not None]
    text = fit_curve([s.found.reading.features.as_tuple() for s in read if s.found], [s.is_right for s in read])
    calibration = Calibration(text, fit_characters(read, text), fit_letter_case(read))
    write_model(calibration, MODEL_PATH)
    engine = DdddocrEngine(networks, Calibration.from_json(json.loads(MODEL_PATH.read_text(encoding="utf-8"))))
    families = find_available({**FITTED, **UNSEEN})
    samples = {name: collect(engine, name, options.test, f"measure {options.seed}") for name in families}
    print("Case counts (no hint about it):\n")
    report(engine, samples)
    print("\nCase does not count (case_sensitive: false):\n")
    folded = {
        name: [replace(s, hints=replace(s.hints, case_sensitive=False)) for s in family]
        for name, family in samples.items()
    }
    report(engine, folded)


if __name__ == "__main__":
    main()
