"""The engine `wide`: Chinese, Cyrillic, Persian and Arabic digits, and signs, with a model of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.chinese_numbers import OPERATOR_WORDS
from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.alphabet import Alphabet
from captchad.recognition.captchad_engine import CaptchadEngine, keeps_lengths
from captchad.recognition.ctc import BLANK, LogProbabilities
from captchad.recognition.joint_reading import PictureReading, Reading, mask_outputs, read_jointly
from captchad.recognition.model import Model, load_model
from captchad.recognition.wide_alphabet import is_of_one_script, map_arithmetic_columns, map_columns, settle_case, spell

PACKAGED_WIDE_NAME = "wide.onnx"
# Of some four thousand columns few show at all in a picture; searching the others would take most of the time.
_LEAST_PROBABILITY = 1e-4
_LEAST_COLUMNS = 24
_OPERATORS = frozenset(OPERATOR_WORDS + "+-×÷")
_ENDINGS = frozenset("等于得是几=")
# Arithmetic is worth this much: with an operator and two numbers in it, a text is rarely anything else.
_ARITHMETIC_ADVANTAGE = 2.0


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The columns that may be read, each with its symbol, and their numbers."""

    mapping: Mapping[str, str]
    numbers: NDArray[np.intp]


class WideEngine(CaptchadEngine):
    """Reads as CaptchadEngine does, among some four thousand symbols."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        # Strokes of one character lie as far apart as groups of letters do.
        self._network = replace(self._network, reads_separators=True)
        self._numbers = {symbol: number for number, symbol in enumerate(self._columns)}
        self._usual = self._choose_columns(map_columns(None, is_case_known=True))
        self._usual_without_case = self._choose_columns(map_columns(None, is_case_known=False))
        self._arithmetic = self._choose_columns(map_arithmetic_columns())

    def _read_one(self, outputs: Sequence[LogProbabilities], hints: Hints) -> PictureReading | None:
        if hints.kind is CaptchaKind.MATH:
            return self._work_out(outputs, hints)
        reading = self._read_text_columns(outputs, hints)
        text = None if reading is None else _spell_reading(reading, hints)
        if hints.kind is CaptchaKind.TEXT or hints.charset is not None or reading is None:
            return text
        if not _shows_operator(reading.symbols):
            return text
        found = self._work_out(outputs, hints)
        if found is None:
            return text
        return found if found.reading.total_score + _ARITHMETIC_ADVANTAGE > reading.total_score else text

    def _read_text_columns(self, outputs: Sequence[LogProbabilities], hints: Hints) -> Reading | None:
        is_case_known = hints.case_sensitive is not False
        if hints.charset is not None:
            choice = self._choose_columns(map_columns(hints.charset, is_case_known=is_case_known))
            accepts = _accept_any
        else:
            choice = self._usual if is_case_known else self._usual_without_case
            accepts = _accept_one_script
        reading = self._search_columns(outputs, choice, hints, accepts)
        if reading is None and accepts is not _accept_any:
            return self._search_columns(outputs, choice, hints, _accept_any)
        return reading

    def _work_out(self, outputs: Sequence[LogProbabilities], hints: Hints) -> PictureReading | None:
        def accepts(symbols: str) -> bool:
            found = read_arithmetic(symbols)
            return found is not None and keeps_lengths(str(found.result), hints)

        reading = self._search_columns(outputs, self._arithmetic, Hints(), accepts)
        return None if reading is None else PictureReading(reading, CaptchaKind.MATH, ())

    def _search_columns(
        self,
        outputs: Sequence[LogProbabilities],
        choice: ColumnChoice,
        hints: Hints,
        accepts: Callable[[str], bool],
    ) -> Reading | None:
        columns = _find_showing(outputs, choice.numbers)
        charset = [self._columns[column] for column in columns]
        members: dict[str, str] = {}
        for symbol in charset[1:]:
            read = choice.mapping[symbol]
            members[read] = members.get(read, "") + symbol
        alphabet = Alphabet(tuple(members), tuple(members.values()))
        located = [alphabet.locate(charset)] * len(outputs)
        shown = [np.exp(output[:, columns]).astype(np.float32) for output in outputs]
        return read_jointly(mask_outputs(shown, located), alphabet, hints, accepts)

    def _choose_columns(self, mapping: Mapping[str, str]) -> ColumnChoice:
        known = [self._numbers[symbol] for symbol in mapping if symbol in self._numbers]
        return ColumnChoice(mapping, np.array(known, dtype=np.intp))


def _find_showing(outputs: Sequence[LogProbabilities], numbers: NDArray[np.intp]) -> list[int]:
    """Number the blank's column and those that show in any output, or the likeliest of them."""
    most = np.max([output.max(axis=0) for output in outputs], axis=0)[numbers]
    ranked = numbers[np.argsort(-most)]
    showing = int(np.count_nonzero(most > np.log(_LEAST_PROBABILITY)))
    return [BLANK, *ranked[: max(showing, _LEAST_COLUMNS)].tolist()]


def _accept_any(symbols: str) -> bool:
    return True


def _accept_one_script(symbols: str) -> bool:
    return is_of_one_script(spell(symbols, None))


def _shows_operator(symbols: str) -> bool:
    """Whether a text may be arithmetic; an x is an operator beside words of arithmetic alone, else a letter."""
    return not _OPERATORS.isdisjoint(symbols) or ("x" in symbols.lower() and not _ENDINGS.isdisjoint(symbols))


def _spell_reading(reading: Reading, hints: Hints) -> PictureReading:
    spelled = replace(reading, symbols=settle_case(spell(reading.symbols, hints.charset), hints.charset))
    return PictureReading(spelled, CaptchaKind.TEXT, ())


def load_wide_engine() -> WideEngine:
    """Load the packaged wide model; DependencyMissing where its file is missing or can't be read."""
    model = load_model(find_wide_model())
    try:
        return WideEngine(model)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DependencyMissing(f"the model {model.name} has a calibration that can't be read: {error!r}") from error


def find_wide_model() -> Path:
    """Return the path of the packaged wide model."""
    return Path(str(resources.files("captchad.recognition").joinpath("models", PACKAGED_WIDE_NAME)))
