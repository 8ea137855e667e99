"""Makes the closed shadow roots of a page known to captchad's scripts; the page itself notices nothing.

DevTools gives each root to the worlds those scripts run in: the driver's own, and the one of the main frame's scans.
There it is kept at its host, as `captchadRoot`; properties of one world are not seen in another.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

from captchad.browser.scripts.bounds import TAMPERED
from captchad.browser.scripts.catalogue import CLOSED_HOSTS, read_page_scripts

HOSTS_LIMIT = 40
_GROUP = "captchad-closed-roots"
_DRIVER_WORLD = "__playwright_utility_world"
_KEEP = "function () { this.host.captchadRoot = this }"


class ClosedRoots:
    """Looks for them in one page's main frame."""

    def __init__(self, devtools: CDPSession, frame_id: str, world_name: str) -> None:
        self._devtools = devtools
        self._frame_id = frame_id
        self._world_name = world_name

    async def make_known(self) -> None:
        """Make those roots known that are there now, 40 at most; a page that goes away meanwhile has none."""
        try:
            own = await self._devtools.send(
                "Page.createIsolatedWorld", {"frameId": self._frame_id, "worldName": self._world_name}
            )
            hosts = await self._list_hosts(own["executionContextId"])
            if hosts:
                worlds = [own["executionContextId"], *await self._find_driver_worlds()]
                await asyncio.gather(*(self._make_known(host, worlds) for host in hosts))
            await self._devtools.send("Runtime.releaseObjectGroup", {"objectGroup": _GROUP})
        except (PlaywrightError, *TAMPERED):
            return

    async def _list_hosts(self, world: int) -> list[str]:
        """Return the objects of elements that may have a closed root."""
        wanted = {"expression": f"({read_page_scripts()[CLOSED_HOSTS]})()", "contextId": world, "objectGroup": _GROUP}
        found = await self._devtools.send("Runtime.evaluate", wanted)
        listed = {"objectId": found["result"]["objectId"], "ownProperties": True}
        properties = (await self._devtools.send("Runtime.getProperties", listed))["result"]
        return [one["value"]["objectId"] for one in properties if one["name"].isdigit()][:HOSTS_LIMIT]

    async def _find_driver_worlds(self) -> list[int]:
        """Return the driver's worlds of the main frame, which DevTools names as it begins to tell of them."""
        contexts: list[dict[str, Any]] = []

        def note(event: dict[str, Any]) -> None:
            contexts.append(event["context"])

        self._devtools.on("Runtime.executionContextCreated", note)
        try:
            # Otherwise all that the page has logged would be told, too.
            await self._devtools.send("Runtime.discardConsoleEntries")
            await self._devtools.send("Runtime.enable")
            await self._devtools.send("Runtime.disable")
        finally:
            self._devtools.remove_listener("Runtime.executionContextCreated", note)
        return [
            context["id"]
            for context in contexts
            if context["name"].startswith(_DRIVER_WORLD) and context["auxData"].get("frameId") == self._frame_id
        ]

    async def _make_known(self, host: str, worlds: Iterable[int]) -> None:
        described = await self._devtools.send("DOM.describeNode", {"objectId": host, "depth": 0, "pierce": True})
        for root in described["node"].get("shadowRoots", ()):
            if root["shadowRootType"] != "closed":
                continue
            for world in worlds:
                wanted = {"backendNodeId": root["backendNodeId"], "executionContextId": world, "objectGroup": _GROUP}
                resolved = await self._devtools.send("DOM.resolveNode", wanted)
                kept = {"functionDeclaration": _KEEP, "objectId": resolved["object"]["objectId"]}
                await self._devtools.send("Runtime.callFunctionOn", kept)
