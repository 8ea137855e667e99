import asyncio
from types import SimpleNamespace

import pytest

from captchad.browser.connection import BrowserConnection, LaunchFailed
from captchad.browser.pool import SLOTS
from captchad.browser.supply import OVERGROWN_FACTOR, BrowserSupply
from captchad.config.sections import BrowserSection
from captchad.runtime.clock import Clock
from tests.patience import PATIENCE_SECONDS

LIMIT_BYTES = 1000


class MeasuredBrowser(BrowserConnection):
    """A browser that takes as much memory as the test says."""

    def __init__(self, number: int) -> None:
        super().__init__(number, SimpleNamespace(version="1"), "agent", Clock())  # type: ignore[arg-type]
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
    supply = BrowserSupply(BrowserSection(recycle_memory_bytes=LIMIT_BYTES), source)
    first = await supply.borrow()
    source.opened[0].takes_bytes = LIMIT_BYTES * OVERGROWN_FACTOR
    await supply.maintain()
    assert [browser.is_killed for browser in source.opened] == [False, False]
    source.opened[0].takes_bytes += 1
    await supply.maintain()
    assert [browser.is_killed for browser in source.opened] == [True, False]
    assert await supply.borrow() is not first
    assert supply.crashes == 1
    await supply.close()


async def test_who_waits_for_a_browser_goes_on_once_a_full_one_has_room_again() -> None:
    source = MeasuredBrowsers()
    source.most = 1
    supply = BrowserSupply(BrowserSection(), source)
    lent = [await supply.borrow() for _ in range(SLOTS)]
    with pytest.raises(LaunchFailed):
        await supply.borrow()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(supply.wait_serving(), 0.05)
    supply.give_back(lent[0])
    await supply.maintain()
    await asyncio.wait_for(supply.wait_serving(), PATIENCE_SECONDS)
    assert supply.last_problem == ""
    await supply.close()
