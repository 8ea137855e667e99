"""Hints about a captcha, and the result of reading it."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

WIDE_MODEL = "wide"
"""In `recognition.models`: the packaged model of wide alphabets, instead of a file."""

_POSITION = re.compile(r"(first|last):([1-9][0-9]?)")


class CaptchaKind(StrEnum):
    """What a picture asks for, its text or the result of its arithmetic; or that text of the page was the captcha."""

    TEXT = "text"
    MATH = "math"
    PAGE_TEXT = "page_text"


PICTURE_KINDS = (CaptchaKind.TEXT, CaptchaKind.MATH)
"""What a hint can say of a picture."""


class Side(StrEnum):
    """From which end characters are counted."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Position:
    """So many of a text's characters from one end."""

    side: Side
    count: int


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a page says of which characters it wants, by colour (a CSS name) and position; nothing where unclear."""

    colour: str | None = None
    position: Position | None = None

    @property
    def is_clear(self) -> bool:
        """Whether it was understood."""
        return self.colour is not None or self.position is not None


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows of the answer; anything unset is inferred.

    `colour` is a CSS name or #rrggbb: the lengths are those of the text in that colour, of which `position` says what
    is wanted.
    """

    charset: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    case_sensitive: bool | None = None
    kind: CaptchaKind | None = None
    colour: str | None = None
    position: Position | None = None

    @property
    def wants_all(self) -> bool:
        """Whether all that the picture shows is wanted."""
        return self.colour is None and self.position is None

    def allow(self, text: str) -> bool:
        """Whether a text that is certain has the length and the letters that are expected."""
        charset = self.charset
        if charset is not None and self.case_sensitive is not True:
            charset, text = charset.casefold(), text.casefold()
        is_of_charset = charset is None or set(text) <= set(charset)
        return is_of_charset and (self.min_length or 0) <= len(text) <= (self.max_length or len(text))


@dataclass(frozen=True, slots=True)
class Character:
    """One character of the text with the probability (0..1) that it is right."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """The text of one picture; `confidence` is the calibrated probability (0..1) that all of it is right.

    `is_whole` says that it is all that the picture shows.
    """

    text: str
    confidence: float
    recogniser: str
    kind: CaptchaKind = CaptchaKind.TEXT
    characters: tuple[Character, ...] = field(default=())
    expression: str | None = None
    is_whole: bool = True

    @property
    def drawn_text(self) -> str:
        """What the picture shows."""
        return find_drawn_text(self.text, self.expression, self.characters)


def find_drawn_text(text: str, expression: str | None, characters: tuple[Character, ...]) -> str:
    """Return what a picture shows: of arithmetic what was read of it, not its result."""
    if expression is None:
        return text
    return "".join(character.text for character in characters) or expression


def parse_position(text: str) -> Position | None:
    """Return what `first:N` or `last:N` says; None for anything else."""
    found = _POSITION.fullmatch(text)
    return None if found is None else Position(Side(found[1]), int(found[2]))
