"""What only a Selenium Grid has: sessions, of which there may be so many and which live so long."""

import asyncio

import pytest

from captchad.browser.browsers.connection import LaunchFailed, refuse_access
from captchad.browser.remote import selenium
from captchad.browser.remote.selenium import SeleniumEndpoint, SessionLimits
from captchad.browser.remote.source import RemoteBrowsers
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock
from tests.integration.browser.remote.places import GridPlace
from tests.patience import until_true

LIFE_SECONDS = 4.0


def make_source(grid: GridPlace, owner: str, sessions: int, life_seconds: float = 300) -> RemoteBrowsers:
    limits = SessionLimits(sessions, life_seconds)
    endpoint = SeleniumEndpoint(grid.url, owner, limits, FilteringProxy(ScopePolicy(()), Clock()), Clock())
    return RemoteBrowsers([endpoint], refuse_access, Clock(), must_have_sandbox=True)


async def test_sessions_are_bounded_over_all_workers_and_the_dead_ones_are_ended(
    grid: GridPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = await make_source(grid, "one", 1).open()
    killed.kill()
    with monkeypatch.context() as impatient:
        impatient.setattr(selenium, "WAIT_FOR_ROOM_SECONDS", 0.0)
        with pytest.raises(LaunchFailed, match=r"selenium\.max_sessions"):
            await make_source(grid, "two", 1).open()
    reborn = await make_source(grid, "one", 1).open()
    assert reborn.is_alive
    await reborn.close()
    await asyncio.to_thread(grid.wait_until_left)
    await killed.close()


async def test_a_session_ends_when_its_time_is_up_whatever_it_does(grid: GridPlace) -> None:
    browser = await make_source(grid, "brief", 4, LIFE_SECONDS).open()
    await until_true(lambda: not browser.is_alive)
    await browser.close()
    await asyncio.to_thread(grid.wait_until_left)
