"""The browser as the worker sees it: pages are opened, worked on and gone again within the time given."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

from captchad.browser.browsers.browser_pool import BrowserPool
from captchad.browser.browsers.connection import BrowserConnection, BrowserSource, LaunchFailed
from captchad.browser.launch.driver import is_driver_gone
from captchad.browser.launch.process import LaunchedBrowsers
from captchad.browser.page_session import PageSession
from captchad.browser.tabs.tab_plan import TabOwner
from captchad.browser.tabs.tab_pool import TabPool
from captchad.config.sections import BrowserSection
from captchad.domain.errors import AttemptFailed, DependencyMissing, PictureRefused, TargetNotAllowed, TaskErrorCode
from captchad.domain.picture import read_picture_header
from captchad.domain.role_figures import BrowserFigures
from captchad.domain.visit import VisitOrder
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

CLOSE_SECONDS = 2.0
HANG_SECONDS = 6.0
SHARED_HANG_SECONDS = 20.0
"""A browser that does not close a page takes no other after the first of these, and is killed after the second, or the
third where it has pages of other tasks too, which may be doing well."""

MAINTENANCE_SECONDS = 5.0
"""A page that hoards memory must be seen before the machine is out of it."""

ABSENCE_SECONDS = 30.0
"""How long an attempt waits for a browser where none can be had, as one elsewhere that is being started again."""

LOOK_AGAIN_SECONDS = 1.0
LOCATE_MARGIN_SECONDS = 0.5
LOCATE_SHARE = 0.9

RASTER_HEIGHT_PIXELS = 128
RASTER_WIDTH_LIMIT_PIXELS = 2048
Result = TypeVar("Result")

_logger = logging.getLogger(__name__)


class BrowserEngine(Service):
    """Visits pages, each in a context as good as new; any number of visits may run at once."""

    name = "browser"

    def __init__(
        self, config: BrowserSection, proxy: FilteringProxy, clock: Clock, source: BrowserSource | None = None
    ) -> None:
        self._proxy = proxy
        self._clock = clock
        source = source or LaunchedBrowsers(config, lambda: proxy.address, clock, admit=proxy.admit)
        self._pool = BrowserPool(config, source)
        self._work = TaskSet(self.name)
        self._tabs = TabPool(clock, self._work, reuses=config.reuse == "same_target")
        self._is_started = False

    async def start(self) -> None:
        """Launch the first browser; the proxy must be listening. DependencyMissing when that can't be."""
        await self._pool.maintain()
        if not self._pool.browsers:
            raise DependencyMissing(f"{self._pool.last_problem}; `captchad doctor` says more")
        self._is_started = True
        for browser in self._pool.browsers:
            self._tabs.warm(browser)

    async def run(self) -> None:
        """Measure, recycle and replace browsers from time to time."""
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
        """Wait while no browser can be had: a task that was taken then would only lose its attempts."""
        await self._pool.wait_serving()

    async def visit(
        self, order: VisitOrder, work: Callable[[PageSession], Awaitable[Result]], timeout_seconds: float, task_id: str
    ) -> Result:
        """Open the page and do `work` on it, which finds the captcha and may use it.

        Raises AttemptFailed; whatever the browser does, it is raised within `timeout_seconds`. When the caller
        cancels, the page is gone within two seconds.
        """
        self._check_scope(order.url)
        deadline_seconds = self._clock.monotonic_seconds() + _locate_seconds(timeout_seconds)

        async def open_and_work(session: PageSession) -> Result:
            await session.open(order, deadline_seconds)
            return await work(session)

        return await self._in_session(open_and_work, choose_owner(order), timeout_seconds, task_id)

    async def rasterise(self, svg: bytes, timeout_seconds: float, task_id: str) -> bytes:
        """Return a vector picture as PNG, in pixels enough to be read; AttemptFailed as for `capture`."""
        width, height = choose_raster_size(svg)

        async def draw(session: PageSession) -> bytes:
            return await session.rasterise(svg, width, height)

        return await self._in_session(draw, None, timeout_seconds, task_id)

    async def _in_session(
        self,
        work: Callable[[PageSession], Awaitable[Result]],
        owner: TabOwner | None,
        timeout_seconds: float,
        task_id: str,
    ) -> Result:
        """Do `work` in a tab nobody else has, which is closed or cleaned afterwards whatever happens."""
        session: PageSession | None = None
        is_well = is_late = False
        try:
            async with asyncio.timeout(timeout_seconds):
                process = await self._borrow(timeout_seconds)
                session = PageSession(process, self._tabs, owner, self._proxy, self._clock, self._work)
                result = await work(session)
                is_well = True
                return result
        except TimeoutError:
            is_late = True
            message = f"the page was not done within {timeout_seconds:g} s"
            raise AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, message) from None
        except (LaunchFailed, DependencyMissing) as error:
            raise AttemptFailed(TaskErrorCode.BROWSER_CRASHED, str(error)) from None
        except RuntimeError as error:
            if not is_driver_gone(error):
                raise
            raise AttemptFailed(TaskErrorCode.BROWSER_CRASHED, "the browser's driver has ended") from None
        except asyncio.CancelledError:
            if session is not None:
                ending, session = session, None
                await self._end_now(ending)
            raise
        finally:
            if session is not None:
                self._work.spawn(self._end(session, is_well=is_well, is_late=is_late), f"end-{task_id}")

    async def _borrow(self, timeout_seconds: float) -> BrowserConnection:
        """Return a browser; one that is away a while costs time, but no attempt. LaunchFailed if none comes."""
        patience_seconds = min(ABSENCE_SECONDS, _locate_seconds(timeout_seconds)) - LOOK_AGAIN_SECONDS
        give_up_seconds = self._clock.monotonic_seconds() + patience_seconds
        while True:
            try:
                return await self._pool.borrow()
            except LaunchFailed:
                if self._clock.monotonic_seconds() >= give_up_seconds:
                    raise
            await self._clock.sleep(LOOK_AGAIN_SECONDS)

    def _check_scope(self, task_url: str) -> None:
        try:
            self._proxy.check_url(task_url)
        except TargetNotAllowed as error:
            raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, error.message) from None

    async def _end_now(self, session: PageSession) -> None:
        """Wait for the page's end; a second cancellation leaves it to go on by itself."""
        await asyncio.wait({self._work.spawn(self._end(session, CLOSE_SECONDS, is_well=False), "end-cancelled")})

    async def _end(
        self, session: PageSession, patience_seconds: float | None = None, *, is_well: bool, is_late: bool = False
    ) -> None:
        """Killing a browser ends other tasks' pages too, so one that may only be busy is given time."""
        if patience_seconds is None:
            patience_seconds = SHARED_HANG_SECONDS if session.process.busy_pages > 1 else HANG_SECONDS
        try:
            ending = self._work.spawn(session.end(patience_seconds, is_well=is_well, is_late=is_late), "end-page")
            await asyncio.wait({ending}, timeout=CLOSE_SECONDS)
            # Cleaning after a page that went well takes its time on a busy machine, and a new browser would take more.
            if not ending.done() and not is_well:
                self._pool.retire(session.process)
            if not await ending:
                self._pool.kill(session.process)
        finally:
            self._pool.give_back(session.process)

    def figures(self) -> BrowserFigures:
        """Return how many browsers and pages there are and were."""
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


def choose_owner(order: VisitOrder) -> TabOwner | None:
    """Say whose tab a visit may use and leave; a visit with a session or a form of its own shares with nobody."""
    is_plain = order.session is None and order.fill is None and not order.wants_session
    return TabOwner(order.key_id, order.target) if is_plain else None


def _locate_seconds(timeout_seconds: float) -> float:
    """Stop searching a little before the attempt's end, so that it ends with what is missing, not with a timeout."""
    return max(timeout_seconds * LOCATE_SHARE, timeout_seconds - LOCATE_MARGIN_SECONDS)


def choose_raster_size(svg: bytes) -> tuple[int, int]:
    """Return width and height in pixels to draw a vector picture at; AttemptFailed where it is none."""
    try:
        header = read_picture_header(svg)
    except PictureRefused as error:
        raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, error.message) from None
    width = round(RASTER_HEIGHT_PIXELS * header.width / max(1, header.height))
    return max(1, min(width, RASTER_WIDTH_LIMIT_PIXELS)), RASTER_HEIGHT_PIXELS
