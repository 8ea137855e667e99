"""Parses the log lines of roles."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

PLAIN_LEVEL = "plain"
WORTH_SHOWING = frozenset({"warning", "error", "critical", PLAIN_LEVEL})

_BY_WEIGHT = (frozenset({"error", "critical", PLAIN_LEVEL}), WORTH_SHOWING)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `level` is "plain" and `logger` empty for what the logging did not write, such as a traceback."""

    level: str
    message: str
    logger: str = ""


def read_log_line(line: str) -> LogLine:
    """Parse a line in JSON or text format."""
    if line.startswith("{"):
        try:
            # The standard library's: a host's commands come without any extra.
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return LogLine(PLAIN_LEVEL, line)
        if isinstance(entry, dict) and "message" in entry:
            task = f" ({entry['task_id']})" if entry.get("task_id") else ""
            level, logger = str(entry.get("level", PLAIN_LEVEL)), str(entry.get("logger", ""))
            return LogLine(level, f"{entry['message']}{task}", logger)
    parts = line.split(maxsplit=2)
    if len(parts) == 3 and parts[0].endswith("Z") and parts[0][:1].isdigit():  # noqa: PLR2004 - time, level, rest
        return LogLine(parts[1], parts[2], _find_logger(parts[2]))
    return LogLine(PLAIN_LEVEL, line)


def _find_logger(text: str) -> str:
    """Return the logger of a line in text format: after the node, and without the package's name."""
    _, _, rest = text.partition(" ")
    logger, colon, _ = rest.partition(": ")
    return f"captchad.{logger}" if colon else ""


def find_last_words(lines: Iterable[str], count: int) -> list[str]:
    """Return the last messages of the gravest kind there is: what a process ended of, not how it ended."""
    read = [read_log_line(line) for line in lines if line.strip()]
    for levels in _BY_WEIGHT:
        telling = [line for line in read if line.level in levels]
        if telling:
            read = telling
            break
    return [line.message for line in read[-count:]]
