"""Makes the wide model's confidence honest: a curve through what it reads right, with hints and without."""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits

from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.charsets import ARABIC_DIGITS, CYRILLIC, PERSIAN_DIGITS
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.calibration import Calibration
from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, EvaluatedPicture
from captchad.recognition.evaluation.reliability import measure_reliability
from captchad.recognition.joint_reading import PictureReading
from captchad.recognition.wide_engine import WideEngine
from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.empty import EmptyFamily
from captchad.training.pictures.source import PictureSource, WeightedFamily
from captchad.training.pictures.wide import Division, WideFamily
from captchad.training.pictures.wide_texts import TEXTS
from captchad.training.pretraining.fitting import fit_curve, mark_characters, to_values
from captchad.training.sample import Sample

SURE = 0.9
PLAIN_FAMILIES = ("synthetic", "synthetic-sum", "designs", EmptyFamily.name)
"""The packaged model's own alphabet, and no text at all."""

_HINTED_SHARE = 0.4
_BATCH_PICTURES = 8
_CHARSETS: Mapping[str, str] = {
    "wide-cyrillic": CYRILLIC,
    "wide-latin": ascii_letters + digits + "@#$%&*!?^+=-",
}


@dataclass(frozen=True, slots=True)
class WideReading:
    """A picture's true answer (empty where there is none) beside what was read of it."""

    family: str
    answer: str
    shown: str
    found: PictureReading | None

    @property
    def text(self) -> str:
        """What the engine answers."""
        if self.found is None:
            return ""
        symbols = self.found.reading.symbols
        if self.found.kind is not CaptchaKind.MATH:
            return symbols
        worked_out = read_arithmetic(symbols)
        return "" if worked_out is None else str(worked_out.result)

    @property
    def is_right(self) -> bool:
        """Whether that is the true answer."""
        return bool(self.answer) and self.text == self.answer


def draw_wide(division: Division, pictures: int, seed: int, plain_pictures: int | None = None) -> list[Sample]:
    """Draw as many pictures of each wide family, with a division's fonts, and half as many of each plain one."""
    families = {WideFamily(name, division): pictures for name in TEXTS}
    plain = pictures // 2 if plain_pictures is None else plain_pictures
    counts = [*families.items(), *((family, plain) for family in load_families(PLAIN_FAMILIES))]
    drawn: list[Sample] = []
    for family, count in counts:
        source = PictureSource([WeightedFamily(family)], seed, augmented_share=0.3)
        drawn += [source.draw(number) for number in range(count)]
    random.Random(seed).shuffle(drawn)  # noqa: S311 - not for secrets
    return drawn


def read_wide(engine: WideEngine, samples: Sequence[Sample]) -> list[WideReading]:
    """Read drawn pictures, some of them with hints; arithmetic without an integer result is left out."""
    source = random.Random(len(samples))  # noqa: S311 - not for secrets
    kept = [(sample, answer) for sample in samples if (answer := _find_answer(sample)) is not None]
    read: list[WideReading] = []
    for start in range(0, len(kept), _BATCH_PICTURES):
        batch = kept[start : start + _BATCH_PICTURES]
        hints = [_draw_hints(sample, source) for sample, _ in batch]
        found = engine.read([sample.picture for sample, _ in batch], hints)
        read += [
            WideReading(sample.family, answer, sample.text, reading)
            for (sample, answer), reading in zip(batch, found, strict=True)
        ]
    return read


def fit_wide(readings: Sequence[WideReading]) -> dict[str, object]:
    """Fit what `Calibration.from_json` reads."""
    rated = [(one, one.found.reading) for one in readings if one.found is not None]
    text = fit_curve([reading.features.as_tuple() for _, reading in rated], [one.is_right for one, _ in rated])
    features: list[tuple[float, ...]] = []
    right: list[bool] = []
    for one, reading in rated:
        confidence = text.estimate(reading.features.as_tuple())
        logit = math.log(confidence / (1 - confidence))
        marks = mark_characters(reading.symbols, one.shown)
        for scores, mark in zip(zip(*reading.symbol_scores, strict=True), marks, strict=True):
            features.append((min(scores), sum(scores) / len(scores), logit))
            right.append(mark)
    return {"text": to_values(text), "character": to_values(fit_curve(features, right)), "letter_case": {}}


def measure_wide(readings: Sequence[WideReading], calibration: Calibration) -> str:
    """Describe what is read of each family, and how honest the confidence is."""
    outcomes = [(one, _rate(one, calibration)) for one in readings]
    sure = [one.is_right for one, confidence in outcomes if confidence >= SURE]
    evaluated = [
        EvaluatedPicture("", "right", "right" if one.is_right else "wrong", confidence, 0.0, 0.0)
        for one, confidence in outcomes
    ]
    of_family: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for one, confidence in outcomes:
        of_family[one.family].append((one.is_right, confidence))
    rows = [
        f"{family}: {sum(right for right, _ in rows) / len(rows):.1%} of {len(rows)} right, "
        f"mean confidence {sum(confidence for _, confidence in rows) / len(rows):.3f}"
        for family, rows in sorted(of_family.items())
    ]
    error = measure_reliability(evaluated, CASE_COUNTS).expected_error
    covered = f"{len(sure) / len(outcomes):.1%} at {SURE} or more, {sum(sure) / max(1, len(sure)):.1%} of those right"
    return "\n".join([*rows, f"expected calibration error {error:.3f}; {covered}"])


def _rate(one: WideReading, calibration: Calibration) -> float:
    return 0.0 if one.found is None else calibration.text.estimate(one.found.reading.features.as_tuple())


def _find_answer(sample: Sample) -> str | None:
    if not sample.family.endswith("-sum"):
        return sample.text
    # Between numbers an x is a sign.
    computed = read_arithmetic(sample.text.replace("x", "×"))
    return None if computed is None else str(computed.result)


def _draw_hints(sample: Sample, source: random.Random) -> Hints:
    if source.random() >= _HINTED_SHARE or not sample.text:
        return Hints()
    if sample.family.endswith("-sum"):
        return Hints(kind=CaptchaKind.MATH)
    charset = _CHARSETS.get(sample.family)
    if sample.family == "wide-arabic-digits":
        charset = ARABIC_DIGITS if set(sample.text) <= set(ARABIC_DIGITS) else PERSIAN_DIGITS
    length = len(sample.text) if source.random() < 1 / 2 else None
    return Hints(charset, length, length)
