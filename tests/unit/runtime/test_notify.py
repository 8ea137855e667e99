"""Talking to systemd."""

import os
import socket
from pathlib import Path

import pytest

from captchad.runtime.notify import NotifySocket, notify_systemd, watchdog_interval_seconds
from tests.patience import until_true


def test_a_state_is_sent_to_the_socket_systemd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        assert notify_systemd("READY=1")
        assert listener.recv(100) == b"READY=1"


def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify_systemd("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent/socket")
    assert not notify_systemd("READY=1")


def test_the_watchdog_is_fed_twice_in_its_time_and_only_by_the_process_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert watchdog_interval_seconds() == 10
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    assert watchdog_interval_seconds() is None
    monkeypatch.delenv("WATCHDOG_USEC")
    assert watchdog_interval_seconds() is None


async def test_what_a_process_reports_is_heard_with_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[int, list[str]]] = []
    listener = NotifySocket(lambda process_id, states: heard.append((process_id, states)))
    monkeypatch.setenv("NOTIFY_SOCKET", listener.address)
    assert notify_systemd("READY=1\nSTATUS=well")
    assert notify_systemd("WATCHDOG=1")
    await until_true(lambda: len(heard) == 2)
    assert heard == [(os.getpid(), ["READY=1", "STATUS=well"]), (os.getpid(), ["WATCHDOG=1"])]
    listener.close()
    assert not notify_systemd("WATCHDOG=1")
