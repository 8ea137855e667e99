"""Prints what happens to supervised processes, for people or as a JSON object a line."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TextIO

import click

from captchad.cli.line_output import LineOutput
from captchad.deployment.events import ServiceEvent, ServiceEventKind
from captchad.deployment.log_lines import WORTH_SHOWING
from captchad.domain.plain_text import escape_control_characters, escape_in_json
from captchad.telemetry.colours import wants_colours
from captchad.telemetry.line_writer import find_write

_COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}


class EventPrinter:
    """Prints lines as they come, without ever waiting for whoever reads them.

    Log lines below warning are for `is_verbose` alone; `is_brief` leaves out all log lines, `is_quiet` everything.
    Lines go to standard output, or to another stream.
    """

    def __init__(
        self,
        *,
        is_json: bool = False,
        is_verbose: bool = False,
        is_brief: bool = False,
        is_quiet: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self._is_json = is_json
        self._is_verbose = is_verbose
        self._is_brief = is_brief
        self._is_quiet = is_quiet
        stream = stream or sys.stdout
        self._has_colours = wants_colours(stream)
        self._output = LineOutput(find_write(stream))

    def print_event(self, event: ServiceEvent) -> None:
        """Print one event."""
        if self._is_quiet or not self._is_wanted(event):
            return
        if self._is_json:
            members = {"event": event.kind, "name": event.name, "text": event.text, "level": event.level}
            self._print_json(members)
            return
        self._print(f"{_time_of_day()} {event.name:<10} {event.text}", fg=_COLOURS.get(event.level))

    def say(self, text: str) -> None:
        """Print a line that concerns everything."""
        if self._is_quiet:
            return
        if self._is_json:
            self._print_json({"event": "say", "text": text})
        else:
            self._print(f"{_time_of_day()} {text}")

    def summarise(self, title: str, values: Mapping[str, str]) -> None:
        """Print names and values under a title."""
        if self._is_quiet:
            return
        if self._is_json:
            self._print_json({"event": "up", **values})
            return
        self._print("")
        self._print(title, is_bold=True)
        width = max(len(name) for name in values)
        for name, value in values.items():
            self._print(f"  {name:<{width}}  {value}")
        self._print("")

    def flush(self) -> None:
        """Wait for a moment until everything is printed; other output comes after it then."""
        self._output.flush()

    def _print_json(self, members: Mapping[str, str | None]) -> None:
        self._output.put(escape_in_json(json.dumps(members, ensure_ascii=False)))

    def _print(self, line: str, fg: str | None = None, is_bold: bool = False) -> None:
        line = escape_control_characters(line)
        is_styled = self._has_colours and (fg is not None or is_bold)
        self._output.put(click.style(line, fg=fg, bold=is_bold or None) if is_styled else line)

    def _is_wanted(self, event: ServiceEvent) -> bool:
        if self._is_brief:
            return event.kind in {ServiceEventKind.READY, ServiceEventKind.ENDED}
        if event.kind is not ServiceEventKind.LOGGED or self._is_verbose:
            return True
        return event.level in WORTH_SHOWING


def _time_of_day() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")  # noqa: TID251 - shown to people, nothing else
