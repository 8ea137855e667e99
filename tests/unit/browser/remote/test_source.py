"""Which of several places is asked for a browser, and when."""

from typing import Any

import pytest
from playwright.async_api import Playwright

from captchad.browser.browsers.connection import LaunchFailed, refuse_access
from captchad.browser.launch.driver import PlaywrightDriver
from captchad.browser.remote import source
from captchad.browser.remote.endpoint import Reached, RemoteEndpoint
from captchad.browser.remote.source import RemoteBrowsers
from captchad.runtime.clock import Clock


class StandingClock(Clock):
    """Goes on when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_seconds(self) -> float:
        return self.seconds


class ClosedPlace:
    """There is no browser, and that is noted."""

    connect_seconds = 1.0

    def __init__(self, place: str, asked: list[str], error: Exception) -> None:
        self.place = place
        self._asked = asked
        self._error = error

    async def connect(self, playwright: Playwright) -> Reached:
        self._asked.append(self.place)
        raise self._error

    async def finish(self) -> None:
        """Nothing was begun."""


@pytest.fixture(autouse=True)
def _no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(*_: object) -> None:
        return None

    monkeypatch.setattr(PlaywrightDriver, "start", start)


def make_source(clock: Clock, asked: list[str], *errors: Exception) -> RemoteBrowsers:
    endpoints = [ClosedPlace(f"ws://{number}", asked, error) for number, error in enumerate(errors)]
    return RemoteBrowsers(endpoints, refuse_access, clock)


class ScriptedPlaces(RemoteBrowsers):
    """Reaches every place but those that are away."""

    def __init__(self, clock: Clock, *places: str) -> None:
        endpoints = [ClosedPlace(place, [], OSError()) for place in places]
        super().__init__(endpoints, refuse_access, clock)
        self.away: set[str] = set()
        self.asked: list[str] = []

    async def _reach(self, endpoint: RemoteEndpoint) -> Any:
        self.asked.append(endpoint.place)
        if endpoint.place in self.away:
            raise LaunchFailed(f"no browser at {endpoint.place}")
        return endpoint.place

    async def ask(self) -> list[str]:
        """Return the places that were asked for the next browser."""
        self.asked.clear()
        await self.open()
        return self.asked


async def test_a_place_that_failed_comes_after_the_others_for_a_while() -> None:
    clock = StandingClock()
    places = ScriptedPlaces(clock, "first", "second")
    assert await places.ask() == ["first"]
    places.away = {"first"}
    assert await places.ask() == ["first", "second"]
    clock.seconds += source.REST_SECONDS
    assert await places.ask() == ["second"]
    places.away = set()
    clock.seconds += source.DOUBT_SECONDS
    assert await places.ask() == ["first"]


async def test_a_place_that_failed_rests_even_where_there_is_no_other() -> None:
    clock = StandingClock()
    places = ScriptedPlaces(clock, "first", "second")
    places.away = {"first", "second"}
    for asked in (["first", "second"], []):
        places.asked.clear()
        with pytest.raises(LaunchFailed, match="no browser at first; no browser at second"):
            await places.open()
        assert places.asked == asked
    clock.seconds += source.REST_SECONDS
    places.away = {"first"}
    assert await places.ask() == ["first", "second"]


async def test_a_driver_that_ends_in_the_middle_is_a_place_without_a_browser() -> None:
    asked = list[str]()
    places = make_source(StandingClock(), asked, Exception("the driver is gone"))
    with pytest.raises(LaunchFailed, match=r"no browser at ws://0: the driver is gone"):
        await places.open()
    await places.stop()
