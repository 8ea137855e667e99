"""A browser node for remote workers: keeps one browser server running."""

import asyncio
import logging
import os
import random

from captchad.browser.browsers.connection import LaunchFailed, refuse_access
from captchad.browser.launch.driver import PlaywrightDriver
from captchad.browser.launch.executable import find_executable
from captchad.browser.launch.launch_spec import SandboxPolicy
from captchad.browser.launch.process import SandboxUnusable
from captchad.browser.node.server import BrowserServer, ListeningAddress
from captchad.browser.remote.connection import RemoteBrowser
from captchad.browser.remote.playwright_server import PlaywrightServerEndpoint
from captchad.browser.remote.source import RemoteBrowsers
from captchad.config.settings import BrowserSection
from captchad.domain.errors import DependencyMissing
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

CHECK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
JITTER = 0.2
# Checks between two measurements, which read /proc for each of the browser's processes.
MEASURE_EVERY = 10

_logger = logging.getLogger(__name__)


class BrowserNode(Service):
    """Runs a browser server and is its first client, so that it sees what its workers see.

    A server that has ended, does not answer or stays too big without its largest pages is killed with all its processes
    and restarted; its pages are lost, and retried by their workers.
    """

    name = "browser-node"

    def __init__(
        self, config: BrowserSection, address: ListeningAddress, clock: Clock, *, must_have_sandbox: bool
    ) -> None:
        self._config = config
        self._address = address
        self._clock = clock
        self._sandboxing = SandboxPolicy(config.user, config.recycle_memory_bytes, must_have_sandbox=must_have_sandbox)
        endpoint = PlaywrightServerEndpoint(address.own_url)
        self._source = RemoteBrowsers([endpoint], refuse_access, clock, must_have_sandbox=must_have_sandbox)
        # So that nodes that were started together do not restart together.
        self._memory_limit_bytes = int(config.recycle_memory_bytes * (1 + random.uniform(-JITTER, JITTER)))  # noqa: S311
        self._server: BrowserServer | None = None
        self._client: RemoteBrowser | None = None
        self._work = TaskSet(self.name)
        self._executable = ""
        self.restarts = 0

    async def start(self) -> None:
        """Start the server and connect to it; DependencyMissing where that fails."""
        self._executable = await self._find_executable()
        try:
            await self._bring_up()
        except LaunchFailed as error:
            raise DependencyMissing(f"{error}; `captchad doctor` says more") from None
        _logger.info("a browser is at ws://%s:%d, behind its secret path", self._address.host, self._address.port)

    async def run(self) -> None:
        """Replace the server whenever it is unhealthy."""
        checks = 0
        while True:
            await self._clock.sleep(CHECK_SECONDS)
            checks += 1
            reason = await self._find_fault(measures=checks % MEASURE_EVERY == 0)
            if reason:
                _logger.warning("the browser server %s and is restarted", reason)
                await self._replace()

    async def close(self) -> None:
        """End the server with everything under it."""
        await self._take_down()
        await self._work.cancel_all()
        await self._source.stop()
        await self._sandboxing.remove_files()

    def health(self) -> ServiceHealth:
        """Say whether workers can use its browser."""
        is_ready = self._client is not None and self._client.is_alive
        version = self._client.version if self._client is not None else None
        details = {"browser_version": version, "restarts": self.restarts}
        return ServiceHealth(is_ready, "" if is_ready else "its browser does not answer", details)

    async def _find_fault(self, *, measures: bool) -> str:
        server, client = self._server, self._client
        if server is None or not server.is_running:
            return "has ended"
        if client is None or not client.is_alive:
            return "does not answer"
        if measures:
            taken_bytes = await asyncio.to_thread(server.measure_rss_bytes, os.getpid())
            if taken_bytes > self._memory_limit_bytes:
                return await self._shrink(server, taken_bytes)
        return ""

    async def _shrink(self, server: BrowserServer, taken_bytes: int) -> str:
        """End the pages that take the most of the browser's memory; return what is wrong where that is not enough."""
        if not await asyncio.to_thread(server.end_largest_pages, os.getpid(), self._memory_limit_bytes):
            return f"takes {taken_bytes} bytes"
        _logger.warning("the browser takes %d bytes of memory; the pages that take the most are ended", taken_bytes)
        return ""

    async def _replace(self) -> None:
        pause_seconds = 0.0
        while True:
            await self._take_down()
            await self._clock.sleep(pause_seconds)
            self.restarts += 1
            try:
                await self._bring_up()
            except LaunchFailed as error:
                pause_seconds = min(LONGEST_PAUSE_SECONDS, max(CHECK_SECONDS, pause_seconds * 2))
                _logger.warning("%s; trying again in %g s", error, pause_seconds)
            else:
                return

    async def _bring_up(self) -> None:
        try:
            await self._start_server()
        except SandboxUnusable:
            self._sandboxing.give_up_sandbox()
            await self._take_down()
            await self._start_server()
        self._client = await self._source.open()

    async def _start_server(self) -> None:
        program = await self._sandboxing.prepare(self._executable)
        self._server = BrowserServer(self._address, self._sandboxing.folder, program)
        await self._server.start()
        # A pipe that nobody reads would fill up and stop the server.
        self._work.spawn(self._server.listen(), "listen")

    async def _take_down(self) -> None:
        client, self._client = self._client, None
        server, self._server = self._server, None
        if client is not None:
            client.kill()
            await client.close()
        if server is not None:
            await server.end()

    async def _find_executable(self) -> str:
        """Ask the driver where its own browser would be."""
        driver = PlaywrightDriver()
        try:
            playwright = await driver.start(self._sandboxing.folder)
            return find_executable(self._config.executable, playwright.chromium.executable_path)
        finally:
            await driver.stop()
