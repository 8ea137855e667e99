"""Logging: one line a record, task ids on it, nothing injected into it."""

import asyncio
import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.hidden_values import HiddenValues
from captchad.domain.plain_text import escape_control_characters
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.logs import (
    LogIdentity,
    configure_logging,
    count_lost_lines,
    set_log_level,
    shared_logger,
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


def test_a_terminal_whose_user_wants_no_colours_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    configure_logging("info", "auto", IDENTITY, terminal)
    logger.warning("slow")
    assert "warning worker-1 solving.attempt: slow" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_a_full_disk_costs_lines_which_are_counted_and_said_once_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "role.log"
    with path.open("w") as file, Path("/dev/full").open("w") as full:
        room = os.dup(file.fileno())
        configure_logging("info", "json", IDENTITY, file)
        logger.info("before")
        os.dup2(full.fileno(), file.fileno())
        for number in range(3):
            logger.info("lost %d", number)
        assert count_lost_lines() == 3
        os.dup2(room, file.fileno())
        os.close(room)
        with task_context("task_00a"):
            logger.info("after")
        logger.info("later")
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    lost = "3 lines could not be written: No space left on device"
    assert [entry["message"] for entry in entries] == ["before", lost, "after", "later"]
    assert [entry.get("task_id") for entry in entries] == [None, None, "task_00a", None]
    assert entries[1]["level"] == "warning"


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


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_about_a_task_has_none_of_its_secrets(log_format: str) -> None:
    stream = io.StringIO()
    configure_logging("info", log_format, IDENTITY, stream)  # type: ignore[arg-type]
    with task_context("task_00a", HiddenValues(["a-password"])):
        logger.info("the page says %s", "a-password", extra={"seen": "a-password"})
        try:
            int("a-password")
        except ValueError:
            logger.exception("failed")
    logger.info("a-password is but a word to others")
    inside, outside = stream.getvalue().splitlines()[:-1], stream.getvalue().splitlines()[-1]
    assert "a-password" not in "".join(inside)
    assert "".join(inside).count("[hidden]") == 4
    assert "a-password" in outside


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


def test_a_line_of_what_all_tasks_share_bears_no_task() -> None:
    for log_format in ("json", "text"):
        stream = io.StringIO()
        configure_logging("info", log_format, IDENTITY, stream)  # type: ignore[arg-type]
        with task_context("task_00a"):
            shared_logger("captchad.broker.connection").warning("Redis does not answer")
            logger.info("at work")
        shared, own = stream.getvalue().splitlines()
        assert "task" not in shared
        assert "task_00a" in own


async def test_what_a_task_happens_to_start_bears_no_task() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", IDENTITY, stream)
    work = TaskSet("browsers")

    async def log_later() -> None:
        await asyncio.sleep(0)
        logger.info("launched")

    async def fail() -> None:
        raise ValueError("broken")

    with task_context("task_a"):
        work.spawn(log_later(), "launch")
        work.spawn(fail(), "fail")
        await work.wait_all()
        await asyncio.sleep(0)
        logger.info("at work")
    assert ["task_id" in entry for entry in read_json_lines(stream)] == [False, False, True]


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
