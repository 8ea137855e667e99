"""A remote browser, and the heartbeat that notices when it is gone."""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from playwright.async_api import Error as PlaywrightError

from captchad.browser.browsers.connection import AccessOpener, BrowserConnection
from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.launch.driver import STOP_SECONDS, PlaywrightDriver
from captchad.browser.remote.endpoint import Reached
from captchad.browser.remote.patience import Patience
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.logs import shared_logger

HEARTBEAT_SECONDS = 1.0
# A hub may hang; the worker's own end must not wait for it.
LEAVE_SECONDS = 8.0

Answer = TypeVar("Answer")

_logger = shared_logger(__name__)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the browser said first, and how long that took."""

    user_agent: str
    took_seconds: float


class RemoteBrowser(BrowserConnection):
    """One connection to a remote browser, through a driver of its own.

    Killing the driver fails all its pending calls at once, whatever the state of the remote side. Nothing else does,
    where that side hangs or vanished silently.
    """

    def __init__(
        self,
        number: int,
        place: str,
        reached: Reached,
        greeting: Greeting,
        driver: PlaywrightDriver,
        clock: Clock,
        open_access: AccessOpener,
    ) -> None:
        super().__init__(number, reached.browser, greeting.user_agent, clock, open_access)
        self._place = place
        self._reached = reached
        self._driver = driver
        self._patience = Patience()
        self._patience.learn(greeting.took_seconds)
        self._work = TaskSet(f"browser-{number}")
        self._work.spawn(self._watch(), "heartbeat")

    @property
    def is_alive(self) -> bool:
        """Whether it can serve pages."""
        return not self.is_killed and self.browser.is_connected() and self._driver.is_alive

    def describe(self) -> str:
        """Say where it is."""
        return f"at {self._place}"

    async def measure(self) -> None:
        """Do nothing: the memory of a remote process can't be read."""

    def kill(self) -> None:
        """Cut the connection at once; its contexts end there as soon as it notices."""
        self.is_killed = True
        self._driver.kill()

    async def close(self) -> None:
        """Close the connection, by force if that takes too long; a session there is always released."""
        try:
            await self._work.cancel_all()
            with contextlib.suppress(TimeoutError), tolerate_loss():
                async with asyncio.timeout(STOP_SECONDS):
                    if self.is_alive:
                        await self.browser.close()
            self.is_killed = True
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._reached.leave()
            await self._driver.stop()
        finally:
            self.kill()

    async def _watch(self) -> None:
        """Send heartbeats; cut the connection to a browser that does not answer, or whose time is up."""
        try:
            # A Grid session is ended at selenium.session_timeout, whatever it does (docs/browsers.md).
            async with asyncio.timeout(self._reached.life_seconds):
                reason = await self._beat_until_lost()
        except TimeoutError:
            reason = "has reached its maximum age"
        if not self.is_killed:
            _logger.warning("the browser at %s %s", self._place, reason)
            self.kill()

    async def _beat_until_lost(self) -> str:
        try:
            session = await self._answered(self.browser.new_browser_cdp_session())
            while True:
                await self._clock.sleep(HEARTBEAT_SECONDS)
                await self._answered(session.send("Browser.getVersion"))
                await self._answered(self._reached.beat())
        except TimeoutError:
            return f"gave no sign of life within {self._patience.limit_seconds:g} s"
        except (PlaywrightError, OSError) as error:
            return f"is lost: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}"
        except Exception as error:  # noqa: BLE001 - a driver that ends raises a bare Exception
            return f"is lost: {error}"

    async def _answered(self, call: Awaitable[Answer]) -> Answer:
        """Wait for an answer within the current limit."""
        asked_seconds = self._clock.monotonic_seconds()
        async with asyncio.timeout(self._patience.limit_seconds):
            answer = await call
        self._patience.learn(self._clock.monotonic_seconds() - asked_seconds)
        return answer
