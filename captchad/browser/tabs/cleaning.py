"""Removes everything a page left in its context, and verifies that it is gone."""

import asyncio
from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

from captchad.browser.browsers.driver_loss import DRIVER_ENDED, is_driver_gone
from captchad.browser.tabs.tab import Tab

BLANK = "about:blank"
COLLECT_PAGES = 10
"""Each page leaves 1.4 MiB of garbage in its renderer, which Chromium hardly ever collects (docs/performance.md)."""

# Sets window.name to empty, then reads back what a page could have left in the tab itself.
_ENTER_NAMELESS = "(window.name = '', [window.name, history.length, window.opener === null, document.URL].join())"
_AS_NEW = f",1,true,{BLANK}"


class Uncleanable(Exception):
    """The context must be discarded; the message says why."""


async def clean(tab: Tab) -> None:
    """Make the tab equivalent to a new one; Uncleanable when that can't be done or verified.

    Anything a page does that is not undone here makes the tab uncleanable (see Traces).
    """
    devtools = tab.devtools
    if not tab.is_watched:
        raise Uncleanable("a tab that is not watched")
    # The page's last events must not reach the attempt that has just ended.
    tab.observer = None
    # Before anything is removed: an answer that came later would put its cookie into a context that is clean.
    await tab.access.cut()
    try:
        await _leave_page(tab, devtools)
        await _remove_traces(tab, devtools)
        await _prove_clean(tab, devtools)
        if tab.pages_served % COLLECT_PAGES == 0:
            await devtools.send("HeapProfiler.collectGarbage")
    except PlaywrightError as error:
        raise Uncleanable(str(error).splitlines()[0]) from None
    except RuntimeError as error:
        if not is_driver_gone(error):
            raise
        raise Uncleanable(DRIVER_ENDED) from None
    # Only once cleaned: a tab that failed keeps what it must not be used again for.
    tab.traces.forget()


async def _leave_page(tab: Tab, devtools: CDPSession) -> None:
    """Go to an empty page, so that no script of the old one can restore what is removed.

    Session storage belongs to the tab and can be cleared only while a page of its origin is open: with its scripts
    stopped. Anything written in spite of that is reported before the empty page.
    """
    _check_traces(tab)
    await asyncio.gather(
        devtools.send("Emulation.setScriptExecutionDisabled", {"value": True}),
        *(devtools.send("DOMStorage.clear", {"storageId": area}) for area in tab.traces.storage_areas),
    )
    # Only committed, not loaded: the old document is gone by then.
    await tab.page.goto(BLANK, wait_until="commit")
    await devtools.send("Emulation.setScriptExecutionDisabled", {"value": False})


async def _remove_traces(tab: Tab, devtools: CDPSession) -> None:
    _check_traces(tab)
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("Network.clearBrowserCookies", {}),
        ("Network.clearBrowserCache", {}),
        # For the copy in the renderer's memory, which is dropped when the cache is switched off.
        ("Network.setCacheDisabled", {"cacheDisabled": True}),
        ("Network.setCacheDisabled", {"cacheDisabled": False}),
        ("Page.resetNavigationHistory", {}),
        *(("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}) for origin in tab.traces.origins),
    ]
    await asyncio.gather(*(devtools.send(method, parameters) for method, parameters in wanted))


async def _prove_clean(tab: Tab, devtools: CDPSession) -> None:
    refused_before = tab.access.refused
    cookies, seen, *usages = await asyncio.gather(
        tab.context.cookies(),
        devtools.send("Runtime.evaluate", {"expression": _ENTER_NAMELESS, "returnByValue": True}),
        *(devtools.send("Storage.getUsageAndQuota", {"origin": origin}) for origin in tab.traces.origins),
    )
    _check_traces(tab)
    # Checked again, since events may have arrived while the above was under way.
    if tab.traces.storage_areas:
        raise Uncleanable("the page kept writing to its storage")
    if cookies:
        raise Uncleanable("cookies are left")
    if seen["result"].get("value") != _AS_NEW:
        raise Uncleanable(f"the empty page is not blank: {seen['result'].get('value')}")
    if any(usage["usage"] for usage in usages):
        raise Uncleanable("stored data is left")
    # What the page left to be sent is refused and gone by now; what comes still may come again in the next visit.
    if tab.access.refused > refused_before:
        raise Uncleanable("something still sends requests")


def _check_traces(tab: Tab) -> None:
    if tab.traces.obstacle:
        raise Uncleanable(tab.traces.obstacle)
    if len(tab.context.pages) != 1:
        raise Uncleanable("another page")
