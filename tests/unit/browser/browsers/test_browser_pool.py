import asyncio
import json
import logging
from types import SimpleNamespace

import pytest

from captchad.browser.browsers.browser_pool import OVERGROWN_FACTOR, BrowserPool
from captchad.browser.browsers.connection import BrowserConnection, LaunchFailed, refuse_access
from captchad.browser.browsers.pool_plan import SLOTS
from captchad.config.settings import BrowserSection
from captchad.runtime.clock import Clock
from captchad.telemetry.logs import JsonFormatter, LogIdentity, task_context
from tests.patience import PATIENCE_SECONDS

LIMIT_BYTES = 1000


class MeasuredBrowser(BrowserConnection):
    """A browser that takes as much memory as the test says."""

    def __init__(self, number: int) -> None:
        super().__init__(number, SimpleNamespace(version="1"), "agent", Clock(), refuse_access)  # type: ignore[arg-type]
        self.takes_bytes = 0

    @property
    def is_alive(self) -> bool:
        return not self.is_killed

    def describe(self) -> str:
        return "measured"

    async def measure(self) -> None:
        self.memory_bytes = self.takes_bytes

    def kill(self) -> None:
        self.is_killed = True

    async def close(self) -> None:
        self.is_killed = True


class MeasuredBrowsers:
    """A source of such browsers."""

    is_alive = True

    def __init__(self) -> None:
        self.opened: list[MeasuredBrowser] = []
        self.most = 100

    async def open(self) -> MeasuredBrowser:
        if len(self.opened) >= self.most:
            raise LaunchFailed("there are no more")
        self.opened.append(MeasuredBrowser(len(self.opened) + 1))
        return self.opened[-1]

    async def stop(self) -> None:
        self.is_alive = False


async def test_a_browser_that_outgrows_its_limit_by_far_is_ended_with_its_pages() -> None:
    source = MeasuredBrowsers()
    pool = BrowserPool(BrowserSection(recycle_memory_bytes=LIMIT_BYTES), source, Clock())
    first = await pool.borrow()
    source.opened[0].takes_bytes = LIMIT_BYTES * OVERGROWN_FACTOR
    await pool.maintain()
    assert [browser.is_killed for browser in source.opened] == [False, False]
    source.opened[0].takes_bytes += 1
    await pool.maintain()
    assert [browser.is_killed for browser in source.opened] == [True, False]
    assert await pool.borrow() is not first
    assert pool.crashes == 1
    await pool.close()


async def test_the_line_about_a_replaced_browser_is_about_no_task(caplog: pytest.LogCaptureFixture) -> None:
    source = MeasuredBrowsers()
    pool = BrowserPool(BrowserSection(), source, Clock())
    formatter = JsonFormatter(LogIdentity("worker", "worker-1"))
    with caplog.at_level(logging.INFO), task_context("task_00a"):
        lent = await pool.borrow()
        source.opened[0].kill()
        pool.give_back(lent)
        lines = [json.loads(formatter.format(record)) for record in caplog.records]
    assert [line["message"] for line in lines if "is replaced" in line["message"]] == [
        "browser 1 (measured) is gone and is replaced"
    ]
    assert not any("task_id" in line for line in lines)
    await pool.close()


async def test_who_waits_for_a_browser_goes_on_once_a_full_one_has_room_again() -> None:
    source = MeasuredBrowsers()
    source.most = 1
    pool = BrowserPool(BrowserSection(), source, Clock())
    lent = [await pool.borrow() for _ in range(SLOTS)]
    with pytest.raises(LaunchFailed):
        await pool.borrow()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pool.wait_serving(), 0.05)
    pool.give_back(lent[0])
    await pool.maintain()
    await asyncio.wait_for(pool.wait_serving(), PATIENCE_SECONDS)
    assert pool.last_problem == ""
    await pool.close()
