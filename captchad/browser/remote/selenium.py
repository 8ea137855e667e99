"""A browser of a Selenium Grid: a session at the hub, and the DevTools of its browser through it."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from playwright.async_api import Playwright

from captchad.browser.browsers.connection import LaunchFailed
from captchad.browser.launch.executable import FEATURES_FLAG, NOWHERE_FLAG, QUIET_FLAGS, egress_flags, trust_flag
from captchad.browser.remote.endpoint import Reached, show_place
from captchad.browser.remote.opener import name_this_process, read_opener
from captchad.browser.remote.webdriver import NAME_CAPABILITY, HubError, HubRefused, HubSession, WebDriverHub
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.logs import shared_logger

OURS = "captchad"
CALL_SECONDS = 15.0
CREATE_SECONDS = 60.0
JOIN_SECONDS = 15.0
TOUCH_SECONDS = 10.0
TOUCH_CALL_SECONDS = 5.0
END_TRIES = 3
FINISH_SECONDS = 8.0
WAIT_FOR_ROOM_SECONDS = 15.0
RETRY_SECONDS = 1.0
MS_PER_SECOND = 1000
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

_logger = shared_logger(__name__)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Most sessions of the whole fleet at the hub, and how long one may live."""

    sessions: int
    life_seconds: float


class SeleniumEndpoint:
    """Opens a session at a hub and joins its browser; `owner` is the worker's name in the Grid."""

    connect_seconds = WAIT_FOR_ROOM_SECONDS + CREATE_SECONDS + JOIN_SECONDS

    def __init__(self, url: str, owner: str, limits: SessionLimits, proxy: FilteringProxy, clock: Clock) -> None:
        self.place = show_place(url)
        self._hub = WebDriverHub(url)
        self._prefix = f"{OURS} {owner} "
        self._opener = name_this_process()
        self._name = f"{self._prefix}{self._opener}"
        self._limits = limits
        self._proxy = proxy
        self._clock = clock
        self._work = TaskSet("selenium")

    async def connect(self, playwright: Playwright) -> Reached:
        """Open a session and join its browser; LaunchFailed where selenium.max_sessions are open already."""
        await self._end_orphans()
        await self._wait_for_room()
        session = await self._create()
        try:
            await self._yield_to_older(session)
            url = self._find_devtools(session)
            timeout_ms = JOIN_SECONDS * MS_PER_SECOND
            browser = await playwright.chromium.connect_over_cdp(url, timeout=timeout_ms, headers=self._hub.headers)
        # A cancellation too: the session exists already and holds a place at the hub.
        except BaseException:
            self._work.spawn(self._end(session.id), "end")
            raise
        keep_alive = SessionKeepAlive(self._hub, session.id, self._clock)
        return Reached(browser, keep_alive.touch, lambda: self._leave(session.id), self._limits.life_seconds)

    async def finish(self) -> None:
        """Wait until sessions that arrived too late have ended, for a bounded time, since a hub may hang."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_SECONDS):
                await self._work.wait_all()
        await self._work.cancel_all()

    async def _end_orphans(self) -> None:
        """End sessions of killed workers; the hub itself would keep them for minutes."""
        for session in await self._hub.list_sessions(CALL_SECONDS):
            if self._is_orphan(session.name):
                _logger.info("ending the session %s, which a worker left that is gone", session.id)
                await self._end(session.id)

    def _is_orphan(self, name: str) -> bool:
        """Whether an earlier life of this worker opened it, or a process of this machine that has ended."""
        if not name.startswith(f"{OURS} ") or name == self._name:
            return False
        opener = read_opener(name.rpartition(" ")[2])
        return name.startswith(self._prefix) or (opener is not None and opener.has_ended(self._opener.place))

    async def _wait_for_room(self) -> None:
        """Wait a while for room: a session that is being replaced may be about to end."""
        give_up_seconds = self._clock.monotonic_seconds() + WAIT_FOR_ROOM_SECONDS
        while len(await self._list_ours()) >= self._limits.sessions:
            if self._clock.monotonic_seconds() >= give_up_seconds:
                raise LaunchFailed(self._describe_full())
            await self._clock.sleep(RETRY_SECONDS)

    async def _create(self) -> HubSession:
        # In a task of its own: a session that arrives after a cancellation must still be ended.
        creating = self._work.spawn(self._hub.create_session(self._capabilities(), CREATE_SECONDS), "create")
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            self._work.spawn(self._end_when_created(creating), "end-late")
            raise

    async def _end_when_created(self, creating: "asyncio.Task[HubSession]") -> None:
        try:
            session = await creating
        except HubError:
            return
        await self._end(session.id)

    async def _yield_to_older(self, session: HubSession) -> None:
        """Give up a session that exceeds the limit because another worker opened one at the same moment."""
        # Oldest first, by the hub's own times, so that all workers agree on who yields.
        allowed = [one.id for one in (await self._list_ours())[: self._limits.sessions]]
        if allowed and session.id not in allowed:
            raise LaunchFailed(self._describe_full())

    async def _list_ours(self) -> list[HubSession]:
        return [one for one in await self._hub.list_sessions(CALL_SECONDS) if one.name.startswith(f"{OURS} ")]

    def _describe_full(self) -> str:
        return f"{self.place} holds {self._limits.sessions} sessions of captchad's already (selenium.max_sessions)"

    def _capabilities(self) -> dict[str, Any]:
        egress = (*egress_flags(self._proxy.host), NOWHERE_FLAG, trust_flag(self._proxy.key_hash))
        flags = ["--headless=new", *QUIET_FLAGS, *egress, FEATURES_FLAG]
        return {"browserName": "chrome", NAME_CAPABILITY: self._name, "goog:chromeOptions": {"args": flags}}

    def _find_devtools(self, session: HubSession) -> str:
        """Return the address of the browser's DevTools as seen from here: a Grid names itself as its nodes see it."""
        hub = urlsplit(self._hub.url)
        # A Grid tunnels DevTools; a bare chromedriver gives the address of the browser itself.
        through_hub = session.capabilities.get("se:cdp")
        if through_hub:
            scheme = "wss" if hub.scheme == "https" else "ws"
            return urlunsplit((scheme, hub.netloc, urlsplit(str(through_hub)).path, "", ""))
        address = str((session.capabilities.get("goog:chromeOptions") or {}).get("debuggerAddress", ""))
        host, _, port = address.rpartition(":")
        if not host:
            raise LaunchFailed(
                f"the session at {self.place} offers no DevTools; it needs a Grid 4 with Chrome or Chromium"
            )
        return f"http://{self._hub.host if host in _LOCAL_HOSTS else host}:{port}"

    async def _leave(self, session_id: str) -> None:
        # In a task of its own: a caller that stops waiting must not keep the session from ending.
        await asyncio.shield(self._work.spawn(self._end(session_id), "leave"))

    async def _end(self, session_id: str) -> None:
        for _ in range(END_TRIES):
            try:
                await self._hub.end_session(session_id, CALL_SECONDS)
            except HubRefused as error:
                _logger.debug("the session %s could not be ended: %s", session_id, error)
                break
            except HubError as error:
                _logger.warning("the session %s could not be ended: %s", session_id, error)
                await self._clock.sleep(RETRY_SECONDS)
            else:
                break


class SessionKeepAlive:
    """Uses a session now and then: the hub would end one that only uses DevTools as idle."""

    def __init__(self, hub: WebDriverHub, session_id: str, clock: Clock) -> None:
        self._hub = hub
        self._session_id = session_id
        self._clock = clock
        self._touched_seconds = clock.monotonic_seconds()

    async def touch(self) -> None:
        """Touch the session unless that was done lately; HubRefused where it is gone.

        A hub that does not answer costs nothing: whether the browser is lost shows in its own heartbeat.
        """
        now_seconds = self._clock.monotonic_seconds()
        if now_seconds - self._touched_seconds < TOUCH_SECONDS:
            return
        # Before the call: a hub that does not answer is not asked again at every heartbeat.
        self._touched_seconds = now_seconds
        try:
            await self._hub.touch_session(self._session_id, TOUCH_CALL_SECONDS)
        except HubRefused:
            raise
        except HubError as error:
            _logger.warning("the session %s could not be touched: %s", self._session_id, error)
