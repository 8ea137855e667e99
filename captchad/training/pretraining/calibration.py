"""Makes a model's confidence honest: `python -m captchad.training.pretraining.calibration --model MODEL.onnx`.

Fresh pictures of the families the model was trained on, and pictures without text, are read with and without hints;
one half of them fits the calibration, which is written into the model's file, the other half measures it.
"""

import argparse
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

from rich.console import Console
from rich.progress import track

from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.calibration import Calibration, Curve
from captchad.recognition.captchad_engine import CALIBRATION_KEY, CaptchadEngine
from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, EvaluatedPicture
from captchad.recognition.evaluation.reliability import measure_reliability
from captchad.recognition.joint_reading import PictureReading
from captchad.recognition.model import load_model
from captchad.training.alphabet import spell_plainly
from captchad.training.export import write_description
from captchad.training.pictures.acceptance import is_right
from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.empty import EmptyFamily
from captchad.training.pictures.source import PictureSource, WeightedFamily
from captchad.training.pretraining.fitting import add_doubt, fit_curve, mark_characters, to_values
from captchad.training.sample import Sample

SEED = 424_242
SURE = 0.9
_PICTURES, _BATCH_PICTURES = 240, 16
_EMPTY_SHARE = 2
_NOTHING = "nothing"
# Of families' names, which recipes and packaged models hold.
_ARITHMETIC_ENDING = "-sum"


@dataclass(frozen=True, slots=True)
class ReadSample:
    """A picture's true answer beside what was read from it, and with which hints."""

    family: str
    answer: str
    truth: str
    hints: Hints
    found: PictureReading | None

    @property
    def is_right(self) -> bool:
        """Whether the generator would take the answer, unless the hints themselves say whether case matters."""
        if self.found is None or not self.answer:
            return False
        symbols = self.found.reading.symbols
        if self.found.kind is CaptchaKind.MATH:
            computed = read_arithmetic(symbols)
            symbols = "" if computed is None else str(computed.result)
        if self.hints.case_sensitive is None:
            return is_right(self.family, self.answer, symbols)
        return symbols == self.answer if self.hints.case_sensitive else symbols.lower() == self.answer.lower()


def draw_hints(sample: Sample, source: random.Random) -> Hints:
    """Return what a caller might know: nothing for every second picture, else alphabet and length, or the kind."""
    if not sample.text or source.random() < 1 / 2:
        return Hints()
    if sample.family.endswith(_ARITHMETIC_ENDING):
        return Hints(kind=CaptchaKind.MATH)
    length = len(sample.text) if source.random() < 1 / 2 else None
    is_case_known = None if source.random() < 1 / 2 else False
    return Hints(find_charset(sample.text), length, length, is_case_known, CaptchaKind.TEXT)


def find_charset(text: str) -> str:
    """Return the usual alphabet that a text is of."""
    parts = (digits, ascii_uppercase, ascii_lowercase)
    return "".join(part for part in parts if set(text) & set(part))


def read_samples(engine: CaptchadEngine, samples: Sequence[Sample], source: random.Random) -> list[ReadSample]:
    """Read drawn pictures; arithmetic without an integer result is left out."""
    read: list[ReadSample] = []
    for start in range(0, len(samples), _BATCH_PICTURES):
        batch = samples[start : start + _BATCH_PICTURES]
        hints = [draw_hints(sample, source) for sample in batch]
        for sample, hint, found in zip(batch, hints, engine.read([one.picture for one in batch], hints), strict=True):
            truth = spell_plainly(sample.text)
            computed = read_arithmetic(truth)
            if computed is None and sample.family.endswith(_ARITHMETIC_ENDING):
                continue
            answer = truth if computed is None else str(computed.result)
            read.append(ReadSample(sample.family, answer, truth, hint, found))
    return read


def fit(samples: Sequence[ReadSample]) -> dict[str, object]:
    """Fit what `Calibration.from_json` reads."""
    rated = [(sample, sample.found) for sample in samples if sample.found is not None]
    text = fit_text(rated)
    features: list[tuple[float, ...]] = []
    right: list[bool] = []
    for sample, found in rated:
        confidence = text.estimate(found.reading.features.as_tuple())
        logit = math.log(confidence / (1 - confidence))
        marks = mark_characters(found.reading.symbols, sample.truth)
        for scores, mark in zip(zip(*found.reading.symbol_scores, strict=True), marks, strict=True):
            features.append((min(scores), sum(scores) / len(scores), logit))
            right.append(mark)
    return {"text": to_values(text), "character": to_values(fit_curve(features, right)), "letter_case": {}}


def fit_text(rated: Sequence[tuple[ReadSample, PictureReading]]) -> Curve:
    """Fit the confidence of texts that explain all ink, then how far that of the others is lower."""
    rows = [(found.reading.features, sample.is_right) for sample, found in rated]
    plain, doubted = ([row for row in rows if (row[0].explained < 1) == is_doubted] for is_doubted in (False, True))
    curve = fit_curve([features.as_tuple() for features, _ in plain], [is_it for _, is_it in plain])
    return add_doubt(curve, [features.as_tuple() for features, _ in doubted], [is_it for _, is_it in doubted])


def measure(samples: Sequence[ReadSample], calibration: Calibration) -> str:
    """Describe how well calibrated it is on pictures it was not fitted on."""
    outcomes = [_rate(sample, calibration) for sample in samples]
    sure = [outcome for outcome in outcomes if outcome.confidence >= SURE]
    right = sum(CASE_COUNTS.is_right(outcome) for outcome in sure)
    empty = [outcome.confidence for sample, outcome in zip(samples, outcomes, strict=True) if not sample.answer]
    return (
        f"expected calibration error {measure_reliability(outcomes, CASE_COUNTS).expected_error:.3f}; "
        f"{len(sure) / len(outcomes):.1%} of the pictures at {SURE} or more, {right / max(1, len(sure)):.1%} of those "
        f"right; without text at most {max(empty, default=0):.3f}"
    )


def _rate(sample: ReadSample, calibration: Calibration) -> EvaluatedPicture:
    if sample.found is None:
        return EvaluatedPicture("", sample.answer or _NOTHING, "", 0.0, 0.0, 0.0)
    confidence = calibration.text.estimate(sample.found.reading.features.as_tuple())
    return EvaluatedPicture("", "right", "right" if sample.is_right else "wrong", confidence, 0.0, 0.0)


def draw_pictures(names: Sequence[str], pictures: int, seed: int) -> list[Sample]:
    """Draw as many pictures of each family, and more without text, in mixed order."""
    # A model reads text in some pictures without any, and its confidence has to be fitted on those too.
    wanted = dict.fromkeys(names, pictures) | {EmptyFamily.name: pictures * _EMPTY_SHARE}
    families = load_families(list(wanted))
    jobs = [(family, number) for family in families for number in range(wanted[family.name])]
    console = Console(stderr=True)
    sources = {family.name: PictureSource([WeightedFamily(family)], seed, augmented_share=0) for family in families}
    drawn = [sources[family.name].draw(number) for family, number in track(jobs, "drawing", console=console)]
    random.Random(seed).shuffle(drawn)
    return drawn


def main() -> None:
    """Calibrate the model of the command line and print how well."""
    parser = argparse.ArgumentParser(prog="python -m captchad.training.pretraining.calibration", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the model's file, which gets the calibration")
    parser.add_argument("--pictures", type=int, default=_PICTURES, help="pictures of each family")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    try:
        sys.stdout.write(f"{calibrate(given.model, given.pictures, given.seed)}\n")
    except (DependencyMissing, ValueError) as error:
        sys.exit(str(error))


def calibrate(path: Path, pictures: int = _PICTURES, seed: int = SEED) -> str:
    """Fit a calibration with so many pictures of each family into a model's file; return how well it fits others."""
    model = load_model(path)
    description = {key: value for key, value in model.description.items() if key != CALIBRATION_KEY}
    drawn = draw_pictures(sorted(description["recipe"]["families"]), pictures, seed)
    read = read_samples(CaptchadEngine(replace(model, description=description)), drawn, random.Random(seed))
    fitted = fit(read[::2])
    write_description(path, {**description, CALIBRATION_KEY: fitted})
    return f"{len(read)} pictures: {measure(read[1::2], Calibration.from_json(fitted))}"


if __name__ == "__main__":
    main()
