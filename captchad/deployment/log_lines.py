"""Parses the log lines of roles."""

from dataclasses import dataclass

import orjson

PLAIN_LEVEL = "plain"
WORTH_SHOWING = frozenset({"warning", "error", "critical", PLAIN_LEVEL})


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
