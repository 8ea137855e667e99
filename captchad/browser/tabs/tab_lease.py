"""One tab while an attempt uses it, from taking it to its end."""

import asyncio

from playwright.async_api import Error as PlaywrightError

from captchad.browser.browsers.connection import BrowserConnection
from captchad.browser.launch.driver import is_driver_gone
from captchad.browser.tabs.tab import Tab
from captchad.browser.tabs.tab_plan import TabOwner
from captchad.browser.tabs.tab_pool import TabPool
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.spawn import TaskSet


class TabLease:
    """Takes a tab of `connection` for `owner`; `put_back` or `close` must follow."""

    def __init__(self, connection: BrowserConnection, tabs: TabPool, owner: TabOwner | None, work: TaskSet) -> None:
        self.connection = connection
        self._tabs = tabs
        self._owner = owner
        self._work = work
        # In a task of its own: a cancelled attempt must still close a context that arrives late.
        self._taking = work.spawn(self._take(), "take-tab")

    async def tab(self) -> Tab:
        """Return the tab once it is open; AttemptFailed where the browser can't open one."""
        tab = await asyncio.shield(self._taking)
        if isinstance(tab, PlaywrightError):
            reason = str(tab).strip().partition("\n")[0]
            raise AttemptFailed(TaskErrorCode.BROWSER_CRASHED, f"the browser could not open a page: {reason}")
        return tab

    async def put_back(self) -> bool:
        """Clean the tab of a page that went well for its owner's next task; False where it must be closed instead.

        The page's own process has to answer, so that a failure says nothing about the browser.
        """
        try:
            tab = await asyncio.shield(self._taking)
            is_kept = isinstance(tab, Tab) and await self._tabs.put_back(tab, self._owner)
        except RuntimeError as error:
            if not is_driver_gone(error):
                raise
            is_kept = False
        if is_kept:
            self._tabs.end()
        return is_kept

    async def close(self, *, is_well: bool) -> None:
        """Close the tab with everything in it.

        It takes as long as the browser does; a browser that hangs never finishes.
        """
        try:
            tab = await asyncio.shield(self._taking)
            if not isinstance(tab, Tab):
                return
            if not is_well or self._tabs.may_keep(self._owner):
                # Not awaited: a page that floods, or could not be cleaned, holds up every answer until it has ended.
                self._work.spawn(tab.end_renderer(), "end-renderer")
                # A browser whose network process hangs still closes its tabs; only this request shows the hang.
                await tab.ask_network()
            await self._tabs.close_tab(tab)
        except RuntimeError as error:
            # The tab is gone with the driver.
            if not is_driver_gone(error):
                raise
        finally:
            self._tabs.end()

    async def _take(self) -> Tab | PlaywrightError:
        try:
            return await self._tabs.take(self.connection, self._owner)
        except PlaywrightError as error:
            return error
