"""Parses the log lines of roles."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

PLAIN_LEVEL = "plain"
WORTH_SHOWING = frozenset({"warning", "error", "critical", PLAIN_LEVEL})

_BY_WEIGHT = (frozenset({"error", "critical", PLAIN_LEVEL}), WORTH_SHOWING)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `level` is "plain" for what was not written by the logging, such as a traceback."""

    level: str
    message: str


def read_log_line(line: str) -> LogLine:
    """Parse a line in JSON or text format."""
    if line.startswith("{"):
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            return LogLine(PLAIN_LEVEL, line)
        if isinstance(entry, dict) and "message" in entry:
            task = f" ({entry['task_id']})" if entry.get("task_id") else ""
            return LogLine(str(entry.get("level", PLAIN_LEVEL)), f"{entry['message']}{task}")
    parts = line.split(maxsplit=2)
    if len(parts) == 3 and parts[0].endswith("Z") and parts[0][:1].isdigit():  # noqa: PLR2004 - time, level, rest
        return LogLine(parts[1], parts[2])
    return LogLine(PLAIN_LEVEL, line)


def find_last_words(lines: Iterable[str], count: int) -> list[str]:
    """Return the last messages of the gravest kind there is: what a process ended of, not how it ended."""
    read = [read_log_line(line) for line in lines if line.strip()]
    for levels in _BY_WEIGHT:
        telling = [line for line in read if line.level in levels]
        if telling:
            read = telling
            break
    return [line.message for line in read[-count:]]
