"""Prints values for people (tables, one line each) and for programs (JSON)."""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import click

PIPE_WIDTH_COLUMNS = 240
UNKNOWN = "-"


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print rows under their headings, as wide as the terminal; `empty` is said where there are none."""
    listed = [[show(value) for value in row] for row in rows]
    if not listed:
        click.echo(empty)
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in listed:
        table.add_row(*(Text(value) for value in row))
    if sys.stdout.isatty():
        Console().print(table)
        return
    drawn = Console(width=PIPE_WIDTH_COLUMNS, file=io.StringIO(), color_system=None)
    with drawn.capture() as captured:
        drawn.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values in two columns; a pair whose value is None is left out."""
    shown = [(name, show(value)) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {value}")


def show_confidence(confidence: float | None) -> str | None:
    """Return a confidence (0..1) with two digits, rounded down: what is not certain must not look it."""
    if confidence is None:
        return None
    return str(Decimal(str(confidence)).quantize(Decimal("0.01"), ROUND_FLOOR))


def show(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
