"""Keeps browsers ready: carries out the pool's plan, and replaces browsers that crash, hang or are due."""

import asyncio

from captchad.browser.browsers.connection import BrowserConnection, BrowserSource, LaunchFailed
from captchad.browser.browsers.hang_judge import HangJudge, Wait
from captchad.browser.browsers.pool_plan import RecycleLimits, plan_pool
from captchad.config.settings import BrowserSection
from captchad.runtime.clock import Clock
from captchad.runtime.cpu_pressure import read_stalled_seconds
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.logs import shared_logger

OVERGROWN_FACTOR = 2
"""A browser that exceeds its memory limit by this factor loses its largest pages, or all of them."""

# Spreads recycling, so that browsers started together do not all restart together.
JITTER = 0.1

PROMPT_SECONDS = 1.0
"""An answer within this time needs no watching."""

WATCH_SECONDS = 0.5
GIVE_UP_SECONDS = 3.0
"""How long a call to a killed browser may take to fail."""

_logger = shared_logger(__name__)


class BrowserPool:
    """Lends browsers for pages; any number of pages may share one."""

    def __init__(self, config: BrowserSection, source: BrowserSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._limits = RecycleLimits(
            config.recycle_pages, config.recycle_age_seconds, config.recycle_memory_bytes, JITTER
        )
        self._overgrown_bytes = config.recycle_memory_bytes * OVERGROWN_FACTOR
        self._browsers: dict[int, BrowserConnection] = {}
        # One launch at a time: callers that find no browser must share one, not start one each.
        self._lock = asyncio.Lock()
        self._work = TaskSet("browsers")
        # Apart from the other work, since close() cancels that: a browser whose closing was cancelled would leave its
        # driver, or its session at a hub, behind.
        self._closings = TaskSet("closing-browsers")
        self.crashes = 0
        self.recycled = 0
        self.pages_served = 0
        self.last_problem = ""
        self._has_served = False
        self._may_serve = asyncio.Event()
        self._may_serve.set()

    @property
    def browsers(self) -> tuple[BrowserConnection, ...]:
        """All browsers there are, retired ones included."""
        return tuple(self._browsers.values())

    async def wait_serving(self) -> None:
        """Wait until a browser can be launched or reached."""
        await self._may_serve.wait()

    async def borrow(self) -> BrowserConnection:
        """Return a browser for one more page; LaunchFailed or DependencyMissing when there is none."""
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

    async def await_answer(self, browser: BrowserConnection, answer: "asyncio.Task[None]") -> None:
        """Wait for a browser's answer; a browser that hangs meanwhile is killed.

        A suspected browser gets no further pages. Other pages of a killed browser fail and are retried elsewhere.
        """
        await asyncio.wait({answer}, timeout=PROMPT_SECONDS)
        judge = HangJudge()
        # Another page's wait may kill the browser meanwhile.
        while not answer.done() and not browser.is_killed:
            judge.note(await self._watch(browser, answer))
            if judge.is_suspect:
                browser.retire("was slow to answer")
            if judge.is_hung:
                self._kill(browser, "hangs")
        await asyncio.wait({answer}, timeout=GIVE_UP_SECONDS)
        answer.cancel()

    async def _watch(self, browser: BrowserConnection, answer: "asyncio.Task[None]") -> Wait:
        """Watch a browser for WATCH_SECONDS, the most that counts even where this process itself woke up late."""
        before, stalled_seconds = await browser.read_activity(), read_stalled_seconds()
        began_seconds, used_seconds = self._clock.monotonic_seconds(), self._clock.cpu_seconds()
        await asyncio.wait({answer}, timeout=WATCH_SECONDS)
        after = await browser.read_activity()
        # The kernel's counter covers the time this process overslept too, so the share is of that.
        took_seconds = max(WATCH_SECONDS, self._clock.monotonic_seconds() - began_seconds)
        pressure = min(1.0, (read_stalled_seconds() - stalled_seconds) / took_seconds)
        own_share = (self._clock.cpu_seconds() - used_seconds) / took_seconds
        return Wait(WATCH_SECONDS, before, after, pressure, own_share)

    async def maintain(self) -> None:
        """Measure, recycle and replace, so that the next page finds a healthy browser."""
        for browser in self.browsers:
            await browser.measure()
            if browser.memory_bytes > self._overgrown_bytes:
                await self._shrink(browser)
        if self._find_usable() is None:
            provided = await self._provide()
            # That there is none at the start ends the worker, with the reason as its last word.
            if isinstance(provided, Exception) and self._has_served:
                _logger.error("no browser: %s", provided)

    async def close(self) -> None:
        """End every browser and its source."""
        await self._work.cancel_all()
        for browser in self.browsers:
            del self._browsers[browser.number]
            await browser.close()
        await self._closings.wait_all()
        await self._source.stop()

    async def _shrink(self, browser: BrowserConnection) -> None:
        """End the pages that take the most of a browser's memory; all of it where that is not enough."""
        taken_bytes = browser.memory_bytes
        if await browser.end_largest_pages(self._overgrown_bytes):
            what = "browser %d (%s) takes %d bytes of memory; the pages that take the most are ended"
            _logger.warning(what, browser.number, browser.describe(), taken_bytes)
        else:
            self._kill(browser, f"takes {taken_bytes} bytes of memory")

    def _kill(self, browser: BrowserConnection, reason: str) -> None:
        """Kill a browser at once; its pages fail and are retried elsewhere."""
        if not browser.is_killed:
            browser.end_reason = reason
            browser.kill()
        self._apply_plan()

    def _find_usable(self) -> BrowserConnection | None:
        if not self._source.is_alive:
            # Without the driver no browser can be reached, even where the connection still looks open.
            for browser in self._browsers.values():
                browser.kill()
        use = self._apply_plan()
        if use is None:
            return None
        # An earlier launch may have failed while this browser was full; now it has room.
        self._note_problem("")
        return self._browsers[use]

    def _note_problem(self, problem: str) -> None:
        """Note why there is no browser; empty while there is one."""
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
        if browser.is_alive and not browser.is_broken:
            self.recycled += 1
            reason = browser.end_reason or "has reached a recycling limit"
            _logger.info("browser %d %s; it is recycled after %d pages", browser.number, reason, browser.pages_served)
        else:
            self.crashes += 1
            is_known = (browser.is_killed or browser.is_broken) and browser.end_reason
            reason = browser.end_reason if is_known else "is gone"
            _logger.warning("browser %d (%s) %s and is replaced", browser.number, browser.describe(), reason)
        self._closings.spawn(browser.close(), f"close-{browser.number}")

    async def _provide(self) -> BrowserConnection | Exception:
        """Launch a browser unless another caller just did; a failure is returned, since many may wait for it."""
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
            self._has_served = True
            # GET /workers would otherwise show no memory until the next round of maintenance.
            await launched.measure()
            self._browsers[launched.number] = launched
            return launched

    async def _launch(self) -> BrowserConnection:
        try:
            return await self._source.open()
        except LaunchFailed as error:
            if self._browsers:
                # Restarting the source would end the browsers that still serve.
                raise
            if self._has_served:
                _logger.warning("%s; starting anew", error)
            await self._source.stop()
            return await self._source.open()
