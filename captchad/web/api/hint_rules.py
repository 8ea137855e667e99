"""What hints may say beyond their shape, and what they say to the rest of captchad."""

from collections.abc import Iterator

from captchad.domain.colour import parse_colour
from captchad.domain.errors import Violation
from captchad.domain.recognition import CaptchaKind, Hints, parse_position
from captchad.domain.task_limits import TEXT_LENGTH_LIMIT
from captchad.web.api.schema import HintsBody


def find_hint_faults(hints: HintsBody, pointer: str) -> Iterator[Violation]:
    """Find a colour that is none, and a position that no text can have."""
    if hints.colour is not None and parse_colour(hints.colour) is None:
        yield Violation(f"{pointer}/colour", "must be a CSS colour name or #rrggbb")
    position = None if hints.position is None else parse_position(hints.position)
    if position is None:
        return
    if hints.kind == "math":
        yield Violation(f"{pointer}/position", "is for text; arithmetic has a result")
    if position.count > (hints.max_length or TEXT_LENGTH_LIMIT):
        yield Violation(f"{pointer}/position", "asks for more characters than the whole text may have")


def make_hints(hints: HintsBody | None) -> Hints:
    """Return hints as the rest of captchad knows them."""
    if hints is None:
        return Hints()
    return Hints(
        hints.charset,
        hints.min_length,
        hints.max_length,
        hints.case_sensitive,
        None if hints.kind is None else CaptchaKind(hints.kind),
        hints.colour,
        None if hints.position is None else parse_position(hints.position),
    )
