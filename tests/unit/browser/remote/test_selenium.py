"""Sessions at a hub: how many, whose, and that none is left. The hub is scripted; a real one is tried elsewhere."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from captchad.browser.browsers.connection import LaunchFailed
from captchad.browser.remote import selenium
from captchad.browser.remote.endpoint import Reached
from captchad.browser.remote.opener import name_this_process
from captchad.browser.remote.selenium import SeleniumEndpoint, SessionKeepAlive, SessionLimits
from captchad.browser.remote.webdriver import HubError, HubRefused, WebDriverHub
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from tests.patience import until_true
from tests.unit.browser.remote.hub import ScriptedHub


class Chromium:
    """Stands for the driver: notes which address it was to join."""

    def __init__(self) -> None:
        self.joined: list[str] = []

    async def connect_over_cdp(self, url: str, **_: Any) -> Any:
        self.joined.append(url)
        return SimpleNamespace()


class StandingClock(Clock):
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_seconds(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[ScriptedHub]:
    hub = ScriptedHub()
    await hub.start()
    yield hub
    await hub.stop()


async def connect(hub: ScriptedHub, owner: str = "worker-1", sessions: int = 1) -> tuple[Reached, Chromium]:
    chromium = Chromium()
    limits = SessionLimits(sessions, 300.0)
    endpoint = SeleniumEndpoint(
        hub.url, owner, limits, FilteringProxy(ScopePolicy(()), StandingClock()), StandingClock()
    )
    playwright: Any = SimpleNamespace(chromium=chromium)
    return await endpoint.connect(playwright), chromium


async def test_the_devtools_are_joined_through_the_hub_as_we_see_it(hub: ScriptedHub) -> None:
    reached, chromium = await connect(hub)
    assert chromium.joined == [f"{hub.url.replace('http', 'ws')}/session/session-1/se/cdp"]
    assert hub.names[0].startswith("captchad worker-1 ")
    assert reached.life_seconds == 300
    await reached.leave()
    assert hub.names == []


async def test_where_all_places_are_taken_no_session_is_opened(hub: ScriptedHub) -> None:
    hub.add("captchad worker-9 abcd")
    with pytest.raises(LaunchFailed, match=r"holds 1 sessions of captchad's already \(selenium.max_sessions\)"):
        await connect(hub)
    assert hub.names == ["captchad worker-9 abcd"]


async def test_sessions_of_others_do_not_count(hub: ScriptedHub) -> None:
    hub.add("somebody's test")
    hub.add("")
    await connect(hub)
    assert len(hub.sessions) == 3


async def test_of_two_that_take_the_last_place_at_once_the_later_gives_way(hub: ScriptedHub) -> None:
    hub.others_first = "captchad worker-9 abcd"
    with pytest.raises(LaunchFailed, match="max_sessions"):
        await connect(hub)
    await until_true(lambda: len(hub.names) == 1)
    assert hub.names == ["captchad worker-9 abcd"]


async def test_what_an_earlier_life_of_this_worker_left_is_ended(hub: ScriptedHub) -> None:
    hub.add("captchad worker-1 0000")
    hub.add("captchad worker-11 0000")
    await connect(hub, sessions=2)
    assert hub.names[0] == "captchad worker-11 0000"
    assert len(hub.names) == 2


async def test_what_a_killed_worker_of_this_machine_left_is_ended_whatever_its_name(hub: ScriptedHub) -> None:
    program = "from captchad.browser.remote.opener import name_this_process as name; print(name())"
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    killed = (await ended.communicate())[0].decode().strip()
    hub.add(f"captchad worker-{ended.pid} {killed}")
    hub.add(f"captchad worker-elsewhere {replace(name_this_process(), place='0' * 12, pid=ended.pid)}")
    hub.add(f"captchad worker-alive {name_this_process()}")
    hub.add(f"somebody {killed}")
    await connect(hub, sessions=9)
    assert [name.split()[-2] for name in hub.names] == ["worker-elsewhere", "worker-alive", "somebody", "worker-1"]


class LostChromium(Chromium):
    """The driver ends while it joins a browser."""

    async def connect_over_cdp(self, url: str, **_: Any) -> Any:
        raise Exception("Connection closed while reading from the driver")  # noqa: TRY002 - so the driver does


async def test_a_session_whose_driver_ends_is_ended(hub: ScriptedHub) -> None:
    endpoint = SeleniumEndpoint(
        hub.url, "w", SessionLimits(1, 300.0), FilteringProxy(ScopePolicy(()), StandingClock()), StandingClock()
    )
    with pytest.raises(Exception, match="Connection closed"):
        await endpoint.connect(SimpleNamespace(chromium=LostChromium()))  # type: ignore[arg-type]
    await endpoint.finish()
    assert hub.names == []


async def test_a_session_is_ended_once_the_hub_is_well_again(hub: ScriptedHub) -> None:
    reached, _ = await connect(hub)
    hub.failures = 2
    await reached.leave()
    assert hub.names == []


@pytest.mark.parametrize(
    "status", [{"value": {"nodes": [7]}}, {"value": {"nodes": [{"slots": [{"session": {"id": "x"}}]}]}}]
)
async def test_a_hub_that_speaks_otherwise_is_an_error(hub: ScriptedHub, status: Any) -> None:
    hub.status = status
    with pytest.raises(HubError, match="in an unknown format"):
        await connect(hub)


async def test_a_session_is_lost_where_the_hub_says_so_and_not_where_it_is_away(hub: ScriptedHub) -> None:
    clock = StandingClock()
    keep_alive = SessionKeepAlive(WebDriverHub(hub.url), hub.add("captchad"), clock)
    clock.seconds += selenium.TOUCH_SECONDS
    hub.failures = 1
    await keep_alive.touch()
    assert hub.touched == []
    hub.sessions.clear()
    clock.seconds += selenium.TOUCH_SECONDS
    with pytest.raises(HubRefused, match="no such one"):
        await keep_alive.touch()


async def test_a_session_that_comes_after_it_was_given_up_is_ended(hub: ScriptedHub) -> None:
    endpoint = SeleniumEndpoint(
        hub.url, "w", SessionLimits(1, 300.0), FilteringProxy(ScopePolicy(()), StandingClock()), StandingClock()
    )
    hub.asked, hub.may_create = asyncio.Event(), asyncio.Event()
    connecting = TaskSet("test").spawn(endpoint.connect(SimpleNamespace()), "connect")  # type: ignore[arg-type]
    await hub.asked.wait()
    connecting.cancel()
    await asyncio.wait({connecting})
    hub.may_create.set()
    await endpoint.finish()
    assert hub.names == []
    assert hub.ended == 1


async def test_a_session_is_touched_before_the_hub_would_call_it_idle(hub: ScriptedHub) -> None:
    clock = StandingClock()
    keep_alive = SessionKeepAlive(WebDriverHub(hub.url), hub.add("captchad"), clock)
    await keep_alive.touch()
    assert hub.touched == []
    clock.seconds += selenium.TOUCH_SECONDS
    await keep_alive.touch()
    assert hub.touched == ["session-1"]


async def test_a_hub_that_is_not_there_and_a_session_that_is_gone_are_errors(hub: ScriptedHub) -> None:
    with pytest.raises(HubError, match="no such one"):
        await WebDriverHub(hub.url).end_session("unknown", 5)
    await hub.stop()
    with pytest.raises(HubError):
        await WebDriverHub(hub.url).list_sessions(5)


def test_the_hubs_password_goes_into_a_header_and_into_no_address() -> None:
    hub = WebDriverHub("https://user:pass@hub:4444/wd/")
    assert hub.url == "https://hub:4444/wd"
    assert hub.headers["Authorization"].startswith("Basic ")
