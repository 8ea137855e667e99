"""Options of the commands that read pictures locally: the engine, and hints about the text."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from captchad.domain.charsets import describe_unreadable, find_unreadable
from captchad.domain.colour import parse_colour
from captchad.domain.recognition import PICTURE_KINDS, CaptchaKind, Hints, parse_position

if TYPE_CHECKING:
    from captchad.recognition.recognition_engine import RecognitionEngine

# The usual engine reads what all of captchad's own do.
_OWN_ENGINES = (None, "captchad", "wide")

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _check_engine(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from captchad.recognition.engines import describe_unknown, find_unknown  # noqa: PLC0415

    unknown = find_unknown(value)
    if unknown:
        raise click.BadParameter(describe_unknown(unknown))
    return value


def _check_colour(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and parse_colour(value) is None:
        raise click.BadParameter("not a CSS colour name or #rrggbb")
    return value


def _check_position(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and parse_position(value) is None:
        raise click.BadParameter("neither first:N nor last:N")
    return value


CHOOSING_OPTIONS = (
    click.option(
        "--colour", metavar="COLOUR", callback=_check_colour, help="Only characters of this CSS colour or #rrggbb."
    ),
    click.option(
        "--position", metavar="SIDE:N", callback=_check_position, help="Only first:N or last:N characters are wanted."
    ),
)
"""Which characters of a picture are wanted."""
_OPTIONS = (
    click.option(
        "--engine",
        metavar="NAME",
        callback=_check_engine,
        help="The engine to read with; NAME+NAME: several together.  [default: captchad]",
    ),
    click.option(
        "--model",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Read with captchad's own engine and this model.",
    ),
    click.option("--charset", metavar="CHARACTERS", help="The characters the text is made of."),
    click.option("--min-length", type=click.IntRange(min=1), metavar="N", help="Minimum number of characters."),
    click.option("--max-length", type=click.IntRange(min=1), metavar="N", help="Maximum number of characters."),
    click.option(
        "--kind", type=click.Choice([str(kind) for kind in PICTURE_KINDS]), help="Text, or arithmetic to work out."
    ),
)


def reading_options(function: Decorated) -> Decorated:
    """Add the options, in the order of the help."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def choosing_options(function: Decorated) -> Decorated:
    """Add the options that say which characters are wanted."""
    for option in reversed(CHOOSING_OPTIONS):
        function = option(function)
    return function


def check_lengths(min_length: int | None, max_length: int | None) -> None:
    """Refuse lengths that no text can have as wrong usage."""
    if min_length is not None and max_length is not None and min_length > max_length:
        raise click.UsageError("--min-length is greater than --max-length")


def make_hints(
    charset: str | None,
    min_length: int | None,
    max_length: int | None,
    kind: str | None,
    case_sensitive: bool | None = None,
    colour: str | None = None,
    position: str | None = None,
) -> Hints:
    """Return the hints that the options name; those that nothing can fit are wrong usage."""
    check_lengths(min_length, max_length)
    if charset is not None and not charset.strip():
        raise click.UsageError("--charset names no character")
    place = None if position is None else parse_position(position)
    return Hints(charset, min_length, max_length, case_sensitive, CaptchaKind(kind) if kind else None, colour, place)


def load_recogniser(engine: str | None, model: Path | None, charset: str | None = None) -> "RecognitionEngine":
    """Load the engine, the usual one where neither it nor a model is named; a charset it can't read is wrong usage.

    What engines of other packages read is theirs to know.
    """
    if engine is not None and model is not None:
        raise click.UsageError("--model is for captchad's own engine: leave out --engine")
    if charset is not None and engine in _OWN_ENGINES:
        _refuse_unreadable(charset)
    # A model's runtime takes a while to load: `--help` must not wait for it.
    from captchad.recognition.engines import DEFAULT_ENGINE, load_engine  # noqa: PLC0415

    if model is None:
        return load_engine(engine or DEFAULT_ENGINE)
    from captchad.recognition.captchad_engine import load_captchad_engine  # noqa: PLC0415
    from captchad.recognition.spelling import OWN_SPELLINGS  # noqa: PLC0415

    loaded = load_captchad_engine(model)
    if charset is not None:
        _refuse_unreadable(charset, frozenset(loaded.symbols) | frozenset(OWN_SPELLINGS))
    return loaded


def _refuse_unreadable(charset: str, readable: frozenset[str] | None = None) -> None:
    symbols = find_unreadable(charset, readable)
    if symbols:
        raise click.UsageError(f"--charset: {describe_unreadable(symbols)}")
