"""captchad's own engine: its model's columns masked by the hints, searched, worked out and calibrated."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Character, Hints, Recognition
from captchad.recognition.alphabet import EQUALS, OPERATORS, QUESTION, Alphabet, Columns, make_cased_alphabet
from captchad.recognition.arithmetic import read_sum
from captchad.recognition.calibration import Calibration, make_plain_calibration
from captchad.recognition.ctc import LogProbabilities
from captchad.recognition.decoding import Pixels, is_blank
from captchad.recognition.joint_reading import PictureReading, Reading, look, read_jointly
from captchad.recognition.model import Model, load_model
from captchad.recognition.preparation import prepare

CALIBRATION_KEY = "calibration"
NO_READING_CONFIDENCE = 0.0
_DIGITS = "0123456789"
_BATCH_PICTURES = 16
_SIGN_LOG_PROBABILITY = -4.0
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
        self._operator_columns = [self._columns.index(sign) for sign in (*OPERATORS, "/") if sign in self._columns]
        self._located: dict[Alphabet, Columns] = {}
        self._plain_sums = _make_sum_alphabet(_PLAIN_SIGNS)
        self._wide_sums = _make_sum_alphabet(_WIDE_SIGNS)

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text says that nothing could be read."""
        found = self.read(pictures, hints)
        return [self.answer(reading, hint) for reading, hint in zip(found, hints, strict=True)]

    def read(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[PictureReading | None]:
        """Read pictures without calibrating; None where there is nothing to be read."""
        seen = [number for number, picture in enumerate(pictures) if not is_blank(picture)]
        outputs = self._model.run([prepare(pictures[number]) for number in seen])
        found: list[PictureReading | None] = [None] * len(pictures)
        for number, output in zip(seen, outputs, strict=True):
            found[number] = self._read_one(output, hints[number])
        return found

    def answer(self, found: PictureReading | None, hints: Hints) -> Recognition:
        """Give a reading its calibrated confidences."""
        if found is None:
            return Recognition("", NO_READING_CONFIDENCE, self.name, hints.kind or CaptchaKind.TEXT)
        reading = found.reading
        confidence = self._calibration.text.estimate(reading.evidence.as_tuple())
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

    def _read_one(self, output: LogProbabilities, hints: Hints) -> PictureReading | None:
        if hints.kind is CaptchaKind.MATH:
            return self._read_sum(output, self._wide_sums, hints)
        text = self._read_text(output, hints)
        if hints.kind is CaptchaKind.TEXT or hints.charset is not None or not self._shows_operator(output):
            return text
        found = self._read_sum(output, self._plain_sums, hints)
        if found is None or text is None:
            return text if found is None else found
        return found if found.reading.total_score > text.reading.total_score else text

    def _shows_operator(self, output: LogProbabilities) -> bool:
        return bool(output[:, self._operator_columns].max() > _SIGN_LOG_PROBABILITY)

    def _read_text(self, output: LogProbabilities, hints: Hints) -> PictureReading | None:
        alphabet = make_cased_alphabet(hints.charset, is_case_told=hints.case_sensitive is not False)
        reading = self._search(output, alphabet, hints, lambda symbols: True)
        return None if reading is None else PictureReading(reading, CaptchaKind.TEXT, ())

    def _read_sum(self, output: LogProbabilities, alphabet: Alphabet, hints: Hints) -> PictureReading | None:
        def accept(symbols: str) -> bool:
            found = read_sum(symbols)
            return found is not None and _keeps_lengths(str(found.result), hints)

        reading = self._search(output, alphabet, Hints(), accept)
        return None if reading is None else PictureReading(reading, CaptchaKind.MATH, ())

    def _locate(self, alphabet: Alphabet) -> Columns:
        if len(self._located) >= _KEPT_ALPHABETS:
            self._located.clear()
        if alphabet not in self._located:
            self._located[alphabet] = alphabet.locate(self._columns)
        return self._located[alphabet]

    def _search(
        self, output: LogProbabilities, alphabet: Alphabet, hints: Hints, accepts: Callable[[str], bool]
    ) -> Reading | None:
        columns = self._locate(alphabet)
        probabilities = np.exp(output).astype(np.float32)
        return read_jointly(look([probabilities], [columns]), alphabet, hints, accepts)


def load_captchad_engine(path: Path | None = None) -> CaptchadEngine:
    """Load the engine with a model's file, or with the packaged model; DependencyMissing where there is none."""
    model = load_model(path)
    try:
        return CaptchadEngine(model)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DependencyMissing(f"the model {model.name} has a calibration that can't be read: {error!r}") from error


def _make_sum_alphabet(signs: dict[str, str]) -> Alphabet:
    symbols = (*_DIGITS, *signs)
    return Alphabet(symbols, tuple(signs.get(symbol, symbol) for symbol in symbols))


def _keeps_lengths(text: str, hints: Hints) -> bool:
    return len(text) >= (hints.min_length or 0) and (hints.max_length is None or len(text) <= hints.max_length)
