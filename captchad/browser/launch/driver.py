"""Playwright's driver: the node process through which every browser is controlled."""

import asyncio
import contextlib
import os
from collections.abc import Iterator, Mapping
from ctypes.util import find_library
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Playwright, async_playwright

from captchad.browser.browsers.connection import LaunchFailed
from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.launch.node_starter import write_node_starter
from captchad.browser.launch.process_tree import find_driver, is_running, kill_tree, list_children
from captchad.browser.scripts.isolated_world import install_scripts
from captchad.runtime.spawn import TaskSet

DRIVER_START_SECONDS = 30.0
STOP_SECONDS = 3.0
TEMPORARY_FOLDER_VARIABLE = "TMPDIR"
NODE_OPTIONS_VARIABLE = "NODE_OPTIONS"
NODE_PROGRAM_VARIABLE = "PLAYWRIGHT_NODEJS_PATH"
FRUGAL_HEAP = "--max-old-space-size=1024 --max-semi-space-size=8"
"""Node sizes its heap by the machine's memory otherwise: 210 to 320 MiB instead of 150 to 170 (docs/performance.md)."""


class PlaywrightDriver:
    """One driver, restarted when it is gone."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._pid = 0
        self._work = TaskSet("driver")

    @property
    def is_alive(self) -> bool:
        """Whether the driver runs."""
        return self._playwright is not None and is_running(self._pid)

    @property
    def pid(self) -> int:
        """Its process id; 0 while it does not run."""
        return self._pid

    async def start(self, folder: Path) -> Playwright:
        """Start the driver unless it runs; LaunchFailed when it does not start.

        It keeps its files, browser profiles among them, in `folder`.
        """
        if self._playwright is not None and self.is_alive:
            return self._playwright
        await self.stop()
        # Playwright does not tell its driver's process id, so the new child is looked for.
        known = list_children()
        try:
            async with asyncio.timeout(DRIVER_START_SECONDS):
                with _set_environment(_choose_environment(folder)):
                    manager = async_playwright()
                    playwright = await manager.start()
                _retrieve_end(manager)
                await install_scripts(playwright)
        except Exception as error:  # noqa: BLE001 - a driver that ends meanwhile raises a bare Exception
            raise LaunchFailed(f"Playwright's driver did not start: {explain_failed_start(error)}") from None
        finally:
            self._pid = find_driver(known) or 0
        self._playwright = playwright
        return playwright

    async def stop(self) -> None:
        """End the driver and every browser under it, and wait until it has ended."""
        # Cleared first: a call meanwhile must not use a driver that is being stopped.
        playwright, self._playwright = self._playwright, None
        if playwright is not None:
            stopping = {self._work.spawn(_stop_quietly(playwright), "stop")}
            await asyncio.wait(stopping, timeout=STOP_SECONDS)
            self.kill()
            # Its pipes are closed only once asyncio has noticed its end, while the event loop still runs.
            await asyncio.wait(stopping, timeout=STOP_SECONDS)
            await self._work.cancel_all()
        self.kill()

    def kill(self) -> None:
        """End the driver at once, with every browser under it."""
        pid, self._pid = self._pid, 0
        if pid:
            kill_tree(pid)


def explain_failed_start(error: Exception) -> str:
    """Return why a driver did not start; what it says of a missing library goes where nobody reads it."""
    reason = str(error) or "no answer"
    return reason if find_library("atomic") else f"{reason}; it needs libatomic1 (apt-get install libatomic1)"


async def _stop_quietly(playwright: Playwright) -> None:
    with contextlib.suppress(OSError), tolerate_loss():
        await playwright.stop()


def _retrieve_end(manager: object) -> None:
    """Have asyncio not complain that nobody asked for the error with which the driver's pipe ends.

    Playwright waits for that future at the start alone, and shows it to nobody; releases keep it in different places.
    """
    for owner in ("_client", "_connection"):
        transport = getattr(getattr(manager, owner, None), "_transport", None)
        end: asyncio.Future[None] | None = getattr(transport, "on_error_future", None)
        if end is not None:
            end.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())


def _choose_environment(folder: Path) -> dict[str, str]:
    own_options = os.environ.get(NODE_OPTIONS_VARIABLE, "")
    return {
        # node takes the last of two equal options
        NODE_OPTIONS_VARIABLE: f"{FRUGAL_HEAP} {own_options}".rstrip(),
        NODE_PROGRAM_VARIABLE: write_node_starter(folder, compute_driver_executable()[0]),
        TEMPORARY_FOLDER_VARIABLE: str(folder),
    }


@contextlib.contextmanager
def _set_environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Change the environment for a process started meanwhile: the driver takes no argument for it."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
