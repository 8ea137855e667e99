"""Logging: one line a record, task ids on it, nothing injected into it."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.plain_text import escape_control_characters
from captchad.telemetry.logs import (
    LogIdentity,
    configure_logging,
    set_log_level,
    task_context,
)

IDENTITY = LogIdentity(role="worker", node="worker-1")
logger = logging.getLogger("captchad.solving.attempt")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def read_json_lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_pipe_gets_one_json_object_a_line() -> None:
    stream = io.StringIO()
    configure_logging("info", "auto", IDENTITY, stream)
    logger.info("opened %s", "http://localhost/", extra={"stage": "open"})
    (entry,) = read_json_lines(stream)
    assert entry["message"] == "opened http://localhost/"
    assert entry["role"] == "worker"
    assert entry["node"] == "worker-1"
    assert entry["level"] == "info"
    assert entry["stage"] == "open"
    assert str(entry["time"]).endswith("Z")
    assert "task_id" not in entry


def test_a_terminal_gets_coloured_text_and_a_file_plain_text() -> None:
    terminal, file = Terminal(), io.StringIO()
    configure_logging("info", "auto", IDENTITY, terminal)
    logger.warning("slow")
    configure_logging("info", "text", IDENTITY, file)
    logger.warning("slow")
    assert "\x1b[33m" in terminal.getvalue()
    assert "\x1b" not in file.getvalue()
    assert "warning worker-1 solving.attempt: slow" in file.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_about_a_task_bears_its_id(log_format: str) -> None:
    stream = io.StringIO()
    configure_logging("info", log_format, IDENTITY, stream)  # type: ignore[arg-type]
    with task_context("task_00a"):
        logger.info("inside")
    logger.info("outside")
    inside, outside = stream.getvalue().splitlines()
    assert "task_00a" in inside
    assert "task_00a" not in outside


async def test_the_id_follows_into_tasks_and_does_not_mix() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", IDENTITY, stream)

    async def work(task_id: str) -> None:
        with task_context(task_id):
            await asyncio.sleep(0)
            await asyncio.gather(log_deeper(task_id), log_deeper(task_id))

    async def log_deeper(task_id: str) -> None:
        await asyncio.sleep(0)
        logger.info("at work", extra={"seen": task_id})

    await asyncio.gather(work("task_a"), work("task_b"))
    entries = read_json_lines(stream)
    assert sorted(str(entry["task_id"]) for entry in entries) == ["task_a", "task_a", "task_b", "task_b"]
    assert all(entry["task_id"] == entry["seen"] for entry in entries)


def test_the_level_changes_while_running() -> None:
    stream = io.StringIO()
    configure_logging("warning", "json", IDENTITY, stream)
    logger.info("unheard")
    set_log_level("debug")
    logger.debug("heard")
    assert [entry["message"] for entry in read_json_lines(stream)] == ["heard"]


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_message_can_start_a_line_of_its_own(message: str) -> None:
    for log_format in ("text", "json"):
        stream = io.StringIO()
        configure_logging("info", log_format, IDENTITY, stream)  # type: ignore[arg-type]
        logger.info("%s", message, extra={"field": message})
        assert stream.getvalue().count("\n") == 1
        if log_format == "text":
            assert len(stream.getvalue().splitlines()) == 1
            assert "\x1b" not in stream.getvalue()
        assert escape_control_characters(stream.getvalue().rstrip("\n")) == stream.getvalue().rstrip("\n")
        stream.getvalue().encode()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_is_no_longer_than_ten_kilobytes_whatever_is_logged(log_format: str) -> None:
    stream = io.StringIO()
    configure_logging("info", log_format, IDENTITY, stream)  # type: ignore[arg-type]
    logger.info("the page is at %s", "x" * 2_000_000)
    assert len(stream.getvalue()) < 10_000
    assert "the page is at xxx" in stream.getvalue()


def test_a_traceback_is_indented_and_cannot_imitate_a_line() -> None:
    stream = io.StringIO()
    configure_logging("info", "text", IDENTITY, stream)
    error = ValueError("first\n2026-01-01T00:00:00.000Z error worker-1 forged: line\x1b[2J")
    logger.error("it failed", exc_info=error)
    head, *rest = stream.getvalue().splitlines()
    assert "it failed" in head
    assert rest
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in stream.getvalue()


def test_json_keeps_the_traceback_inside_the_object() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", IDENTITY, stream)
    error = ValueError("broken")
    logger.error("it failed", exc_info=error)
    (entry,) = read_json_lines(stream)
    assert "ValueError: broken" in str(entry["traceback"])


def test_values_json_does_not_know_are_written_as_text() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", IDENTITY, stream)
    logger.info("odd", extra={"big": 2**80, "thing": object(), "lone": "\ud800"})
    (entry,) = read_json_lines(stream)
    assert entry["big"] == str(2**80)
    assert entry["lone"] == "\\ud800"


def test_an_extra_cannot_replace_a_field_of_ours() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", IDENTITY, stream)
    logger.info("mine", extra={"role": "gateway", "level": "debug"})
    (entry,) = read_json_lines(stream)
    assert entry["role"] == "worker"
    assert entry["level"] == "info"
