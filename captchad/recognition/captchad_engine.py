"""captchad's own engine: its model's columns masked by the hints, searched, worked out and calibrated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Character, Hints, Recognition
from captchad.recognition.alphabet import EQUALS, OPERATORS, QUESTION, Alphabet, Columns, make_cased_alphabet
from captchad.recognition.arithmetic import read_sum
from captchad.recognition.calibration import Calibration, make_plain_calibration
from captchad.recognition.ctc import LogProbabilities
from captchad.recognition.decoding import Pixels, is_blank
from captchad.recognition.joint_reading import PictureReading, Reading, ReadingFeatures, look, read_jointly
from captchad.recognition.model import Model, load_model
from captchad.recognition.preparation import prepare

CALIBRATION_KEY = "calibration"
NO_READING_CONFIDENCE = 0.0
_DIGITS = "0123456789"
_BATCH_PICTURES = 16
_SIGN_LOG_PROBABILITY = -4.0
_SECOND_STRETCH = 1.25
_CLEAR_MARGIN = 0.5
_KEPT_ALPHABETS = 64
# Where nobody said that there is a sum, an x may as well be a letter: only the model's own signs count.
_PLAIN_SIGNS = {sign: sign for sign in (*OPERATORS, EQUALS, QUESTION)} | {"÷": "÷/"}
_WIDE_SIGNS = _PLAIN_SIGNS | {"×": "×xX"}


class CaptchadEngine:
    """Reads text and sums with one model; see docs/recognition.md for how it decides."""

    largest_batch = _BATCH_PICTURES

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self._model = model
        self._columns = ("", *model.symbols)
        values = model.description.get(CALIBRATION_KEY)
        self._calibration = make_plain_calibration() if values is None else Calibration.from_json(values)
        if len(self._calibration.text.weights) != len(fields(ReadingFeatures)):
            raise ValueError("it was fitted to other features than this release computes; calibrate the model again")
        self._operator_columns = [self._columns.index(sign) for sign in (*OPERATORS, "/") if sign in self._columns]
        self._located: dict[Alphabet, Columns] = {}
        self._plain_sums = _make_sum_alphabet(_PLAIN_SIGNS)
        self._wide_sums = _make_sum_alphabet(_WIDE_SIGNS)

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text says that nothing could be read."""
        found = self.read(pictures, hints)
        return [self.answer(reading, hint) for reading, hint in zip(found, hints, strict=True)]

    def read(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[PictureReading | None]:
        """Read pictures without calibrating; None where there is nothing to be read.

        What is not clear at the first look is looked at once more, stretched, and both looks are read together.
        """
        outputs = self._look({number: picture for number, picture in enumerate(pictures) if not is_blank(picture)}, 1.0)
        found = {number: self._read_one([output], hints[number]) for number, output in outputs.items()}
        unclear = {number: pictures[number] for number, reading in found.items() if not _is_clear(reading)}
        for number, output in self._look(unclear, _SECOND_STRETCH).items():
            found[number] = self._read_one([outputs[number], output], hints[number])
        return [found.get(number) for number in range(len(pictures))]

    def _look(self, pictures: Mapping[int, Pixels], stretch: float) -> dict[int, LogProbabilities]:
        outputs = self._model.run([prepare(picture, stretch) for picture in pictures.values()])
        return dict(zip(pictures, outputs, strict=True))

    def answer(self, found: PictureReading | None, hints: Hints) -> Recognition:
        """Return a reading its calibrated confidences."""
        if found is None:
            return Recognition("", NO_READING_CONFIDENCE, self.name, hints.kind or CaptchaKind.TEXT)
        reading = found.reading
        confidence = self._calibration.text.estimate(reading.features.as_tuple())
        characters = tuple(
            Character(symbol, round(self._calibration.character_confidence(scores, confidence), 4))
            for symbol, scores in zip(reading.symbols, zip(*reading.symbol_scores, strict=True), strict=True)
        )
        worked_out = read_sum(reading.symbols) if found.kind is CaptchaKind.MATH else None
        return Recognition(
            text=reading.symbols if worked_out is None else str(worked_out.result),
            confidence=round(confidence, 4),
            recogniser=self.name,
            kind=found.kind,
            characters=characters,
            expression=None if worked_out is None else worked_out.expression,
        )

    def _read_one(self, outputs: Sequence[LogProbabilities], hints: Hints) -> PictureReading | None:
        if hints.kind is CaptchaKind.MATH:
            return self._read_sum(outputs, self._wide_sums, hints)
        text = self._read_text(outputs, hints)
        if hints.kind is CaptchaKind.TEXT or hints.charset is not None or not self._shows_operator(outputs):
            return text
        found = self._read_sum(outputs, self._plain_sums, hints)
        if found is None or text is None:
            return text if found is None else found
        return found if found.reading.total_score > text.reading.total_score else text

    def _shows_operator(self, outputs: Sequence[LogProbabilities]) -> bool:
        return any(output[:, self._operator_columns].max() > _SIGN_LOG_PROBABILITY for output in outputs)

    def _read_text(self, outputs: Sequence[LogProbabilities], hints: Hints) -> PictureReading | None:
        alphabet = make_cased_alphabet(hints.charset, is_case_known=hints.case_sensitive is not False)
        reading = self._search(outputs, alphabet, hints, lambda symbols: True)
        return None if reading is None else PictureReading(reading, CaptchaKind.TEXT, ())

    def _read_sum(self, outputs: Sequence[LogProbabilities], alphabet: Alphabet, hints: Hints) -> PictureReading | None:
        def accept(symbols: str) -> bool:
            found = read_sum(symbols)
            return found is not None and _keeps_lengths(str(found.result), hints)

        reading = self._search(outputs, alphabet, Hints(), accept)
        return None if reading is None else PictureReading(reading, CaptchaKind.MATH, ())

    def _locate(self, alphabet: Alphabet) -> Columns:
        if len(self._located) >= _KEPT_ALPHABETS:
            self._located.clear()
        if alphabet not in self._located:
            self._located[alphabet] = alphabet.locate(self._columns)
        return self._located[alphabet]

    def _search(
        self,
        outputs: Sequence[LogProbabilities],
        alphabet: Alphabet,
        hints: Hints,
        accepts: Callable[[str], bool],
    ) -> Reading | None:
        columns = [self._locate(alphabet)] * len(outputs)
        probabilities = [np.exp(output).astype(np.float32) for output in outputs]
        return read_jointly(look(probabilities, columns), alphabet, hints, accepts)


def load_captchad_engine(path: Path | None = None) -> CaptchadEngine:
    """Load the engine with a model's file, or with the packaged model; DependencyMissing where there is none."""
    model = load_model(path)
    try:
        return CaptchadEngine(model)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DependencyMissing(f"the model {model.name} has a calibration that can't be read: {error!r}") from error


def _is_clear(found: PictureReading | None) -> bool:
    """Whether one look is enough; where nothing was seen, a second one would see no more."""
    return found is None or found.reading.features.margin > _CLEAR_MARGIN


def _make_sum_alphabet(signs: dict[str, str]) -> Alphabet:
    symbols = (*_DIGITS, *signs)
    return Alphabet(symbols, tuple(signs.get(symbol, symbol) for symbol in symbols))


def _keeps_lengths(text: str, hints: Hints) -> bool:
    return len(text) >= (hints.min_length or 0) and (hints.max_length is None or len(text) <= hints.max_length)
