"""Prints values for people (tables, one line each) and for programs (JSON).

All that commands print goes through here, where what pages and callers wrote loses its power over a terminal.
"""

import contextlib
import io
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import click

from captchad.domain.plain_text import escape_control_characters, escape_in_json

MS = 1000
PIPE_WIDTH_COLUMNS = 240
FOLDED_COLUMNS = 8
"""The least width that is left to a column of longer texts."""
GAP_COLUMNS = 2
UNKNOWN = "-"


class OutputFailed(click.ClickException):
    """What was to be printed on standard output is lost."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output can't be written: {(error.strerror or str(error)).lower()}")


@contextlib.contextmanager
def written_out() -> Iterator[None]:
    """Name standard output where it can't be written; a reader who has gone stays a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailed(error) from None


@contextlib.contextmanager
def told_if_lost(what_to_do: str) -> Iterator[None]:
    """Print what can't be printed twice; where it is lost, say on standard error what was done and what to do now."""
    try:
        yield
    except (OutputFailed, BrokenPipeError):
        say(f"captchad: {what_to_do}", is_error=True)
        raise


def say(*columns: object, is_error: bool = False, colour: str | None = None, is_bold: bool = False) -> None:
    """Print one line, of one text or of several with tabs between; on standard error where something failed."""
    line = "\t".join(escape_control_characters(str(column)) for column in columns)
    # A remark that nobody can be told must not keep back what is printed after it.
    with contextlib.suppress(OSError) if is_error else written_out():
        click.secho(line, err=is_error, fg=colour, bold=is_bold or None)  # noqa: TID251


def print_json(value: Any, *, is_one_line: bool = False) -> None:
    """Print a value as JSON, indented or in one line."""
    text = json.dumps(value, indent=None if is_one_line else 2, ensure_ascii=False, default=str)
    with written_out():
        click.echo(escape_in_json(text))  # noqa: TID251


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str, whole: Collection[str] = ()
) -> None:
    """Print rows under their headings, as wide as the terminal; `empty` is said where there are none.

    Columns whose heading is in `whole` are never folded: what is in them is copied.
    """
    listed = [[show(value) for value in row] for row in rows]
    if not listed:
        say(empty)
        return
    from rich.cells import cell_len  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    least_columns = GAP_COLUMNS * (len(headings) - 1)
    for heading, values in zip(headings, zip(*listed, strict=True), strict=True):
        table.add_column(heading, overflow="fold", no_wrap=heading in whole)
        columns = max(map(cell_len, (heading, *values)))
        least_columns += columns if heading in whole else min(columns, FOLDED_COLUMNS)
    for row in listed:
        table.add_row(*(Text(value) for value in row))
    if sys.stdout.isatty():
        console = Console()
        # In a narrower terminal lines run on, which leaves whole what is whole.
        console.width = max(console.width, least_columns)
        with written_out():
            console.print(table)
        return
    drawn = Console(width=max(PIPE_WIDTH_COLUMNS, least_columns), file=io.StringIO(), color_system=None)
    with drawn.capture() as captured:
        drawn.print(table)
    for line in captured.get().splitlines():
        say(line.rstrip())


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values in two columns; a pair whose value is None is left out."""
    shown = [(name, show(value)) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        say(f"{name:<{width}}  {value}")


def show_confidence(confidence: float | None) -> str | None:
    """Return a confidence (0..1) with two digits, rounded down: what is not certain must not look it."""
    if confidence is None:
        return None
    return str(Decimal(str(confidence)).quantize(Decimal("0.01"), ROUND_FLOOR))


def show_time(time_ms: int | None) -> str | None:
    """Return a moment (ms since 1970) in UTC, to the second."""
    return None if time_ms is None else datetime.fromtimestamp(time_ms // MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def show(value: object) -> str:
    """Return a value as people read it, in one line."""
    return escape_control_characters(_show(value))


def _show(value: object) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
