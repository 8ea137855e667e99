"""Keeps tabs ready: fresh ones opened in idle time, and cleaned ones for their owner's next task."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError

from captchad.browser.browsers.connection import BrowserConnection, LaunchFailed
from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.tabs.cleaning import Uncleanable, clean
from captchad.browser.tabs.tab import Tab, open_tab
from captchad.browser.tabs.tab_plan import TabLimits, TabOwner, TabView, count_missing, plan_tab
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

# Long, since a tab discarded for slowness costs a new renderer, which makes a busy machine busier.
CLEAN_SECONDS = 10.0
SIGN_OF_LIFE_SECONDS = 2.0
# A tab that has waited for less is taken unasked: asking each one would cost every page a round trip.
PROBE_SECONDS = 0.1
_ENDING_WITH_PAGE = ("page", "iframe", "tab")
_OUTLIVING_FILTER = [*({"type": kind, "exclude": True} for kind in _ENDING_WITH_PAGE), {}]
"""Targets that may outlive their page: workers, which Chromium gives time to end, and any kind not known yet."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _WaitingTab:
    tab: Tab
    owner: TabOwner | None
    since_seconds: float


class TabPool:
    """Lends tabs to pages and takes them back; `reuses` says whether a tab may serve its owner again."""

    def __init__(self, clock: Clock, work: TaskSet, *, reuses: bool, limits: TabLimits | None = None) -> None:
        self._clock = clock
        self._work = work
        self._reuses = reuses
        self._limits = limits or TabLimits()
        self._waiting: dict[int, _WaitingTab] = {}
        self._watched_browsers: set[int] = set()
        self._watched: dict[str, Tab] = {}
        self._warming: set[int] = set()
        self._put = 0
        self._lent = 0
        self._most_lent = 1
        self._crash_seconds = 0.0
        self.reused = 0

    @property
    def waiting(self) -> int:
        """How many tabs wait for a task."""
        return len(self._waiting)

    async def take(self, connection: BrowserConnection, owner: TabOwner | None) -> Tab:
        """Return a tab of `connection` for `owner`, or for a task that shares with nobody.

        Where there is none, it raises PlaywrightError, LaunchFailed, or a RuntimeError of a driver that has ended.
        """
        self._lent += 1
        self._most_lent = max(self._most_lent, self._lent)
        tab = await self._take_waiting(connection, owner if self._reuses else None) or await self._open(connection)
        tab.pages_served += 1
        # The tab just taken is replaced before the next task asks.
        self.warm(connection)
        return tab

    def may_keep(self, owner: TabOwner | None) -> bool:
        """Whether a tab of this owner may serve again."""
        return self._reuses and owner is not None

    async def put_back(self, tab: Tab, owner: TabOwner | None) -> bool:
        """Clean a tab and keep it for its owner; False if it must be closed instead."""
        if not self.may_keep(owner) or not tab.is_usable:
            return False
        try:
            async with asyncio.timeout(CLEAN_SECONDS):
                await clean(tab)
        except (TimeoutError, Uncleanable) as error:
            reason = str(error) or "cleaning takes too long"
            _logger.debug("a tab is discarded: %s", reason)
            return False
        self._park(tab, owner)
        return True

    def end(self) -> None:
        """Note that a lent tab has come back, or is gone."""
        self._lent -= 1

    def warm(self, connection: BrowserConnection) -> None:
        """Open fresh tabs of a browser in the background."""
        if connection.number not in self._warming:
            self._warming.add(connection.number)
            self._work.spawn(self._warm(connection), f"warm-{connection.number}")

    def maintain(self) -> None:
        """Close tabs that have waited too long or can't be used any more."""
        self._close_all(plan_tab(self._view(), self._limits).close)
        # Decays by half each round, so that a peak does not keep fresh tabs open for ever.
        self._most_lent = max(1, self._lent, self._most_lent // 2)

    async def _take_waiting(self, connection: BrowserConnection, owner: TabOwner | None) -> Tab | None:
        """Return a waiting tab that is alive; the death of its renderer may not be known yet."""
        while True:
            plan = plan_tab(self._view(), self._limits, connection.number, owner)
            self._close_all(plan.close)
            if plan.use is None:
                return None
            chosen = self._waiting.pop(plan.use)
            waited_seconds = self._clock.monotonic_seconds() - chosen.since_seconds
            # Whatever killed one renderer may have killed others, whose crash events come late.
            is_doubtful = waited_seconds >= PROBE_SECONDS or self._crash_seconds >= chosen.since_seconds
            if not is_doubtful or await _is_alive(chosen.tab):
                self.reused += chosen.owner is not None
                return chosen.tab
            self._work.spawn(self.close_tab(chosen.tab), "close-tab")

    def _view(self) -> list[TabView]:
        now_seconds = self._clock.monotonic_seconds()
        return [
            TabView(
                number,
                waiting.tab.connection.number,
                waiting.owner,
                now_seconds - waiting.since_seconds,
                waiting.tab.pages_served,
                waiting.tab.is_usable,
            )
            for number, waiting in self._waiting.items()
        ]

    def _park(self, tab: Tab, owner: TabOwner | None) -> None:
        self._put += 1
        self._waiting[self._put] = _WaitingTab(tab, owner, self._clock.monotonic_seconds())

    def _close_all(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            tab = self._waiting.pop(number).tab
            self._work.spawn(self.close_tab(tab), "close-tab")

    async def close_tab(self, tab: Tab, *, is_suspect: bool = False) -> None:
        """Close a tab, unless it has gone with its browser; of one that is suspect, the page's process is ended too."""
        try:
            # At once: whatever the page was about to send must not be sent any more.
            await tab.access.cut()
            with tolerate_loss():
                if is_suspect:
                    # Not awaited: a page that floods, or can not be cleaned, holds up every answer until it has ended.
                    self._work.spawn(tab.end_renderer(), "end-renderer")
                    # A browser whose network process hangs still closes its tabs; only this request shows the hang.
                    await tab.ask_network()
                await tab.close()
        finally:
            # Also where the browser was killed meanwhile, and this with it.
            self._watched.pop(tab.context_id, None)
            tab.access.close()

    async def _warm(self, connection: BrowserConnection) -> None:
        # A task takes a fresh tab when its owner has none; where tabs are reused that is the exception.
        wanted = 1 if self._reuses else self._most_lent
        try:
            with tolerate_loss():
                # Checked each time: the plan changes while a tab is being opened.
                while connection.browser.is_connected() and not connection.is_retired:
                    if count_missing(self._view(), self._limits, connection.number, wanted) == 0:
                        break
                    self._park(await self._open(connection), None)
        except LaunchFailed as error:
            _logger.debug("no fresh tab could be opened: %s", error)
        finally:
            self._warming.discard(connection.number)

    async def _open(self, connection: BrowserConnection) -> Tab:
        if connection.number not in self._watched_browsers:
            await self._watch(connection)
        try:
            tab = await open_tab(connection, is_reusable=self._reuses)
        except PlaywrightError:
            # One that has lost what starts its renderers still answers, and would fail every further page within
            # milliseconds.
            connection.retire("could not open a page", is_broken=True)
            raise
        tab.on_crash = self._note_crash
        self._watched[tab.context_id] = tab
        return tab

    async def _watch(self, connection: BrowserConnection) -> None:
        """Subscribe to workers; the driver reports neither shared nor nested ones."""
        self._watched_browsers.add(connection.number)
        try:
            watch = await connection.browser.new_browser_cdp_session()
            watch.on("Target.targetCreated", lambda event: self._note_worker(event["targetInfo"]))
            await watch.send("Target.setDiscoverTargets", {"discover": True, "filter": _OUTLIVING_FILTER})
        except PlaywrightError:
            self._watched_browsers.discard(connection.number)
            raise

    def _note_crash(self) -> None:
        self._crash_seconds = self._clock.monotonic_seconds()

    def _note_worker(self, target: dict[str, str]) -> None:
        tab = self._watched.get(target.get("browserContextId", ""))
        if tab is not None:
            tab.note_worker(target["type"])


async def _is_alive(tab: Tab) -> bool:
    """Ask a tab's page for a sign of life; one that gives none in time is not worth a task's time."""
    has_answered = False
    with contextlib.suppress(TimeoutError), tolerate_loss():
        async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
            await tab.page.evaluate("1")
        has_answered = True
    return has_answered and tab.is_usable
