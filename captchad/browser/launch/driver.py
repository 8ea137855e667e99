"""Playwright's driver: the node process through which every browser is controlled."""

import asyncio
import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Playwright, async_playwright

from captchad.browser.browsers.connection import LaunchFailed
from captchad.browser.launch.process_tree import find_driver, is_running, kill_tree, list_children
from captchad.browser.scripts.isolated_world import install_scripts
from captchad.runtime.spawn import TaskSet

DRIVER_START_SECONDS = 30.0
STOP_SECONDS = 3.0
TEMPORARY_FOLDER_VARIABLE = "TMPDIR"
NODE_OPTIONS_VARIABLE = "NODE_OPTIONS"
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

    async def start(self, temporary_folder: Path | None = None) -> Playwright:
        """Start the driver unless it runs; LaunchFailed when it does not start.

        It keeps its files, browser profiles among them, in `temporary_folder`.
        """
        if self._playwright is not None and self.is_alive:
            return self._playwright
        await self.stop()
        # Playwright does not tell its driver's process id, so the new child is looked for.
        known = list_children()
        try:
            async with asyncio.timeout(DRIVER_START_SECONDS):
                with _set_environment(_choose_environment(temporary_folder)):
                    playwright = await async_playwright().start()
                await install_scripts(playwright)
        except (TimeoutError, PlaywrightError, OSError) as error:
            raise LaunchFailed(f"Playwright's driver did not start: {error or 'no answer'}") from None
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


def is_driver_gone(error: RuntimeError) -> bool:
    """Whether uvloop raised this on a write to a process that has ended; Playwright does not map it to its own."""
    return "the handler is closed" in str(error)


async def _stop_quietly(playwright: Playwright) -> None:
    with contextlib.suppress(PlaywrightError, OSError):
        await playwright.stop()


def _choose_environment(temporary_folder: Path | None) -> dict[str, str]:
    own_options = os.environ.get(NODE_OPTIONS_VARIABLE, "")
    chosen = {
        NODE_OPTIONS_VARIABLE: f"{FRUGAL_HEAP} {own_options}".rstrip()
    }  # node takes the last of two equal options
    if temporary_folder is not None:
        chosen[TEMPORARY_FOLDER_VARIABLE] = str(temporary_folder)
    return chosen


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
