"""Hints about a captcha, and the result of reading it."""

from dataclasses import dataclass, field
from enum import StrEnum


class CaptchaKind(StrEnum):
    """What a picture asks for, its text or the result of its arithmetic; or that text of the page was the captcha."""

    TEXT = "text"
    MATH = "math"
    PAGE_TEXT = "page_text"


PICTURE_KINDS = (CaptchaKind.TEXT, CaptchaKind.MATH)
"""What a hint can say of a picture."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows of the answer; anything unset is inferred."""

    charset: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    case_sensitive: bool | None = None
    kind: CaptchaKind | None = None

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
    """The text of one picture; `confidence` is the calibrated probability (0..1) that all of it is right."""

    text: str
    confidence: float
    recogniser: str
    kind: CaptchaKind = CaptchaKind.TEXT
    characters: tuple[Character, ...] = field(default=())
    expression: str | None = None

    @property
    def drawn_text(self) -> str:
        """What the picture shows."""
        return find_drawn_text(self.text, self.expression, self.characters)


def find_drawn_text(text: str, expression: str | None, characters: tuple[Character, ...]) -> str:
    """Return what a picture shows: of arithmetic what was read of it, not its result."""
    if expression is None:
        return text
    return "".join(character.text for character in characters) or expression
