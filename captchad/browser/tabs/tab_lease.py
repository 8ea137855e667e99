"""One tab while an attempt uses it, from taking it to its end."""

import asyncio

from playwright.async_api import Error as PlaywrightError

from captchad.browser.browsers.connection import BrowserConnection, LaunchFailed
from captchad.browser.browsers.driver_loss import DRIVER_ENDED, is_driver_gone
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
        taken = await asyncio.shield(self._taking)
        if isinstance(taken, str):
            raise AttemptFailed(TaskErrorCode.BROWSER_CRASHED, taken)
        return taken

    async def put_back(self) -> bool:
        """Clean the tab of a page that went well for its owner's next task; False where it must be closed instead.

        The page's own process has to answer, so that a failure says nothing about the browser.
        """
        taken = await asyncio.shield(self._taking)
        is_kept = isinstance(taken, Tab) and await self._tabs.put_back(taken, self._owner)
        if is_kept:
            self._tabs.end()
        return is_kept

    async def close(self, *, is_well: bool) -> None:
        """Close the tab with everything in it.

        It takes as long as the browser does; a browser that hangs never finishes.
        """
        try:
            taken = await asyncio.shield(self._taking)
            if isinstance(taken, Tab):
                await self._tabs.close_tab(taken, is_suspect=not is_well or self._tabs.may_keep(self._owner))
        finally:
            self._tabs.end()

    async def _take(self) -> Tab | str:
        """Return a tab, or why there is none."""
        try:
            return await self._tabs.take(self.connection, self._owner)
        except LaunchFailed as error:
            return str(error)
        except PlaywrightError as error:
            first_line = str(error).strip().partition("\n")[0]
            return f"the browser could not open a page: {first_line}"
        except RuntimeError as error:
            if not is_driver_gone(error):
                raise
            return DRIVER_ENDED
