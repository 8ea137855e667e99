"""Keeps browsers at hand: carries out what the pool decides, and replaces what crashes, hangs or wears out."""

import asyncio
import logging

from captchad.browser.browsers.connection import BrowserConnection, BrowserSource, LaunchFailed
from captchad.browser.browsers.pool_plan import RecycleLimits, plan_pool
from captchad.config.sections import BrowserSection
from captchad.runtime.spawn import TaskSet

OVERGROWN_FACTOR = 2
"""At so many times the memory that retires a browser, it is ended even with pages open."""

JITTER = 0.1

_logger = logging.getLogger(__name__)


class BrowserPool:
    """Lends browsers for pages; any number of pages may share one."""

    def __init__(self, config: BrowserSection, source: BrowserSource) -> None:
        self._source = source
        self._limits = RecycleLimits(
            config.recycle_pages, config.recycle_age_seconds, config.recycle_memory_bytes, JITTER
        )
        self._browsers: dict[int, BrowserConnection] = {}
        self._lock = asyncio.Lock()
        self._work = TaskSet("browsers")
        self._closings = TaskSet("closing-browsers")
        self.crashes = 0
        self.recycled = 0
        self.pages_served = 0
        self.last_problem = ""
        self._may_serve = asyncio.Event()
        self._may_serve.set()

    @property
    def browsers(self) -> tuple[BrowserConnection, ...]:
        """All browsers there are, retired ones included."""
        return tuple(self._browsers.values())

    async def wait_serving(self) -> None:
        """Wait while no browser can be had."""
        await self._may_serve.wait()

    async def borrow(self) -> BrowserConnection:
        """Return a browser for one more page; LaunchFailed or DependencyMissing when none can be had."""
        provided: BrowserConnection | Exception | None = self._find_usable()
        if provided is None:
            # A caller that gives up must not break the launch that others wait for.
            provided = await asyncio.shield(self._work.spawn(self._provide(), "provide"))
        if isinstance(provided, Exception):
            raise provided
        provided.busy_pages += 1
        provided.pages_served += 1
        self.pages_served += 1
        return provided

    def give_back(self, lent: BrowserConnection) -> None:
        """Take a browser back after a page is closed."""
        lent.busy_pages -= 1
        self._apply_plan()

    def retire(self, slow: BrowserConnection) -> None:
        """Lend a browser for no further page; it ends once those it has are done."""
        if not slow.is_retired:
            _logger.info("browser %d (%s) is slow and takes no further page", slow.number, slow.describe())
            slow.is_retired = True

    def kill(self, hung: BrowserConnection) -> None:
        """Kill a browser that does not answer; its other pages fail and are tried again elsewhere."""
        if not hung.is_killed:
            _logger.warning("browser %d (%s) hangs and is killed", hung.number, hung.describe())
            hung.kill()
        self._apply_plan()

    async def maintain(self) -> None:
        """Measure, recycle and replace, so that the next page finds a browser that is well."""
        for browser in self.browsers:
            await browser.measure()
            if browser.memory_bytes > self._limits.memory_bytes * OVERGROWN_FACTOR:
                self._end_overgrown(browser)
        if self._find_usable() is None:
            provided = await self._provide()
            if isinstance(provided, Exception):
                _logger.error("no browser: %s", provided)

    async def close(self) -> None:
        """End every browser and what they come from."""
        await self._work.cancel_all()
        for browser in self.browsers:
            del self._browsers[browser.number]
            await browser.close()
        await self._closings.wait_all()
        await self._source.stop()

    def _end_overgrown(self, browser: BrowserConnection) -> None:
        """Kill what grows too fast to wait until its pages are done; they fail and are tried again elsewhere."""
        _logger.warning("browser %d takes %d bytes of memory and is killed", browser.number, browser.memory_bytes)
        browser.kill()
        self._apply_plan()

    def _find_usable(self) -> BrowserConnection | None:
        if not self._source.is_alive:
            # Nobody can speak to its browsers any more, even those that have not noticed yet.
            for browser in self._browsers.values():
                browser.kill()
        use = self._apply_plan()
        if use is None:
            return None
        # No other could be had while this one was full, perhaps.
        self._note_problem("")
        return self._browsers[use]

    def _note_problem(self, problem: str) -> None:
        """Note why no browser can be had; empty while one can."""
        self.last_problem = problem
        if problem:
            self._may_serve.clear()
        else:
            self._may_serve.set()

    def _apply_plan(self) -> int | None:
        plan = plan_pool((browser.view() for browser in self._browsers.values()), self._limits)
        for number in plan.retire:
            self._browsers[number].is_retired = True
        for number in plan.close:
            self._remove(self._browsers.pop(number))
        return plan.use

    def _remove(self, browser: BrowserConnection) -> None:
        if browser.is_alive:
            self.recycled += 1
            _logger.info("browser %d is recycled after %d pages", browser.number, browser.pages_served)
        else:
            self.crashes += 1
            _logger.warning("browser %d (%s) is gone and will be replaced", browser.number, browser.describe())
        self._closings.spawn(browser.close(), f"close-{browser.number}")

    async def _provide(self) -> BrowserConnection | Exception:
        """Launch a browser unless another caller just did; the failure is given, not raised, as many may wait."""
        async with self._lock:
            usable = self._find_usable()
            if usable is not None:
                return usable
            try:
                launched = await self._launch()
            except Exception as error:  # noqa: BLE001 - handed to every waiting caller
                self._note_problem(str(error))
                return error
            self._note_problem("")
            await launched.measure()
            self._browsers[launched.number] = launched
            return launched

    async def _launch(self) -> BrowserConnection:
        try:
            return await self._source.open()
        except LaunchFailed as error:
            if self._browsers:
                # A new start of the source would end those that still serve.
                raise
            _logger.warning("%s; starting anew", error)
            await self._source.stop()
            return await self._source.open()
