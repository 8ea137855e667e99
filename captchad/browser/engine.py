"""The browser as the worker sees it: opens pages, and ends them before their deadline."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import asdict

from playwright.async_api import Error as PlaywrightError

from captchad.browser.browsers.browser_pool import BrowserPool
from captchad.browser.browsers.connection import BrowserConnection, BrowserSource, LaunchFailed
from captchad.browser.browsers.driver_loss import DRIVER_ENDED, is_driver_gone
from captchad.browser.launch.process import LaunchedBrowsers
from captchad.browser.page.opened_page import OpenedPage, Surroundings
from captchad.browser.page.svg_drawing import choose_raster_size, draw_picture
from captchad.browser.page_session import PageSession
from captchad.browser.tabs.tab_lease import TabLease
from captchad.browser.tabs.tab_plan import TabOwner
from captchad.browser.tabs.tab_pool import TabPool
from captchad.config.settings import BrowserSection
from captchad.domain.errors import AttemptFailed, DependencyMissing, TargetNotAllowed, TaskErrorCode
from captchad.domain.page import PageOrder
from captchad.domain.role_figures import BrowserFigures
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

CLOSE_SECONDS = 2.0
"""How long a cancelled attempt waits for its page to close; a slower page goes on closing in the background."""

MAINTENANCE_SECONDS = 5.0
"""Short enough to notice a page that hoards memory before the machine runs out of it."""

ABSENCE_SECONDS = 30.0
"""How long an attempt waits for a browser where there is none, such as a remote one that is restarting."""

RETRY_SECONDS = 1.0

_logger = logging.getLogger(__name__)


class BrowserEngine(Service):
    """Opens pages, each in a clean context; any number may be open at once."""

    name = "browser"

    def __init__(
        self, config: BrowserSection, proxy: FilteringProxy, clock: Clock, source: BrowserSource | None = None
    ) -> None:
        self._proxy = proxy
        self._clock = clock
        source = source or LaunchedBrowsers(config, proxy, clock)
        self._pool = BrowserPool(config, source, clock)
        self._work = TaskSet(self.name)
        self._tabs = TabPool(clock, self._work, reuses=config.reuse == "same_target")
        self._is_started = False

    async def start(self) -> None:
        """Launch the first browser; the proxy must be listening. DependencyMissing when it can't be launched."""
        await self._pool.maintain()
        if not self._pool.browsers:
            raise DependencyMissing(f"{self._pool.last_problem}; `captchad doctor` says more")
        self._is_started = True
        for browser in self._pool.browsers:
            self._tabs.warm(browser)

    async def run(self) -> None:
        """Measure, recycle and replace browsers periodically."""
        while True:
            await self._clock.sleep(MAINTENANCE_SECONDS)
            await self._pool.maintain()
            self._tabs.maintain()
            for browser in self._pool.browsers:
                self._tabs.warm(browser)

    async def close(self) -> None:
        """End all pages, browsers and the driver."""
        self._is_started = False
        await self._work.cancel_all()
        await self._pool.close()

    async def wait_serving(self) -> None:
        """Wait until there is a browser: a task taken before would only use up its attempts."""
        await self._pool.wait_serving()

    @contextlib.asynccontextmanager
    async def open_page(self, order: PageOrder, deadline: Deadline) -> AsyncIterator[PageSession]:
        """Open a page; AttemptFailed says why it could not be.

        The caller enforces the deadline. The page is always closed afterwards; a cancellation waits at most two seconds
        for that.
        """
        self._check_scope(order.url)
        async with self._lend_page(choose_owner(order), deadline) as opened:
            opened.identify(order.target)
            session = PageSession(opened, order, deadline, self._clock, self._work)
            await session.open()
            yield session

    async def rasterise(self, svg: bytes, deadline: Deadline) -> bytes:
        """Return a vector picture as a PNG large enough to be read; AttemptFailed where it can't be drawn."""
        width, height = choose_raster_size(svg)
        async with self._lend_page(None, deadline) as opened:
            try:
                return await draw_picture(opened.page, svg, width, height)
            except PlaywrightError as error:
                raise await opened.explain(error) from None

    @contextlib.asynccontextmanager
    async def _lend_page(self, owner: TabOwner | None, deadline: Deadline) -> AsyncIterator[OpenedPage]:
        """Lend a blank page in a tab of its own, which is cleaned or closed afterwards."""
        lease: TabLease | None = None
        is_well = False
        try:
            lease = TabLease(await self._borrow(deadline), self._tabs, owner, self._work)
            tab = await lease.tab()
            surroundings = Surroundings(tab.connection, tab.access, self._proxy)
            opened = OpenedPage(tab.page, tab.main_frame, tab.devtools, surroundings, self._clock, self._work)
            tab.begin_page(opened)
            yield opened
            is_well = True
        except (LaunchFailed, DependencyMissing) as error:
            raise AttemptFailed(TaskErrorCode.BROWSER_CRASHED, str(error)) from None
        except RuntimeError as error:
            if not is_driver_gone(error):
                raise
            raise AttemptFailed(TaskErrorCode.BROWSER_CRASHED, DRIVER_ENDED) from None
        except asyncio.CancelledError:
            # A cancelled task or a lost lease: its page must be closed before anything more is sent. At the deadline
            # there is no such hurry, and the attempt must not take longer than it was given.
            if lease is not None and not deadline.is_over:
                cancelled, lease = lease, None
                ending = self._work.spawn(self._end(cancelled, is_well=False), "end-cancelled")
                await asyncio.wait({ending}, timeout=CLOSE_SECONDS)
            raise
        finally:
            if lease is not None:
                # In the background: cleaning a tab takes longer than the result should wait.
                self._work.spawn(self._end(lease, is_well=is_well), "end")

    async def _end(self, lease: TabLease, *, is_well: bool) -> None:
        try:
            if not is_well or not await lease.put_back():
                await self._pool.await_answer(
                    lease.connection, self._work.spawn(lease.close(is_well=is_well), "close-tab")
                )
        finally:
            self._pool.give_back(lease.connection)

    async def _borrow(self, deadline: Deadline) -> BrowserConnection:
        """Return a browser, waiting for one that is briefly away; LaunchFailed if none comes."""
        # Earlier by one pause, so that the attempt fails with the reason instead of a timeout.
        give_up_seconds = deadline.until(ABSENCE_SECONDS) - RETRY_SECONDS
        while True:
            try:
                return await self._pool.borrow()
            except LaunchFailed:
                if self._clock.monotonic_seconds() >= give_up_seconds:
                    raise
            await self._clock.sleep(RETRY_SECONDS)

    def _check_scope(self, task_url: str) -> None:
        try:
            self._proxy.check_url(task_url)
        except TargetNotAllowed as error:
            raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, error.message) from None

    def figures(self) -> BrowserFigures:
        """Return how many browsers and pages there are, and how many there have been."""
        browsers = self._pool.browsers
        return BrowserFigures(
            browser_version=browsers[-1].version if browsers else None,
            browsers=len(browsers),
            open_pages=sum(browser.busy_pages for browser in browsers),
            pages_served=self._pool.pages_served,
            rss_bytes=sum(browser.memory_bytes for browser in browsers),
            recycled=self._pool.recycled,
            crashes=self._pool.crashes,
            waiting_tabs=self._tabs.waiting,
            reused_tabs=self._tabs.reused,
        )

    def health(self) -> ServiceHealth:
        """Say whether pages can be opened."""
        is_ready = self._is_started and not self._pool.last_problem
        reason = self._pool.last_problem or ("" if is_ready else "not started")
        return ServiceHealth(is_ready, reason, asdict(self.figures()))


def choose_owner(order: PageOrder) -> TabOwner | None:
    """Return the owner whose tabs a page may reuse; one with a session, steps or a form shares with nobody."""
    is_plain = order.session is None and not order.steps and order.fill is None and not order.wants_session
    return TabOwner(order.key_id, order.target) if is_plain else None
