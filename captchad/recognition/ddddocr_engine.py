"""The engine `ddddocr`: both text networks of the ddddocr wheel, decoded together, masked, bounded and calibrated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.recognition import CaptchaKind, Character, Hints, Recognition
from captchad.recognition.alphabet import (
    EQUALS,
    LEAST_PROBABILITY,
    Alphabet,
    Columns,
    make_arithmetic_alphabet,
    make_text_alphabet,
)
from captchad.recognition.calibration import Calibration, load_calibration
from captchad.recognition.decoding import Pixels, is_blank
from captchad.recognition.joint_reading import PictureReading, Reading, is_seen, mask_outputs, read_jointly
from captchad.recognition.letter_case import CasedText, apply_case
from captchad.recognition.network import PACKAGE, Network, NetworkSource, Probabilities, load_network

CALIBRATION_NAME = "ddddocr_engine"
NETWORK_SOURCES = (
    # Both, widened: together they read at least as well as the better one, and whether they agree is the best sign of
    # being right (docs/recognition.md).
    NetworkSource("common_old.onnx", "CHARSET_OLD", stretch=1.2),
    NetworkSource("common.onnx", "CHARSET_BETA", stretch=1.2),
)
NO_READING_CONFIDENCE = 0.0


@dataclass(frozen=True, slots=True)
class PreparedAlphabet:
    """An alphabet with its columns in each network."""

    alphabet: Alphabet
    columns: tuple[Columns, ...]


class DdddocrEngine:
    """Reads text and arithmetic; docs/recognition.md has its measured accuracy."""

    largest_batch = 1

    def __init__(self, networks: Sequence[Network], calibration: Calibration) -> None:
        self.name = _name_engine()
        self._networks = tuple(networks)
        self._calibration = calibration
        self._arithmetic = self._prepare(make_arithmetic_alphabet())
        self._texts = self._prepare(make_text_alphabet(None))

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text means that nothing could be read."""
        return [self._recognise_one(picture, hint) for picture, hint in zip(pictures, hints, strict=True)]

    def read(self, pixels: Pixels, hints: Hints) -> PictureReading | None:
        """Read one picture without calibrating; None where there is nothing to be read."""
        if is_blank(pixels):
            return None
        outputs = [network.run(pixels) for network in self._networks]
        if hints.kind is CaptchaKind.MATH:
            return self._read_arithmetic(outputs, hints)
        text = self._read_text(outputs, hints)
        if hints.kind is CaptchaKind.TEXT or hints.charset is not None:
            return text
        found = self._read_unannounced_arithmetic(outputs, hints)
        if found is None:
            return text
        return found if text is None or found.reading.total_score > text.reading.total_score else text

    def _prepare(self, alphabet: Alphabet) -> "PreparedAlphabet":
        return PreparedAlphabet(alphabet, tuple(alphabet.locate(network.charset) for network in self._networks))

    def _read_text(self, outputs: Sequence[Probabilities], hints: Hints) -> PictureReading | None:
        prepared = self._texts if hints.charset is None else self._prepare(make_text_alphabet(hints.charset))
        reading = read_jointly(mask_outputs(outputs, prepared.columns), prepared.alphabet, hints, _accept_any)
        if reading is None:
            return None
        return PictureReading(reading, CaptchaKind.TEXT, self._compare_cases(outputs, reading))

    def _read_unannounced_arithmetic(self, outputs: Sequence[Probabilities], hints: Hints) -> PictureReading | None:
        """Read arithmetic that no hint announced: only where an equals sign is seen."""
        if not is_seen(EQUALS, mask_outputs(outputs, self._arithmetic.columns), self._arithmetic.alphabet):
            return None
        found = self._read_arithmetic(outputs, hints)
        return found if found is not None and EQUALS in found.reading.symbols else None

    def _read_arithmetic(self, outputs: Sequence[Probabilities], hints: Hints) -> PictureReading | None:
        def accept(symbols: str) -> bool:
            found = read_arithmetic(symbols)
            return found is not None and _keeps_lengths(str(found.result), hints)

        reading = read_jointly(
            mask_outputs(outputs, self._arithmetic.columns), self._arithmetic.alphabet, Hints(), accept
        )
        return None if reading is None else PictureReading(reading, CaptchaKind.MATH, ())

    def _compare_cases(self, outputs: Sequence[Probabilities], reading: Reading) -> tuple[tuple[float, ...], ...]:
        """Return for each symbol and network how much likelier (log) the upper case's column is than the lower's."""
        return tuple(
            tuple(
                _case_ratio(output[steps[position]], network.column_of(symbol), network.column_of(symbol.upper()))
                for network, output, steps in zip(self._networks, outputs, reading.steps, strict=True)
            )
            for position, symbol in enumerate(reading.symbols)
        )

    def answer(self, found: PictureReading, hints: Hints) -> Recognition:
        """Return a reading as a recognition with its letter case and calibrated confidences."""
        return (
            self._answer_arithmetic(found.reading)
            if found.kind is CaptchaKind.MATH
            else self._answer_text(found, hints)
        )

    def _recognise_one(self, pixels: Pixels, hints: Hints) -> Recognition:
        found = self.read(pixels, hints)
        if found is None:
            return Recognition("", NO_READING_CONFIDENCE, self.name, hints.kind or CaptchaKind.TEXT)
        return self.answer(found, hints)

    def _answer_arithmetic(self, reading: Reading) -> Recognition:
        found = read_arithmetic(reading.symbols)
        confidence = self._calibration.text.estimate(reading.features.as_tuple())
        return Recognition(
            text="" if found is None else str(found.result),
            confidence=round(confidence, 4),
            recogniser=self.name,
            kind=CaptchaKind.MATH,
            characters=self._rate_characters(reading.symbols, reading, confidence),
            expression=None if found is None else found.expression,
        )

    def _answer_text(self, found: PictureReading, hints: Hints) -> Recognition:
        reading = found.reading
        cased = self._decide_case(found, hints)
        # The letters and their case are decided from different evidence, so the text is right only if both are.
        confidence = self._calibration.text.estimate(reading.features.as_tuple()) * cased.confidence
        return Recognition(
            text=cased.text,
            confidence=round(confidence, 4),
            recogniser=self.name,
            characters=self._rate_characters(cased.text, reading, confidence),
        )

    def _decide_case(self, found: PictureReading, hints: Hints) -> CasedText:
        symbols = found.reading.symbols
        log_odds = [
            self._calibration.letter_case.log_odds(symbol, ratios)
            for symbol, ratios in zip(symbols, found.case_ratios, strict=True)
        ]
        return apply_case(symbols, log_odds, hints)

    def _rate_characters(self, text: str, reading: Reading, confidence: float) -> tuple[Character, ...]:
        """Rate the characters as they were read; of arithmetic these are the characters of the expression."""
        of_symbols = zip(*reading.symbol_scores, strict=True)
        return tuple(
            Character(character, round(self._calibration.character_confidence(scores, confidence), 4))
            for character, scores in zip(text, of_symbols, strict=True)
        )


def load_ddddocr_engine() -> DdddocrEngine:
    """Load networks and calibration; takes most of a second and about 200 MB."""
    return DdddocrEngine([load_network(source) for source in NETWORK_SOURCES], load_calibration(CALIBRATION_NAME))


def _name_engine() -> str:
    try:
        return f"{PACKAGE}-{version(PACKAGE)}"
    except PackageNotFoundError:
        return PACKAGE


def _accept_any(symbols: str) -> bool:
    return True


def _keeps_lengths(text: str, hints: Hints) -> bool:
    return len(text) >= (hints.min_length or 0) and (hints.max_length is None or len(text) <= hints.max_length)


def _case_ratio(step: Probabilities, lower: int | None, upper: int | None) -> float:
    if lower is None or upper is None:
        return 0.0
    return math.log(max(float(step[upper]), LEAST_PROBABILITY)) - math.log(max(float(step[lower]), LEAST_PROBABILITY))
