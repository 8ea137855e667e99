"""Structured logging: text for people on a terminal, one JSON object a line for everything else."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import orjson

from captchad.domain.hidden_values import NOTHING_HIDDEN, HiddenValues
from captchad.domain.plain_text import bound_message, cut_text, escape_control_characters, escape_in_json
from captchad.telemetry.colours import wants_colours
from captchad.telemetry.escaping import repair_surrogates
from captchad.telemetry.line_writer import LineWriter, Write, find_write

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "text", "json"]

NO_TASK = ""
_task_id: ContextVar[str | None] = ContextVar("captchad_task_id", default=None)
_hidden: ContextVar[HiddenValues] = ContextVar("captchad_hidden_values", default=NOTHING_HIDDEN)
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "task_id", "taskName"}
_COLOURS = {
    "DEBUG": "\x1b[2m",
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[1;31m",
}
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_LEVEL_WIDTH = 7
_TRACEBACK_INDENT = "    | "
_TEXT_LIMIT_BYTES = 8192
_TRACEBACK_LIMIT_BYTES = 65_536
_NOISY_LOGGERS = ("aiohttp.access", "asyncio")


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """The role and node of every line."""

    role: str
    node: str


@contextmanager
def task_context(task_id: str, hidden: HiddenValues = NOTHING_HIDDEN) -> Iterator[None]:
    """Put `task_id` on every line logged inside, and keep what is hidden out of it: pages and drivers repeat it."""
    tokens = _task_id.set(task_id), _hidden.set(hidden)
    try:
        yield
    finally:
        _task_id.reset(tokens[0])
        _hidden.reset(tokens[1])


def shared_logger(name: str) -> logging.Logger:
    """Return the logger of a part that all tasks share: its lines are about none of them, whoever calls it."""
    logger = logging.getLogger(name)
    logger.addFilter(_forget_task)
    return logger


def taskless_context() -> Context:
    """Return a copy of the present context without the task, for work that outlives it."""
    context = copy_context()
    context.run(_task_id.set, None)
    return context


def _forget_task(record: logging.LogRecord) -> bool:
    vars(record)["task_id"] = NO_TASK
    return True


def configure_logging(
    level: LogLevel, log_format: LogFormat, identity: LogIdentity, stream: TextIO | None = None
) -> None:
    """Send all logging to `stream` (standard error), replacing what was configured before.

    `auto` is text where the stream is a terminal and JSON otherwise; colours are for terminals alone.
    """
    stream = stream if stream is not None else sys.stderr
    is_text = log_format == "text" or (log_format == "auto" and stream.isatty())
    handler = LogHandler(find_write(stream))
    handler.setFormatter(
        TextFormatter(identity, has_colours=wants_colours(stream)) if is_text else JsonFormatter(identity)
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.captureWarnings(True)
    set_log_level(level)


def set_log_level(level: LogLevel) -> None:
    """Set the log level, at any time; noisy libraries log from warning on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger().setLevel(number)
    for name in _NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def count_lost_lines() -> int:
    """Return how many lines of this process's log could not be written."""
    return sum(handler.lost_lines for handler in logging.getLogger().handlers if isinstance(handler, LogHandler))


class LogHandler(logging.Handler):
    """Writes each record as it comes; those that can't be written are counted, and said as soon as one can be."""

    def __init__(self, write: Write) -> None:
        super().__init__()
        self._lines = LineWriter(write, self._word_loss)

    @property
    def lost_lines(self) -> int:
        """How many records could not be written."""
        return self._lines.lost_lines

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - whatever was logged must not fail who logged it
            self.handleError(record)
        else:
            self._lines.put(line.encode("utf-8", "backslashreplace"))

    def _word_loss(self, message: str) -> bytes:
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, None, None)
        # It is about the log, whatever task the line after it is about.
        token = _task_id.set(None)
        try:
            return self.format(record).encode()
        finally:
            _task_id.reset(token)


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object: time, level, role, node, message, task id and extra fields."""

    def __init__(self, identity: LogIdentity) -> None:
        super().__init__()
        self._identity = identity

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        entry: dict[str, Any] = {
            "time": _format_time(record),
            "level": record.levelname.lower(),
            "role": self._identity.role,
            "node": self._identity.node,
            "logger": record.name,
            "message": _repair(_hidden.get().hide(record.getMessage())),
        }
        task_id = _task_id_of(record)
        if task_id is not None:
            entry["task_id"] = task_id
        entry.update({name: value for name, value in _extras_of(record).items() if name not in entry})
        traceback = _format_traceback(self, record)
        if traceback:
            entry["traceback"] = _repair(traceback, _TRACEBACK_LIMIT_BYTES)
        try:
            line = orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        except orjson.JSONEncodeError:
            # A log line is never lost because of what was logged.
            safe = {name: _repair(str(value)) for name, value in entry.items()}
            line = orjson.dumps(safe).decode()
        return escape_in_json(line)


class TextFormatter(logging.Formatter):
    """Formats a record as a line for people; logged text can neither break the line nor control the terminal."""

    def __init__(self, identity: LogIdentity, has_colours: bool) -> None:
        super().__init__()
        self._identity = identity
        self._has_colours = has_colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line, its traceback indented below."""
        head = f"{_format_time(record)} {self._paint_level(record.levelname)} {self._identity.node}"
        message = _escape(_hidden.get().hide(record.getMessage()))
        fields = dict(_extras_of(record))
        task_id = _task_id_of(record)
        if task_id is not None:
            fields = {"task_id": task_id, **fields}
        tail = " ".join(f"{name}={_escape(str(value))}" for name, value in fields.items())
        line = f"{head} {record.name.removeprefix('captchad.')}: {message}"
        if tail:
            line += f" {_DIM}{tail}{_PLAIN}" if self._has_colours else f" {tail}"
        traceback = _format_traceback(self, record)
        if traceback:
            rows = cut_text(traceback, _TRACEBACK_LIMIT_BYTES).splitlines()
            line += "".join(f"\n{_TRACEBACK_INDENT}{escape_control_characters(row)}" for row in rows)
        return line

    def _paint_level(self, name: str) -> str:
        padded = name.lower().ljust(_LEVEL_WIDTH)
        return f"{_COLOURS.get(name, '')}{padded}{_PLAIN}" if self._has_colours else padded


def _format_time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _escape(text: str) -> str:
    return bound_message(text, _TEXT_LIMIT_BYTES)


def _repair(text: str, limit_bytes: int = _TEXT_LIMIT_BYTES) -> str:
    return repair_surrogates(cut_text(text, limit_bytes))


def _task_id_of(record: logging.LogRecord) -> str | None:
    task_id = getattr(record, "task_id", None)
    task_id = _task_id.get() if task_id is None else task_id
    return None if task_id in (None, NO_TASK) else str(task_id)


def _extras_of(record: logging.LogRecord) -> dict[str, Any]:
    found = {name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}
    return {name: _hidden.get().hide(value) if isinstance(value, str) else value for name, value in found.items()}


def _format_traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return _hidden.get().hide("\n".join(parts))
