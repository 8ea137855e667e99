"""captchad's own engines together: the packaged model reads, and the wide one what its alphabet has besides.

The wide model is loaded with the first picture that needs it: one whose hints ask for its symbols, or one that leaves
the packaged model in doubt.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from captchad.domain.charsets import find_unreadable
from captchad.domain.recognition import WIDE_MODEL, Hints, Recognition
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.recognition.decoding import Pixels
from captchad.recognition.recognition_engine import RecognitionEngine
from captchad.recognition.spelling import OWN_SPELLINGS
from captchad.recognition.wide_alphabet import is_of_one_script
from captchad.recognition.wide_engine import load_wide_engine

DOUBT_CONFIDENCE = 0.9
"""Below this the wide model is asked too, and may win."""

LEAST_WIDE_CONFIDENCE, PLAIN_SHARE = 0.3, 0.5
"""The wide model wins where its confidence is above the first, and above that by this share of the other's.

A text with symbols that the packaged model does not have is rarely seen where there is none, so that the packaged
model's confidence, fitted on pictures of its own alphabet, counts for half (docs/architecture.md).
"""

_TAKEN_FOR = (frozenset("ABCEHKMNOPRTUWXYabcehkmnopruwxy0345689"), frozenset("AEFIOQSUVaflqorsv019"))
"""What Cyrillic letters are taken for, and what Persian and Arabic digits are, however sure the packaged model is."""


class WideningEngine:
    """Reads with one model, and with the wide one where that is needed; `is_asked_in_doubt`: without a hint too."""

    def __init__(
        self, engine: CaptchadEngine, load_wide: Callable[[], RecognitionEngine], *, is_asked_in_doubt: bool = True
    ) -> None:
        self._engine = engine
        self._load_wide = load_wide
        self._is_asked_in_doubt = is_asked_in_doubt
        self._symbols = frozenset(engine.symbols) | frozenset(OWN_SPELLINGS)

    @property
    def name(self) -> str:
        """The name of the model that reads first; results name the one that read them."""
        return self._engine.name

    @property
    def largest_batch(self) -> int:
        """The batch of the model that reads first."""
        return self._engine.largest_batch

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text means that nothing could be read."""
        wide = {number for number, hint in enumerate(hints) if self._asks_for_wide(hint)}
        plain = [number for number in range(len(pictures)) if number not in wide]
        found = dict(zip(plain, self._read(self._engine, plain, pictures, hints), strict=True))
        doubted = [number for number in plain if self._is_doubtful(found[number], hints[number])]
        asked = sorted({*wide, *doubted})
        if asked:
            for number, reading in zip(asked, self._read(self._load_wide(), asked, pictures, hints), strict=True):
                found[number] = reading if number in wide else self._choose(found[number], reading)
        return [found[number] for number in range(len(pictures))]

    def _read(
        self, engine: RecognitionEngine, numbers: Sequence[int], pictures: Sequence[Pixels], hints: Sequence[Hints]
    ) -> list[Recognition]:
        if not numbers:
            return []
        return engine.recognise([pictures[number] for number in numbers], [hints[number] for number in numbers])

    def _asks_for_wide(self, hints: Hints) -> bool:
        return hints.charset is not None and bool(find_unreadable(hints.charset, self._symbols))

    def _is_doubtful(self, found: Recognition, hints: Hints) -> bool:
        if not self._is_asked_in_doubt or hints.charset is not None:
            return False
        return found.confidence < DOUBT_CONFIDENCE or _may_be_of_another_script(found.text)

    def _choose(self, plain: Recognition, wide: Recognition) -> Recognition:
        """Take the wide reading where it is surer and shows what the first model has no symbol for.

        Of its own symbols the first model reads more. Two different texts can't both be right, so where the
        confidences add up to more than 1, the first model's is divided by their sum.
        """
        shown = "".join(character.text for character in wide.characters)
        if not find_unreadable(shown, frozenset(self._engine.symbols)) or not is_of_one_script(shown):
            return plain
        is_doubtful = plain.confidence < DOUBT_CONFIDENCE
        if is_doubtful and wide.confidence > LEAST_WIDE_CONFIDENCE + PLAIN_SHARE * plain.confidence:
            return wide
        total = plain.confidence + wide.confidence
        return plain if total <= 1 else replace(plain, confidence=round(plain.confidence / total, 4))


def _may_be_of_another_script(text: str) -> bool:
    return any(map(str.isalpha, text)) and any(symbols.issuperset(text) for symbols in _TAKEN_FOR)


def load_own_engines() -> RecognitionEngine:
    """Load the packaged model, and the wide one when it is needed; DependencyMissing where the first is missing."""
    return WideningEngine(load_captchad_engine(), load_shared_wide_engine)


def load_target_engine(path: Path) -> RecognitionEngine:
    """Load the engine of a target: the wide one by its name, or a model's file, with the wide one where hints ask."""
    if str(path) == WIDE_MODEL:
        return load_shared_wide_engine()
    return WideningEngine(load_captchad_engine(path), load_shared_wide_engine, is_asked_in_doubt=False)


@cache
def load_shared_wide_engine() -> RecognitionEngine:
    """Load the wide engine once for all targets of this process; see RecognitionEngine for threads."""
    return load_wide_engine()
