import json
from datetime import UTC, datetime

import pytest

from captchad.deployment.log_search import LogChoice, LogRecord, parse_since, read_journal_line, read_record

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
LINE = json.dumps(
    {
        "time": "2026-01-02T03:04:05.000Z",
        "level": "error",
        "node": "worker-1",
        "message": "it broke",
        "task_id": "task_1",
    }
)


def journal(**entry: object) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": str(int(AT * 1_000_000)), "PRIORITY": "6", **entry})


def test_a_roles_line_keeps_its_own_level_time_and_task() -> None:
    record = read_journal_line(journal(MESSAGE=LINE, _SYSTEMD_UNIT="captchad-worker@1.service"))
    assert record == LogRecord(AT, "error", "worker-1", "it broke", "task_1")


def test_the_level_stands_where_grep_finds_it() -> None:
    assert read_record(LINE, "x").word() == "2026-01-02T03:04:05Z ERROR   worker-1: it broke task_id=task_1"


def test_what_systemd_says_of_a_unit_has_its_name_and_the_journals_level() -> None:
    line = journal(MESSAGE="Failed to start", UNIT="captchad-gateway.service", _SYSTEMD_UNIT="init.scope", PRIORITY="3")
    assert read_journal_line(line) == LogRecord(AT, "error", "captchad-gateway", "Failed to start")


@pytest.mark.parametrize("message", ["plain", "{broken", "{}", "[1]"])
def test_what_is_no_line_of_a_role_is_shown_as_it_is(message: str) -> None:
    assert read_record(message, "redis", AT) == LogRecord(AT, "info", "redis", message)


def test_bytes_in_the_journal_are_left_out() -> None:
    assert read_journal_line(journal(MESSAGE=[1, 2])) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", AT),
        ("2026-01-02 03:04:05+00:00", AT),
        ("15m", AT - 900),
        ("2h ago", AT - 7200),
        ("3d", AT - 259_200),
        ("5min", AT - 300),
        ("2 hours ago", AT - 7200),
    ],
)
def test_since_takes_times_and_distances(text: str, moment: float) -> None:
    assert parse_since(text, AT) == moment


def test_since_takes_what_the_guide_writes_as_local_time() -> None:
    assert parse_since("2024-01-01T10:00:00", AT) == datetime(2024, 1, 1, 10).astimezone().timestamp()


@pytest.mark.parametrize(
    "text", ["soon", "5months", "5mo", "2w", "3dogs", "999999d", "1969-12-31T00:00:00Z", "0001-01-01"]
)
def test_since_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|before 1970|out of range"):
        parse_since(text, AT)


def test_lines_are_chosen_by_level_task_and_time() -> None:
    record = read_record(LINE, "x")
    assert LogChoice().wants(record)
    assert LogChoice("error", "task_1", AT).wants(record)
    assert not LogChoice("critical").wants(record)
    assert not LogChoice(task_id="task_2").wants(record)
    assert not LogChoice(since_seconds=AT + 1).wants(record)
