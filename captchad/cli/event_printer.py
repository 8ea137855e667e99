"""Prints what happens to supervised processes, for people or as a JSON object a line."""

from collections.abc import Mapping
from datetime import datetime

from captchad.cli.printing import print_json, say
from captchad.deployment.events import ServiceEvent, ServiceEventKind
from captchad.deployment.log_lines import WORTH_SHOWING

_COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}


class EventPrinter:
    """Prints lines as they come.

    Log lines below warning are for `is_verbose` alone; `is_brief` leaves out all log lines, `is_quiet` everything.
    """

    def __init__(
        self, *, is_json: bool = False, is_verbose: bool = False, is_brief: bool = False, is_quiet: bool = False
    ) -> None:
        self._is_json = is_json
        self._is_verbose = is_verbose
        self._is_brief = is_brief
        self._is_quiet = is_quiet

    def print_event(self, event: ServiceEvent) -> None:
        """Print one event."""
        if self._is_quiet or not self._is_wanted(event):
            return
        if self._is_json:
            members = {"event": event.kind, "name": event.name, "text": event.text, "level": event.level}
            print_json(members, is_one_line=True)
            return
        say(f"{_time_of_day()} {event.name:<10} {event.text}", colour=_COLOURS.get(event.level))

    def say(self, text: str) -> None:
        """Print a line that concerns everything."""
        if self._is_quiet:
            return
        if self._is_json:
            print_json({"event": "say", "text": text}, is_one_line=True)
        else:
            say(f"{_time_of_day()} {text}")

    def summarise(self, title: str, values: Mapping[str, str]) -> None:
        """Print names and values under a title."""
        if self._is_quiet:
            return
        if self._is_json:
            print_json({"event": "up", **values}, is_one_line=True)
            return
        say("")
        say(title, is_bold=True)
        width = max(len(name) for name in values)
        for name, value in values.items():
            say(f"  {name:<{width}}  {value}")
        say("")

    def _is_wanted(self, event: ServiceEvent) -> bool:
        if self._is_brief:
            return event.kind in {ServiceEventKind.READY, ServiceEventKind.ENDED}
        if event.kind is not ServiceEventKind.LOGGED or self._is_verbose:
            return True
        return event.level in WORTH_SHOWING


def _time_of_day() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")  # noqa: TID251 - shown to people, nothing else
