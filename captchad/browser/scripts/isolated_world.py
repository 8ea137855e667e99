"""Asks frames by scripts that run in a world of their own: the page's document, without the page's functions.

The driver has one documented way there: a selector engine registered as a content script.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from playwright.async_api import ElementHandle, Frame, Playwright

from captchad.browser.scripts.bounds import ANSWER_LENGTH, TAMPERED
from captchad.browser.scripts.catalogue import read_engine

ENGINE = "captchad"
PAGE_ENGINE = "captchad-page"
_FIND_HANDLER = """
((find) => ({ query: (root) => find(root)[0] || null, queryAll: find }))
((element) => typeof element.onclick === "function" ? [element] : [])
"""
_NOTHING = "null"


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


async def pick(frame: Frame, script: str, **order: Any) -> ElementHandle | None:
    """Return the element that a script chooses; unlike `ask`, never in a document that came meanwhile."""
    return await frame.query_selector(_address(script, {**order, "picks": True}))


async def has_click_handler(element: ElementHandle) -> bool:
    """Whether the page has set an element's `onclick`: only its own world knows, but says no more than yes or no."""
    return await element.query_selector(f"{PAGE_ENGINE}=onclick") is not None


def _address(script: str, order: Mapping[str, Any]) -> str:
    # Quoted, since the driver splits selectors at `>>`.
    return f"{ENGINE}={quote(json.dumps({'script': script, **order}), safe='')}"
