"""What a page asks for, and the right answer: letters, letters of one colour, a sum."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from captchad.sample_site.drawing import ALPHABET, Artist, pick_text
from captchad.sample_site.lettering import draw_letters

TYPED_ALPHABET = "ABCDEFGHJKMNPRSTUVWXYZ23456789"
DIGITS = "0123456789"
CYRILLIC_ALPHABET = "БГДЖИЛПФЦШЭЮЯ"
"""Letters that no Latin one resembles."""

RED, BLACK, WHITE = "#d01c24", "#111111", "#ffffff"
OTHER_INKS = ("#1f4fa8", "#1d7a3c", BLACK)
COLOURED_LETTERS, RED_LETTERS = 6, 3
LARGEST_SUMMAND = 10
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CHINESE_WORDS = "零一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Puzzle:
    """What is shown, and what has to be typed; with `inks`, a colour for each letter, on `ground` or on nothing."""

    shown: str
    answer: str
    inks: tuple[str, ...] = ()
    ground: str | None = WHITE

    def draw(self, artist: Artist) -> bytes:
        """Return its picture as PNG."""
        return draw_letters(self.shown, self.inks, self.ground) if self.inks else artist.draw(self.shown)


MakePuzzle = Callable[[], Puzzle]


def make_text() -> Puzzle:
    """Return a text to be drawn as the artist draws."""
    text = pick_text()
    return Puzzle(text, text)


def make_digits() -> Puzzle:
    """Return digits."""
    text = pick_text(DIGITS)
    return Puzzle(text, text)


def make_typed_code() -> Puzzle:
    """Return a code that the page has as text."""
    text = pick_text(TYPED_ALPHABET)
    return Puzzle(text, text)


def make_cyrillic() -> Puzzle:
    """Return Cyrillic letters."""
    text = pick_text(CYRILLIC_ALPHABET)
    return Puzzle(text, text, (BLACK,) * len(text))


def make_bare() -> Puzzle:
    """Return white and black letters without a ground."""
    text = pick_text()
    return Puzzle(text, text, (WHITE, BLACK) * (len(text) // 2), None)


def make_coloured() -> Puzzle:
    """Return letters of several colours, of which the red ones are wanted."""
    text = pick_text(ALPHABET, COLOURED_LETTERS)
    places = secrets.SystemRandom().sample(range(COLOURED_LETTERS), RED_LETTERS)
    inks = tuple(RED if place in places else secrets.choice(OTHER_INKS) for place in range(COLOURED_LETTERS))
    return Puzzle(text, "".join(text[place] for place in sorted(places)), inks)


def make_sum() -> Puzzle:
    """Return a sum in figures."""
    first, second = _pick_summands()
    return Puzzle(f"{first} + {second} =", str(first + second))


def make_sum_in_words() -> Puzzle:
    """Return a sum in English words."""
    first, second = _pick_summands()
    return Puzzle(f"What is {_WORDS[first]} plus {_WORDS[second]}?", str(first + second))


def make_chinese_sum() -> Puzzle:
    """Return a sum in Chinese words."""
    first, second = _pick_summands()
    return Puzzle(f"{_CHINESE_WORDS[first]}加{_CHINESE_WORDS[second]}等于几？", str(first + second))


def _pick_summands() -> tuple[int, int]:
    return secrets.randbelow(LARGEST_SUMMAND) + 1, secrets.randbelow(LARGEST_SUMMAND) + 1
