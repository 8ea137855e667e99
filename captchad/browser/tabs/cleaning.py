"""Takes everything a page has left out of its context, and looks whether it is gone."""

import asyncio
from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

from captchad.browser.tabs.tab import Tab

BLANK = "about:blank"
COLLECT_PAGES = 10
"""Even a small page leaves 1.4 MiB of garbage in its renderer, which by itself is hardly ever collected."""

_ENTER_NAMELESS = "(window.name = '', [window.name, history.length, window.opener === null, document.URL].join())"
_AS_NEW = f",1,true,{BLANK}"


class Uncleanable(Exception):
    """A context that must be thrown away, with the reason."""


async def clean(tab: Tab) -> None:
    """Leave the tab as if it had just been opened; Uncleanable when that can't be done, or is not proven.

    Whatever a page does that is not known to be undone here makes the tab uncleanable (see Traces).
    """
    devtools = tab.devtools
    if not tab.is_watched:
        raise Uncleanable("a tab that is not watched")
    tab.observer = None
    try:
        await _leave_page(tab, devtools)
        await _remove_traces(tab, devtools)
        await _prove_clean(tab, devtools)
        if tab.pages_served % COLLECT_PAGES == 0:
            await devtools.send("HeapProfiler.collectGarbage")
    except PlaywrightError as error:
        raise Uncleanable(str(error).splitlines()[0]) from None
    tab.traces.forget()


async def _leave_page(tab: Tab, devtools: CDPSession) -> None:
    """Go to an empty page, so that no script of the old one can put back what is removed.

    A session storage belongs to the tab and can be emptied only while a page of its origin is open: with its
    scripts stopped, and whatever is written in spite of that is heard of before the empty page.
    """
    _check_traces(tab)
    await asyncio.gather(
        devtools.send("Emulation.setScriptExecutionDisabled", {"value": True}),
        *(devtools.send("DOMStorage.clear", {"storageId": area}) for area in tab.traces.storage_areas),
    )
    await tab.page.goto(BLANK, wait_until="commit")
    await devtools.send("Emulation.setScriptExecutionDisabled", {"value": False})


async def _remove_traces(tab: Tab, devtools: CDPSession) -> None:
    _check_traces(tab)
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("Network.clearBrowserCookies", {}),
        ("Network.clearBrowserCache", {}),
        # Once more for the copy in the renderer's memory, which goes when the cache is switched off.
        ("Network.setCacheDisabled", {"cacheDisabled": True}),
        ("Network.setCacheDisabled", {"cacheDisabled": False}),
        ("Page.resetNavigationHistory", {}),
        *(("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}) for origin in tab.traces.origins),
    ]
    await asyncio.gather(*(devtools.send(method, parameters) for method, parameters in wanted))


async def _prove_clean(tab: Tab, devtools: CDPSession) -> None:
    cookies, seen, *usages = await asyncio.gather(
        tab.context.cookies(),
        devtools.send("Runtime.evaluate", {"expression": _ENTER_NAMELESS, "returnByValue": True}),
        *(devtools.send("Storage.getUsageAndQuota", {"origin": origin}) for origin in tab.traces.origins),
    )
    _check_traces(tab)
    if tab.traces.storage_areas:
        raise Uncleanable("the page wrote into its storage to the last")
    if cookies:
        raise Uncleanable("cookies are left")
    if seen["result"].get("value") != _AS_NEW:
        raise Uncleanable(f"the empty page is not as new: {seen['result'].get('value')}")
    if any(usage["usage"] for usage in usages):
        raise Uncleanable("stored data is left")


def _check_traces(tab: Tab) -> None:
    if tab.traces.obstacle:
        raise Uncleanable(tab.traces.obstacle)
    if len(tab.context.pages) != 1:
        raise Uncleanable("another page")
