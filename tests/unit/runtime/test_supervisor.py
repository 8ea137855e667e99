"""Starting, failing and ending a process's services."""

import asyncio
import os
import signal

import pytest

from captchad.domain.errors import BrokerUnavailable, ConfigurationError, ConfigurationProblem
from captchad.runtime.notify import NotifySocket
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.supervisor import Supervisor
from tests.patience import until_true


class Recorder(Service):
    """Notes what happens to it in a journal shared with others."""

    def __init__(self, name: str, journal: list[str], failure: Exception | None = None, fails_in: str = "") -> None:
        self.name = name
        self._journal = journal
        self._failure = failure
        self._fails_in = fails_in

    async def start(self) -> None:
        self._note("start")

    async def run(self) -> None:
        if self._fails_in == "run":
            self._note("run")
        await asyncio.Event().wait()

    async def drain(self) -> None:
        self._note("drain")

    async def close(self) -> None:
        self._note("close")

    def _note(self, step: str) -> None:
        self._journal.append(f"{self.name}.{step}")
        if self._fails_in == step and self._failure is not None:
            raise self._failure


async def _stop_when_ready(supervisor: Supervisor) -> None:
    while not supervisor.is_ready:
        await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)


async def test_services_start_in_order_and_end_in_reverse_on_sigterm() -> None:
    journal: list[str] = []
    supervisor = Supervisor("test", drain_seconds=5)
    stopping = asyncio.ensure_future(_stop_when_ready(supervisor))
    assert await supervisor.run([Recorder("a", journal), Recorder("b", journal)]) == 0
    await stopping
    assert journal == ["a.start", "b.start", "b.drain", "a.drain", "b.close", "a.close"]
    assert not supervisor.is_ready


class Failing(Recorder):
    """Fails each of the first times it is run."""

    def __init__(self, journal: list[str], failures: list[Exception]) -> None:
        super().__init__("b", journal)
        self._failures = failures

    async def run(self) -> None:
        self._note("run")
        if self._failures:
            raise self._failures.pop(0)
        await super().run()


async def test_a_failing_service_is_begun_anew_and_not_ready_until_it_has_worked_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("captchad.runtime.supervisor.FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("captchad.runtime.supervisor.WORKING_SECONDS", 0.05)
    journal: list[str] = []
    failed: list[str] = []
    failures = [ValueError("broken"), OSError(24, "too many open files"), BrokerUnavailable("away")]
    supervisor = Supervisor("test", drain_seconds=5, on_failure=failed.append)
    reasons: set[str] = set()

    async def watch_and_stop() -> None:
        while not supervisor.is_ready or journal.count("b.run") < 4:
            reasons.add(supervisor.health().get("b", ServiceHealth(True)).reason)
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = asyncio.ensure_future(watch_and_stop())
    assert await supervisor.run([Recorder("a", journal), Failing(journal, failures)]) == 0
    await stopping
    assert failed == ["b", "b", "b"]
    assert "failed: broken" in reasons
    assert journal[-4:] == ["b.drain", "a.drain", "b.close", "a.close"]


async def test_what_a_person_must_mend_ends_the_process() -> None:
    journal: list[str] = []
    refusal = ConfigurationError((ConfigurationProblem("redis", "refuses the login"),))
    with pytest.raises(ConfigurationError, match="refuses the login"):
        await Supervisor("test", drain_seconds=5).run([Recorder("a", journal), Failing(journal, [refusal])])
    assert journal[-2:] == ["b.close", "a.close"]


async def test_a_refusal_to_start_is_raised_after_what_had_started_is_closed() -> None:
    journal: list[str] = []
    refusal = ConfigurationError((ConfigurationProblem("redis", "is wrong"),))
    services = [Recorder("a", journal), Recorder("b", journal, refusal, fails_in="start"), Recorder("c", journal)]
    with pytest.raises(ConfigurationError, match="is wrong"):
        await Supervisor("test", drain_seconds=5).run(services)
    assert journal == ["a.start", "b.start", "b.drain", "a.drain", "b.close", "a.close"]


async def test_draining_is_bounded() -> None:
    class Stuck(Recorder):
        async def drain(self) -> None:
            await asyncio.Event().wait()

    journal: list[str] = []
    supervisor = Supervisor("test", drain_seconds=0.05)
    stopping = asyncio.ensure_future(_stop_when_ready(supervisor))
    assert await supervisor.run([Stuck("a", journal)]) == 0
    await stopping
    assert journal == ["a.start", "a.close"]


async def test_sighup_reloads_and_a_wrong_configuration_changes_nothing() -> None:
    reloads = []

    async def reload() -> None:
        reloads.append(1)
        os.kill(os.getpid(), signal.SIGTERM)
        raise ConfigurationError((ConfigurationProblem("worker", "is wrong"),))

    async def hang_up() -> None:
        while not supervisor.is_ready:
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGHUP)

    supervisor = Supervisor("test", drain_seconds=5, on_reload=reload)
    hanging_up = asyncio.ensure_future(hang_up())
    assert await supervisor.run([Recorder("a", [])]) == 0
    await hanging_up
    assert reloads == [1]


async def test_the_watchdog_is_fed_from_before_the_first_start_until_after_the_last_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beats: list[str] = []
    listener = NotifySocket(lambda _, states: beats.extend(states))
    monkeypatch.setenv("NOTIFY_SOCKET", listener.address)
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)

    async def await_beat() -> None:
        beats.clear()
        await until_true(lambda: "WATCHDOG=1" in beats)

    class Slow(Service):
        async def start(self) -> None:
            await await_beat()

        async def close(self) -> None:
            await await_beat()

    supervisor = Supervisor("test", drain_seconds=5)
    stopping = asyncio.ensure_future(_stop_when_ready(supervisor))
    assert await supervisor.run([Slow()]) == 0
    await stopping
    listener.close()
