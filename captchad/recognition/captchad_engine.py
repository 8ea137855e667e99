"""captchad's own engine: its model's columns are masked by the hints, decoded, worked out and calibrated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Character, Hints, Recognition
from captchad.recognition.alphabet import EQUALS, OPERATORS, QUESTION, Alphabet, Columns, make_cased_alphabet
from captchad.recognition.calibration import Calibration, make_plain_calibration
from captchad.recognition.ctc import LogProbabilities
from captchad.recognition.decoding import Pixels, is_blank
from captchad.recognition.explaining import Network, explain, may_be_longer
from captchad.recognition.flattening import has_colours
from captchad.recognition.ink import InkMask, find_ink, hides_ink
from captchad.recognition.joint_reading import PictureReading, Reading, ReadingFeatures, mask_outputs, read_jointly
from captchad.recognition.model import Model, load_model
from captchad.recognition.preparation import GREY_PLANES, Prepared, prepare, prepare_distance
from captchad.recognition.rows import lay_rows_in_line
from captchad.recognition.separators import HYPHEN, SEPARATORS, SPACE

CALIBRATION_KEY = "calibration"
NO_READING_CONFIDENCE = 0.0
_DIGITS = "0123456789"
_BATCH_PICTURES = 16
# About 2 %: arithmetic is searched only where an operator shows at all, which spares most pictures the time.
_SIGN_LOG_PROBABILITY = -4.0
_SECOND_STRETCH = 1.25
# Odds of 1.6 to 1. Of 2,400 pictures a second pass below it reads 76.9 % instead of 75.0, on 26 % of them; below 20
# to 1 it reads the same on 49 % (docs/architecture.md).
_CLEAR_MARGIN = 0.5
_KEPT_ALPHABETS = 64
# Without the hint that it is arithmetic, an x may as well be a letter: only the model's own signs count.
_PLAIN_SIGNS = {sign: sign for sign in (*OPERATORS, EQUALS, QUESTION)} | {"÷": "÷/"}
_WIDE_SIGNS = _PLAIN_SIGNS | {"×": "×xX"}


class CaptchadEngine:
    """Reads text and arithmetic with one model; see docs/recognition.md for how it decides."""

    largest_batch = _BATCH_PICTURES

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self._model = model
        self._columns = ("", *model.symbols)
        values = model.description.get(CALIBRATION_KEY)
        fitted = make_plain_calibration() if values is None else Calibration.from_json(values)
        features = len(fields(ReadingFeatures))
        if len(fitted.text.weights) > features:
            raise ValueError("it was fitted to features that this release does not compute; upgrade captchad")
        # New features come last: models that were made before them go on as they were.
        self._calibration = replace(fitted, text=fitted.text.extend(features))
        # A network that was taught the space was taught all separators.
        self._separators = SEPARATORS if SPACE in model.symbols else ""
        hyphen = self._columns.index(HYPHEN) if HYPHEN in self._columns else None
        self._network = Network(model.column_width_pixels, hyphen, bool(self._separators))
        self._operator_columns = [self._columns.index(sign) for sign in (*OPERATORS, "/") if sign in self._columns]
        self._located: dict[Alphabet, Columns] = {}
        self._plain_arithmetic = _make_arithmetic_alphabet(_PLAIN_SIGNS)
        self._wide_arithmetic = _make_arithmetic_alphabet(_WIDE_SIGNS)

    @property
    def symbols(self) -> str:
        """The symbols that its model reads."""
        return self._model.symbols

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text means that nothing could be read."""
        found = self.read(pictures, hints)
        return [self.answer(reading, hint) for reading, hint in zip(found, hints, strict=True)]

    def read(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[PictureReading | None]:
        """Read pictures without calibrating; None where there is nothing to be read.

        A picture that shows two rows is read with both in one line too.
        """
        prepared = {number: self._prepare(one) for number, one in enumerate(pictures) if not is_blank(one)}
        found = self._read_lines(pictures, prepared, hints, self._network)
        rows = {number: lay_rows_in_line(pictures[number], find_ink(one)) for number, one in prepared.items()}
        lines = {number: line for number, line in rows.items() if line is not None}
        # Between rows there is always a gap.
        without_gaps = replace(self._network, reads_separators=True)
        joined = self._read_lines(
            lines, {number: self._prepare(line) for number, line in lines.items()}, hints, without_gaps
        )
        return [self._choose(found.get(number), joined.get(number)) for number in range(len(pictures))]

    def _read_lines(
        self,
        pictures: Mapping[int, Pixels] | Sequence[Pixels],
        prepared: Mapping[int, Prepared],
        hints: Sequence[Hints],
        network: Network,
    ) -> dict[int, PictureReading | None]:
        """Read pictures of one line each.

        One whose first pass is not clear, or could not see all ink, gets a second one; both are decoded together.
        """
        outputs = self._run(prepared)
        found = {number: self._read_one([output], hints[number]) for number, output in outputs.items()}
        unclear = [
            number
            for number, reading in found.items()
            if not _is_clear(reading) or self._misses_ink(pictures[number], prepared[number])
        ]
        second = self._run({number: self._prepare_again(pictures[number]) for number in unclear})
        for number, output in second.items():
            found[number] = self._read_one([outputs[number], output], hints[number])
        for number, output in outputs.items():
            passes = [output, second[number]] if number in second else [output]
            found[number] = self._explain(found[number], find_ink(prepared[number]), passes, network, hints[number])
        return found

    def _explain(
        self,
        found: PictureReading | None,
        ink: InkMask,
        outputs: Sequence[LogProbabilities],
        network: Network,
        hints: Hints,
    ) -> PictureReading | None:
        """Hold a reading against its picture; one without separators may be shorter than the hints say."""
        output = outputs[0]
        if may_be_longer(output, network, hints):
            shorter = self._read_one(outputs, replace(hints, min_length=None))
            explained = None if shorter is None else explain(shorter, ink, output, network, hints)
            if explained is not None and len(explained.reading.symbols) >= (hints.min_length or 0):
                return explained
        return None if found is None else explain(found, ink, output, network, hints)

    def _choose(self, whole: PictureReading | None, joined: PictureReading | None) -> PictureReading | None:
        """Choose between a picture read as it is and its two rows in one line."""
        if whole is None or joined is None:
            return whole or joined
        # What is read of the whole may be one of its rows alone.
        is_longer = len(joined.reading.symbols) > len(whole.reading.symbols)
        return joined if is_longer or self._rate(joined) > self._rate(whole) else whole

    def _rate(self, found: PictureReading) -> float:
        return self._calibration.text.estimate(found.reading.features.as_tuple())

    def _prepare(self, picture: Pixels, stretch: float = 1.0) -> Prepared:
        return prepare(picture, stretch, planes=self._model.planes)

    def _prepare_again(self, picture: Pixels) -> Prepared:
        """Prepare a picture for its second pass: stretched, and by its colours where the first saw brightness alone."""
        if self._sees_brightness_alone(picture):
            return prepare_distance(picture, _SECOND_STRETCH)
        return self._prepare(picture, _SECOND_STRETCH)

    def _misses_ink(self, picture: Pixels, prepared: Prepared) -> bool:
        return self._sees_brightness_alone(picture) and hides_ink(prepared, prepare_distance(picture))

    def _sees_brightness_alone(self, picture: Pixels) -> bool:
        return self._model.planes == GREY_PLANES and has_colours(picture)

    def _run(self, prepared: Mapping[int, Prepared]) -> dict[int, LogProbabilities]:
        return dict(zip(prepared, self._model.run(list(prepared.values())), strict=True)) if prepared else {}

    def answer(self, found: PictureReading | None, hints: Hints) -> Recognition:
        """Return a reading as a recognition with calibrated confidences."""
        if found is None:
            return Recognition("", NO_READING_CONFIDENCE, self.name, hints.kind or CaptchaKind.TEXT)
        reading = found.reading
        confidence = self._rate(found)
        characters = tuple(
            Character(symbol, round(self._calibration.character_confidence(scores, confidence), 4))
            for symbol, scores in zip(reading.symbols, zip(*reading.symbol_scores, strict=True), strict=True)
        )
        worked_out = read_arithmetic(reading.symbols) if found.kind is CaptchaKind.MATH else None
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
            return self._read_arithmetic(outputs, self._wide_arithmetic, hints)
        text = self._read_text(outputs, hints)
        if hints.kind is CaptchaKind.TEXT or hints.charset is not None or not self._shows_operator(outputs):
            return text
        found = self._read_arithmetic(outputs, self._plain_arithmetic, hints)
        if found is None or text is None:
            return text if found is None else found
        # Comparable, since both scores include what the alphabet masked away. Of the same signs, it is arithmetic.
        is_likelier = found.reading.total_score > text.reading.total_score
        return found if is_likelier or found.reading.symbols == text.reading.symbols else text

    def _shows_operator(self, outputs: Sequence[LogProbabilities]) -> bool:
        return any(output[:, self._operator_columns].max() > _SIGN_LOG_PROBABILITY for output in outputs)

    def _read_text(self, outputs: Sequence[LogProbabilities], hints: Hints) -> PictureReading | None:
        alphabet = make_cased_alphabet(
            hints.charset, is_case_known=hints.case_sensitive is not False, separators=self._separators
        )
        reading = self._search(outputs, alphabet, hints, lambda symbols: True)
        return None if reading is None else PictureReading(reading, CaptchaKind.TEXT, ())

    def _read_arithmetic(
        self, outputs: Sequence[LogProbabilities], alphabet: Alphabet, hints: Hints
    ) -> PictureReading | None:
        def accept(symbols: str) -> bool:
            found = read_arithmetic(symbols)
            return found is not None and keeps_lengths(str(found.result), hints)

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
        return read_jointly(mask_outputs(probabilities, columns), alphabet, hints, accepts)


def load_captchad_engine(path: Path | None = None) -> CaptchadEngine:
    """Load the engine with a model's file, or with the packaged model; DependencyMissing where there is none."""
    model = load_model(path)
    try:
        return CaptchadEngine(model)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DependencyMissing(f"the model {model.name} has a calibration that can't be read: {error!r}") from error


def _is_clear(found: PictureReading | None) -> bool:
    """Whether one pass is enough; where it found nothing, a second one would not either."""
    return found is None or found.reading.features.margin > _CLEAR_MARGIN


def _make_arithmetic_alphabet(signs: dict[str, str]) -> Alphabet:
    symbols = (*_DIGITS, *signs)
    return Alphabet(symbols, tuple(signs.get(symbol, symbol) for symbol in symbols))


def keeps_lengths(text: str, hints: Hints) -> bool:
    """Whether a text is as long as the hints say."""
    return len(text) >= (hints.min_length or 0) and (hints.max_length is None or len(text) <= hints.max_length)
