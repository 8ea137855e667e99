"""Log lines of roles, whatever wrote them down: parsed, chosen and worded alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from captchad.domain.duration import UNIT_SECONDS

LEVELS = ("debug", "info", "warning", "error", "critical")
PRIORITIES = {"0": "critical", "1": "critical", "2": "critical", "3": "error", "4": "warning", "7": "debug"}
_UNIT = "s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?"
_AGO = re.compile(rf"(\d{{1,6}})\s*({_UNIT})(?:\s+ago)?", re.ASCII)
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line; `seconds` is since 1970."""

    seconds: float
    level: str
    source: str
    message: str
    task_id: str = ""

    def word(self) -> str:
        """Return it as people read it, the level in capitals."""
        moment = datetime.fromtimestamp(self.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        task = f" task_id={self.task_id}" if self.task_id else ""
        return f"{moment} {self.level.upper():<7} {self.source}: {self.message}{task}"


@dataclass(frozen=True, slots=True)
class LogChoice:
    """Which lines are wanted: of this level or graver, of this task, from this moment on."""

    level: str = LEVELS[0]
    task_id: str = ""
    since_seconds: float = 0.0

    def wants(self, record: LogRecord) -> bool:
        """Say whether a line is wanted."""
        is_grave = LEVELS.index(record.level) >= LEVELS.index(self.level)
        is_of_task = not self.task_id or self.task_id == record.task_id or self.task_id in record.message
        return is_grave and is_of_task and record.seconds >= self.since_seconds


def parse_since(text: str, now_seconds: float) -> float:
    """Return the moment in seconds since 1970: ISO 8601 (local time without a zone), or 15m, 2h, 3d ago.

    ValueError where it is neither, or lies before 1970.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        moment_seconds = (
            now_seconds - int(ago[1]) * UNIT_SECONDS[ago[2][0]]
            if ago is not None
            else datetime.fromisoformat(text.strip()).timestamp()
        )
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error
    if moment_seconds < 0:
        raise ValueError(f"{text!r} lies before 1970")
    return moment_seconds


def read_journal_line(line: str) -> LogRecord | None:
    """Parse a line of `journalctl --output=json`; None for what is no text."""
    entry = orjson.loads(line)
    message = entry.get("MESSAGE")
    if not isinstance(message, str):
        return None
    seconds = int(entry.get("__REALTIME_TIMESTAMP", 0)) / _MICROSECONDS
    # What systemd itself says of a unit names the unit elsewhere.
    source = str(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or entry.get("SYSLOG_IDENTIFIER", ""))
    level = PRIORITIES.get(str(entry.get("PRIORITY", "6")), "info")
    return read_record(message, source.removesuffix(".service"), seconds, level)


def read_record(message: str, source: str, seconds: float = 0.0, level: str = "info") -> LogRecord:
    """Parse what a role wrote; what is not in its format keeps the given time and level."""
    fields = _read_fields(message)
    if fields is None:
        return LogRecord(seconds, level, source, message)
    found = str(fields.get("level", level))
    traceback = f"\n{fields['traceback']}" if fields.get("traceback") else ""
    return LogRecord(
        _read_time(str(fields.get("time", "")), seconds),
        found if found in LEVELS else level,
        str(fields.get("node", source)),
        f"{fields['message']}{traceback}",
        str(fields.get("task_id", "")),
    )


def _read_fields(message: str) -> Mapping[str, Any] | None:
    if not message.startswith("{"):
        return None
    try:
        fields = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) and "message" in fields else None


def _read_time(text: str, otherwise: float) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return otherwise
