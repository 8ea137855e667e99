"""A browser elsewhere, and the heartbeat that notices when it is gone."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from playwright.async_api import Error as PlaywrightError

from captchad.browser.connection import BrowserConnection
from captchad.browser.driver import STOP_SECONDS, PlaywrightDriver
from captchad.browser.remote.endpoint import Reached
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskGroupKeeper

HEARTBEAT_SECONDS = 1.0
HEARTBEAT_LIMIT_SECONDS = 5.0

_logger = logging.getLogger(__name__)


class RemoteBrowser(BrowserConnection):
    """One connection to a browser elsewhere, through a driver of its own.

    A driver that is killed fails every call that waits on it at once, whatever has become of the far side; nothing
    else does, where that stands still or has vanished without a word.
    """

    def __init__(
        self,
        number: int,
        place: str,
        reached: Reached,
        user_agent: str,
        driver: PlaywrightDriver,
        clock: Clock,
        context_options: Mapping[str, Any],
    ) -> None:
        super().__init__(number, reached.browser, user_agent, clock, context_options)
        self._place = place
        self._reached = reached
        self._driver = driver
        self._work = TaskGroupKeeper(f"browser-{number}")
        self._work.spawn(self._watch(), "heartbeat")

    @property
    def is_alive(self) -> bool:
        """Whether it can serve pages."""
        return not self.is_killed and self.browser.is_connected() and self._driver.is_alive

    def describe(self) -> str:
        """Say where it is."""
        return f"at {self._place}"

    async def measure(self) -> None:
        """Leave the memory unknown: a process elsewhere can't be read."""

    def kill(self) -> None:
        """Break with it at once; its contexts end there as soon as it notices."""
        self.is_killed = True
        self._driver.kill()

    async def close(self) -> None:
        """Leave it politely, and by force if that takes too long; a session there is given back in any case."""
        await self._work.cancel_all()
        with contextlib.suppress(TimeoutError, PlaywrightError):
            async with asyncio.timeout(STOP_SECONDS):
                if self.is_alive:
                    await self.browser.close()
        self.is_killed = True
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._reached.leave()
        await self._driver.stop()

    async def _watch(self) -> None:
        """Ask for a sign of life again and again; break with a browser that gives none, or whose time is up."""
        try:
            async with asyncio.timeout(self._reached.life_seconds):
                reason = await self._beat_until_lost()
        except TimeoutError:
            reason = "may not be kept any longer"
        if not self.is_killed:
            _logger.warning("the browser at %s %s", self._place, reason)
            self.kill()

    async def _beat_until_lost(self) -> str:
        try:
            async with asyncio.timeout(HEARTBEAT_LIMIT_SECONDS):
                session = await self.browser.new_browser_cdp_session()
            while True:
                await self._clock.sleep(HEARTBEAT_SECONDS)
                async with asyncio.timeout(HEARTBEAT_LIMIT_SECONDS):
                    await session.send("Browser.getVersion")
                    await self._reached.beat()
        except TimeoutError:
            return f"gave no sign of life within {HEARTBEAT_LIMIT_SECONDS:g} s"
        except (PlaywrightError, OSError) as error:
            return f"is lost: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}"
        except Exception as error:  # noqa: BLE001 - a driver that ends raises a bare Exception
            return f"is lost: {error}"
