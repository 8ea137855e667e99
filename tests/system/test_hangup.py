"""SIGHUP to `captchad up`, by hand and from a terminal that is closed."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.system.terminal import Terminal
from tests.system.up_process import UpProcess

IN_THE_FOREGROUND = ("setsid", "--ctty")
"""Has the kernel send the signal when the terminal is closed."""

StartIn = Callable[..., tuple[UpProcess, Terminal]]


@pytest.fixture
def start_in_terminal(tmp_path: Path) -> Iterator[StartIn]:
    """Start `up` in a terminal, and wait until it is up; both end with the test."""
    with ExitStack() as stack:

        def start(*launcher: str) -> tuple[UpProcess, Terminal]:
            terminal = stack.enter_context(closing(Terminal()))
            up = UpProcess(tmp_path / "state", "--verbose", terminal=terminal.inside, launcher=launcher)
            stack.callback(up.end)
            up.wait_until_up()
            return up, terminal

        yield start


def assert_stopped_in_order(up: UpProcess) -> None:
    assert up.read_to_the_end() == 0
    assert [event["name"] for event in up.events if event["event"] == "stopped"][-1] == "redis"
    assert {"event": "say", "text": "stopping at once"} not in up.events


def test_hangup_reloads_in_a_terminal_and_a_closed_terminal_ends_it(start_in_terminal: StartIn) -> None:
    up, terminal = start_in_terminal(*IN_THE_FOREGROUND)
    up.signal(signal.SIGHUP)
    up.wait_for("reloaded")
    terminal.hang_up()
    assert_stopped_in_order(up)


def test_terminal_that_is_closed_just_after_the_signal_ends_it_too(start_in_terminal: StartIn) -> None:
    up, terminal = start_in_terminal()
    up.signal(signal.SIGHUP)
    up.wait_for("reloaded")
    terminal.hang_up()
    assert_stopped_in_order(up)
