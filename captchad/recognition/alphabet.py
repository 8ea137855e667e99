"""Which symbols may be read: the network's columns are masked and folded before anything is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from string import ascii_letters, digits

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.ctc import BLANK, LogProbabilities
from captchad.recognition.network import Probabilities
from captchad.recognition.spelling import OWN_SPELLINGS

DEFAULT_CHARSET = ascii_letters + digits
OPERATORS = "+-×÷"
EQUALS, QUESTION = "=", "?"
# Small enough to change no ranking, large enough for its logarithm to stay finite.
LEAST_PROBABILITY = 1e-30
# Callers repeat their charsets, but may also send endless new ones.
_KEPT_ALPHABETS = 64

_SIGN_LOOKALIKES = {
    "+": "+＋十",
    "-": "-－—–一_",
    "×": "×xX*✕╳",
    "÷": "÷/",
    "=": "=＝二",
    "?": "?？",
}


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Symbols that may be read, each with the characters it stands for; both cases of a letter may be one symbol.

    ddddocr's networks hardly distinguish cases, so a letter's two columns count together and its case is decided later.
    """

    symbols: tuple[str, ...]
    members: tuple[str, ...]

    def locate(self, charset: Sequence[str]) -> "Columns":
        """Find the alphabet's columns in a network's charset."""
        numbers: Mapping[str, int] = {character: number for number, character in enumerate(charset)}
        pairs = [
            (symbol, numbers[character])
            for symbol, characters in enumerate(self.members, start=1)
            for character in characters
            if character in numbers
        ]
        known = [BLANK, *(symbol for symbol, _ in pairs)]
        return Columns(
            symbols=np.array(known, dtype=np.intp),
            columns=np.array([BLANK, *(column for _, column in pairs)], dtype=np.intp),
            count=len(self.symbols) + 1,
        )


@dataclass(frozen=True)
class Columns:
    """Pairs of a symbol (0 the blank) and one of its columns in a network, of `count` symbols."""

    symbols: NDArray[np.intp]
    columns: NDArray[np.intp]
    count: int

    @cached_property
    def is_one_to_one(self) -> bool:
        """Whether no symbol has two columns; adding up is slow."""
        return len(np.unique(self.symbols)) == len(self.symbols)

    def mask(self, probabilities: Probabilities) -> tuple[LogProbabilities, float]:
        """Return log probabilities over blank and symbols, and the log of the share the symbols held before masking."""
        masked = np.zeros((self.count, len(probabilities)))
        if self.is_one_to_one:
            masked[self.symbols] = probabilities[:, self.columns].T
        else:
            np.add.at(masked, self.symbols, probabilities[:, self.columns].T)
        # Masked before the argmax, not after it: a column outside the alphabet must not decide a step.
        kept = np.maximum(masked.sum(axis=0), LEAST_PROBABILITY)
        logs = np.full_like(masked, -np.inf)
        np.log(np.maximum(masked / kept, LEAST_PROBABILITY), out=logs, where=self._is_known()[:, None])
        return np.ascontiguousarray(logs.T), float(np.log(kept).sum())

    def _is_known(self) -> NDArray[np.bool_]:
        known = np.zeros(self.count, dtype=bool)
        known[self.symbols] = True
        return known


def make_text_alphabet(charset: str | None) -> Alphabet:
    """Make the alphabet of plain texts; ASCII letters and digits where the caller names no characters."""
    symbols = sorted({fold(character) for character in (DEFAULT_CHARSET if charset is None else charset)} - {" "})
    return Alphabet(tuple(symbols), tuple(_both_cases(symbol) for symbol in symbols))


@lru_cache(_KEPT_ALPHABETS)
def make_cased_alphabet(charset: str | None, *, is_case_known: bool, separators: str = "") -> Alphabet:
    """Make the alphabet of plain texts for a network that distinguishes cases, and reads these separators itself.

    Where only one case of a letter may be read, or case doesn't matter, what was seen of either case counts for it;
    without a charset, texts whose case doesn't matter are spelled in lower case.
    """
    allowed = set(DEFAULT_CHARSET + separators if charset is None else charset)
    # A network without that symbol can't be made to read it.
    if " " not in separators:
        allowed.discard(" ")
    if not is_case_known:
        allowed -= {character for character in allowed if character != fold(character) and fold(character) in allowed}
    symbols = sorted(allowed)
    return Alphabet(tuple(symbols), tuple(_list_spellings(symbol, allowed) for symbol in symbols))


def make_arithmetic_alphabet() -> Alphabet:
    """Make the alphabet of arithmetic: digits, operators, `=` and `?`, each with what it is mistaken for."""
    symbols = (*digits, *OPERATORS, EQUALS, QUESTION)
    return Alphabet(symbols, tuple(_SIGN_LOOKALIKES.get(symbol, symbol) for symbol in symbols))


def fold(character: str) -> str:
    """Return the symbol of a character: an ASCII letter's lower case, anything else as it is."""
    return character.lower() if character.isascii() else character


def _list_spellings(symbol: str, allowed: set[str]) -> str:
    if symbol.isascii() and symbol.isalpha():
        return symbol if symbol.swapcase() in allowed else symbol + symbol.swapcase()
    return symbol + OWN_SPELLINGS.get(symbol, "")


def _both_cases(symbol: str) -> str:
    return symbol + symbol.upper() if symbol.isascii() and symbol.isalpha() else symbol
