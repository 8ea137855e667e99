"""Makes the closed shadow roots of a page known to captchad's scripts; the page itself notices nothing.

DevTools gives each root to the worlds those scripts run in: the driver's own ones, and that of the main frame's scans.
There it is kept at its host, as `captchadRoot`; properties of one world are not seen in another.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

from captchad.browser.scripts.bounds import CHILD_FRAMES_LIMIT, TAMPERED
from captchad.browser.scripts.catalogue import CLOSED_HOSTS, read_page_scripts

HOSTS_LIMIT = 40
WORLDS_NEAR = 100
_GROUP = "captchad-closed-roots"
_MARK_BYTES = 16
_KEEP = "function () { this.host.captchadRoot = this }"


MarkWorlds = Callable[[str], Awaitable[object]]
"""Sets a global of that name in the driver's world of each frame."""


@dataclass(frozen=True, slots=True)
class _Host:
    """An element that may have a closed root, and our own world of its frame."""

    object_id: str
    own_world: int


class ClosedRoots:
    """Looks for them in one page's frames, but for those of other sites, which have a process of their own."""

    def __init__(self, devtools: CDPSession, world_name: str) -> None:
        self._devtools = devtools
        self._world_name = world_name

    async def make_known(self, mark_worlds: MarkWorlds) -> bool:
        """Make those roots known that are there now, 40 at most; False where the page went away meanwhile."""
        try:
            tree = (await self._devtools.send("Page.getFrameTree"))["frameTree"]
            frame_ids = _list_ids(tree)[:CHILD_FRAMES_LIMIT]
            listed = await asyncio.gather(*(self._list_hosts(frame_id) for frame_id in frame_ids))
            hosts = [host for some in listed for host in some][:HOSTS_LIMIT]
            if hosts:
                twins = await self._find_twins({host.own_world for host in hosts}, mark_worlds)
                await asyncio.gather(*(self._make_known(host, twins) for host in hosts))
            await self._devtools.send("Runtime.releaseObjectGroup", {"objectGroup": _GROUP})
        except (PlaywrightError, *TAMPERED):
            return False
        return True

    async def _list_hosts(self, frame_id: str) -> list[_Host]:
        """Return the elements of a frame that may have a closed root; none of one that is gone."""
        try:
            made = await self._devtools.send(
                "Page.createIsolatedWorld", {"frameId": frame_id, "worldName": self._world_name}
            )
            world = int(made["executionContextId"])
            source = f"({read_page_scripts()[CLOSED_HOSTS]})()"
            wanted = {"expression": source, "contextId": world, "objectGroup": _GROUP}
            found = await self._devtools.send("Runtime.evaluate", wanted)
            listed = {"objectId": found["result"]["objectId"], "ownProperties": True}
            properties = (await self._devtools.send("Runtime.getProperties", listed))["result"]
        except (PlaywrightError, *TAMPERED):
            return []
        return [_Host(one["value"]["objectId"], world) for one in properties if one["name"].isdigit()]

    async def _find_twins(self, own_worlds: Iterable[int], mark_worlds: MarkWorlds) -> dict[int, list[int]]:
        """Return the driver's worlds of the same documents as our own, by ours.

        They were made at about the same time, and so are near in number.

        Runtime.enable would name all worlds. But with the Runtime.disable after it Chromium no longer makes any in
        documents without scripts, for the driver neither, and their frames never answer again.
        """
        mark = secrets.token_hex(_MARK_BYTES)
        await mark_worlds(mark)
        near = sorted({world for own in own_worlds for world in range(max(1, own - WORLDS_NEAR), own + WORLDS_NEAR)})
        are_marked = await asyncio.gather(*(self._is_marked(world, mark) for world in near))
        marked = [world for world, is_marked in zip(near, are_marked, strict=True) if is_marked]
        documents = {world: await self._read_document(world) for world in (*own_worlds, *marked)}
        return {own: [world for world in marked if documents[world] == documents[own]] for own in own_worlds}

    async def _read_document(self, world: int) -> int:
        """Return the number of the node that is a world's document."""
        wanted = {"expression": "document", "contextId": world, "objectGroup": _GROUP}
        found = await self._devtools.send("Runtime.evaluate", wanted)
        described = await self._devtools.send("DOM.describeNode", {"objectId": found["result"]["objectId"]})
        return int(described["node"]["backendNodeId"])

    async def _is_marked(self, world: int, mark: str) -> bool:
        wanted = {"expression": f"globalThis[{json.dumps(mark)}] === true", "contextId": world, "returnByValue": True}
        try:
            found = await self._devtools.send("Runtime.evaluate", wanted)
        except PlaywrightError:
            return False
        return found["result"].get("value") is True

    async def _make_known(self, host: _Host, twins: Mapping[int, Iterable[int]]) -> None:
        described = await self._devtools.send(
            "DOM.describeNode", {"objectId": host.object_id, "depth": 0, "pierce": True}
        )
        for root in described["node"].get("shadowRoots", ()):
            if root["shadowRootType"] != "closed":
                continue
            # Of the same document alone: in the world of another frame the root would be of that frame's own class.
            for world in (host.own_world, *twins[host.own_world]):
                wanted = {"backendNodeId": root["backendNodeId"], "executionContextId": world, "objectGroup": _GROUP}
                resolved = await self._devtools.send("DOM.resolveNode", wanted)
                kept = {"functionDeclaration": _KEEP, "objectId": resolved["object"]["objectId"]}
                await self._devtools.send("Runtime.callFunctionOn", kept)


def _list_ids(tree: Mapping[str, Any]) -> list[str]:
    below = [frame_id for child in tree.get("childFrames", ()) for frame_id in _list_ids(child)]
    return [str(tree["frame"]["id"]), *below]
