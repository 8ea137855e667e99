"""One place of each kind for all tests of a module; each test has a stage of its own on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

import pytest
import pytest_asyncio

from captchad.browser.browsers.connection import BrowserSource
from captchad.browser.remote.source import RemoteBrowsers
from captchad.domain.errors import DependencyMissing
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from tests.integration.browser.remote.places import CdpPlace, GridPlace, Place, PlaywrightPlace
from tests.integration.browser.remote.relay import Relay
from tests.integration.browser.stage import LocalSite, Stage
from tests.patience import PATIENCE_SECONDS

SomePlace = TypeVar("SomePlace", bound=Place)
KINDS: dict[str, type[Place]] = {"cdp": CdpPlace, "playwright": PlaywrightPlace}
CLOSED_PORT = 9


@pytest.fixture(scope="session")
def grid() -> Iterator[GridPlace]:
    """The one Grid of the run, since it takes long to start."""
    yield from run_place(GridPlace())


@pytest.fixture(scope="module", params=[*KINDS, "selenium"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "selenium":
        yield request.getfixturevalue("grid")
    else:
        yield from run_place(KINDS[request.param]())


def run_place(place: SomePlace) -> Iterator[SomePlace]:
    try:
        place.start()
        yield place
    finally:
        place.stop()


@pytest_asyncio.fixture
async def relay(place: Place) -> AsyncIterator[Relay]:
    relay = Relay(place.port)
    await relay.start()
    yield relay
    await relay.stop()


@pytest_asyncio.fixture
async def stage(place: Place, relay: Relay) -> AsyncIterator[Stage]:
    """A stage whose browsers are reached through the relay, after an address where there is none."""

    def make_source(proxy: FilteringProxy, clock: Clock) -> BrowserSource:
        urls = (place.url_through(CLOSED_PORT), place.url_through(relay.port))
        endpoints = [place.make_endpoint(url, proxy, clock) for url in urls]
        return RemoteBrowsers(endpoints, proxy.open_login, clock, must_have_sandbox=True)

    stage = Stage(make_source=make_source)
    await stage.proxy.start()
    try:
        await start_when_back(stage)
        yield stage
    finally:
        await stage.close()


async def start_when_back(stage: Stage) -> None:
    """Start as soon as the place has recovered from what the test before did to it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await stage.engine.start()
            except DependencyMissing:
                await asyncio.sleep(0.5)


@pytest_asyncio.fixture
async def site(stage: Stage) -> LocalSite:
    return await stage.add_site()
