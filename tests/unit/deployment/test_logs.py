"""The bounded log and the reading of its lines."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.deployment.log_file import LogFile
from captchad.deployment.log_lines import LogLine, find_last_words, read_log_line


def test_lines_are_appended_and_the_last_remembered(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "role.log")
    for number in range(30):
        log.append(b"line %d" % number)
    log.close()
    assert (tmp_path / "logs" / "role.log").read_bytes().count(b"\n") == 30
    assert log.read_last_lines(2) == ["line 28", "line 29"]
    log.begin_process()
    assert log.read_last_lines(2) == []


def test_full_log_is_put_aside_once(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "role.log", limit_bytes=100)
    for _ in range(50):
        log.append(b"x" * 20)
    log.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"role.log", "role.log.1"}
    assert max(sizes.values()) <= 100


def test_what_a_full_disk_refuses_is_counted_and_said_once_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "role.log"
    path.symlink_to("/dev/full")
    log = LogFile(path)
    for number in range(3):
        log.append(b"lost %d" % number)
    assert (log.lost_lines, log.failure) == (3, "No space left on device")
    path.unlink()
    log.append(b"kept")
    log.close()
    notice, kept = path.read_bytes().splitlines()
    assert json.loads(notice)["message"] == "3 lines could not be written: No space left on device"
    assert (kept, log.failure) == (b"kept", "")
    assert log.read_last_lines(2) == ["lost 2", "kept"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"level":"warning","message":"slow","task_id":"task_1"}', LogLine("warning", "slow (task_1)")),
        ('{"level":"info","message":"fine","logger":"captchad.a"}', LogLine("info", "fine", "captchad.a")),
        ("2026-01-01T00:00:00.000Z error   gateway-h a.b: no", LogLine("error", "gateway-h a.b: no", "captchad.a.b")),
        ("captchad: no Chromium", LogLine("plain", "captchad: no Chromium")),
        ("{broken", LogLine("plain", "{broken")),
        ('{"a": 1}', LogLine("plain", '{"a": 1}')),
    ],
)
def test_level_message_and_logger_are_found(line: str, found: LogLine) -> None:
    assert read_log_line(line) == found


@given(st.text())
def test_any_line_can_be_read(line: str) -> None:
    assert read_log_line(line).message in line or line.startswith("{")


INFO, WARNING = '{"level":"info","message":"listening"}', '{"level":"warning","message":"no target"}'
STOPPED = '{"level":"info","message":"worker has stopped"}'


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([WARNING, INFO, "captchad: no Chromium", STOPPED], ["captchad: no Chromium"]),
        ([INFO, '{"level":"error","message":"away"}', "", "captchad: gone"], ["away", "captchad: gone"]),
        ([INFO, WARNING, STOPPED], ["no target"]),
        ([INFO, STOPPED], ["listening", "worker has stopped"]),
        ([" ", ""], []),
        (["1", "2", "3"], ["2", "3"]),
    ],
)
def test_last_words_are_those_that_say_why(lines: list[str], words: list[str]) -> None:
    assert find_last_words(lines, 2) == words
