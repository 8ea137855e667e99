"""Asks frames by scripts that run in a world of their own: the page's document, without the page's functions.

The driver has one documented way there: a selector engine registered as a content script. Handles of elements are not
used: the driver describes each in the page's world, at any length that the page likes.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from playwright.async_api import CDPSession, Frame, Locator, Playwright

from captchad.browser.scripts.bounds import ANSWER_LENGTH, TAMPERED
from captchad.browser.scripts.catalogue import read_engine, read_page_scripts
from captchad.browser.scripts.closed_roots import ClosedRoots, MarkWorlds

ENGINE = "captchad"
PAGE_ENGINE = "captchad-page"
_FIND_HANDLER = """
((find) => ({ query: (root, mark) => find(mark)[0] || null, queryAll: (root, mark) => find(mark) }))
((mark) => [...document.querySelectorAll(`[data-captchad="${mark}"]`)].filter((one) => one.onclick))
"""
_NOTHING = "null"
_MARK_BYTES = 8


async def install_scripts(playwright: Playwright) -> None:
    """Make the scripts known to every context that is made from now on."""
    await playwright.selectors.register(ENGINE, script=read_engine(), content_script=True)
    await playwright.selectors.register(PAGE_ENGINE, script=_FIND_HANDLER, content_script=False)


async def ask_text(frame: Frame, script: str, **order: Any) -> str:
    """Return what a script answers about a frame, as JSON; PlaywrightError where the script throws."""
    text = await frame.text_content(_address(script, order))
    return text if text is not None and len(text) <= ANSWER_LENGTH else _NOTHING


async def ask(frame: Frame, script: str, **order: Any) -> Any:
    """Return what a script answers about a frame, where that is short or a single text; None for no JSON."""
    try:
        return json.loads(await ask_text(frame, script, **order))
    except TAMPERED:
        return None


class MainFrame:
    """Asks a page's main frame over DevTools, in a world of the same kind, without what the driver loads for selectors.

    That takes several times as long as a scan; other frames are few, and the driver does not tell their ids.
    """

    def __init__(self, devtools: CDPSession, frame_id: str) -> None:
        self._devtools = devtools
        self.frame_id = frame_id
        self._closed_roots = ClosedRoots(devtools, ENGINE)

    async def ask_text(self, script: str, **order: Any) -> str:
        """Return what a script that keeps nothing answers, as JSON; PlaywrightError where there is no document."""
        world = {"frameId": self.frame_id, "worldName": ENGINE}
        context = await self._devtools.send("Page.createIsolatedWorld", world)
        source = f"(() => {{ const kept = {{}}; return ({read_page_scripts()[script]})({json.dumps(order)}) }})()"
        wanted = {
            "expression": f"((text) => text.length <= {ANSWER_LENGTH} ? text : 'null')(JSON.stringify({source}))",
            "contextId": context["executionContextId"],
            "returnByValue": True,
        }
        answer = await self._devtools.send("Runtime.evaluate", wanted)
        text = answer["result"].get("value")
        return text if isinstance(text, str) and len(text) <= ANSWER_LENGTH else _NOTHING

    async def make_closed_roots_known(self, mark_worlds: MarkWorlds) -> bool:
        """Let scripts see the closed shadow roots that are there now, in all frames; False where the page is gone."""
        return await self._closed_roots.make_known(mark_worlds)


async def mark_world(frame: Frame, name: str) -> None:
    """Set a global of that name in the driver's world of a frame."""
    await ask(frame, "mark_world", name=name)


async def choose(frame: Frame, script: str, keeps: str, **order: Any) -> Locator | None:
    """Return the element that a script chooses, which is kept under a name in its document; None where there is none.

    Unlike `ask`, this is never repeated in a document that came meanwhile.
    """
    found = await frame.locator(_address(script, {**order, "keeps": keeps})).count()
    return frame.locator(_address("kept", {"name": keeps})) if found == 1 else None


def locate_all(frame: Frame, script: str, **order: Any) -> Locator:
    """Return the elements that a script lists, each time that they are asked for."""
    return frame.locator(_address(script, {**order, "lists": True}))


async def has_click_handler(frame: Frame, name: str) -> bool:
    """Whether the page has set the `onclick` of a kept element: only its own world knows, and says but yes or no."""
    mark = secrets.token_hex(_MARK_BYTES)
    await ask(frame, "mark", name=name, text=mark)
    try:
        return await frame.locator(f"{PAGE_ENGINE}={mark}").count() == 1
    finally:
        await ask(frame, "mark", name=name, text="")


async def prove_alive(frame: Frame) -> None:
    """Raise PlaywrightError where a frame's process or its browser is gone."""
    await frame.locator(":root").count()


def _address(script: str, order: Mapping[str, Any]) -> str:
    # Quoted, since the driver splits selectors at `>>`.
    return f"{ENGINE}={quote(json.dumps({'script': script, **order}), safe='')}"
