"""Holds what a page sends by itself from when its answer is typed until the answer is counted."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_plus

from playwright.async_api import Request

from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.page.opened_page import OpenedPage
from captchad.runtime.spawn import TaskSet

_DOCUMENT = "Document"
_BY_SCRIPT = frozenset({"XHR", "Fetch", "Ping"})
_PREFIX_LENGTH = 3
"""A page that knows how long its captcha is sends that much of a longer text."""


class SendGuard:
    """Counts each answer once, when the caller asks or as soon as the page sends it.

    Some pages send at the last letter, some a while later: what was typed and not counted is guarded until the page is
    closed. Requests are held until then. What can't be held is counted once it is seen: websockets, and requests of
    workers and of frames that Chromium keeps in another process. `has_sent`: whether the page has sent the answer;
    `may_have_sent`: whether it has sent something that can't be read, such as a hash of the answer. `is_leaving`: what
    it has sent brings another document; `has_posted`: it is more than a GET, by which a page may check its field alone.
    """

    def __init__(self, opened: OpenedPage, work: TaskSet) -> None:
        self._devtools = opened.devtools
        self._context = opened.page.context
        self._main_frame_id = opened.main_frame.frame_id
        self._work = work
        self._lock = asyncio.Lock()
        self._is_listening = self._is_typed = False
        self._text = ""
        # Those of before too: a page may send them late.
        self._typed: set[str] = set()
        # Kept when the guard ends: what was seen just before may be looked at after that.
        self._counted: set[str] = set()
        self._count: Callable[[], Awaitable[None]] = _refuse_all
        self._refusal: Exception | None = None
        self.has_sent = self.may_have_sent = self.is_leaving = self.has_posted = False
        self.sent_urls: set[str] = set()

    async def begin(self, text: str, count: Callable[[], Awaitable[None]]) -> None:
        """Hold requests from now on, for as long as it takes to count the answer; `end` must follow."""
        async with self._lock:
            self._text, self._count, self._refusal, self._is_typed = text, count, None, False
            self._typed.add(text)
            self._counted.discard(text)
            self.has_sent = self.may_have_sent = self.is_leaving = self.has_posted = False
            self.sent_urls.clear()
        if not self._is_listening:
            self._is_listening = True
            self._devtools.on("Fetch.requestPaused", self._on_request)
            self._devtools.on("Network.webSocketFrameSent", self._on_frame)
            self._devtools.on("Network.webSocketCreated", self._on_websocket)
            self._context.on("request", self._on_unheld)
            await self._devtools.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})

    def note_typing(self) -> None:
        """Take note that the letters are typed from now on; what came before was for the focus alone."""
        self._is_typed = True

    async def end(self) -> None:
        """Let everything pass again, if the answer was counted; otherwise the page may still send it."""
        if self._text not in self._counted:
            return
        self._is_listening = False
        self._typed.clear()
        self._devtools.remove_listener("Fetch.requestPaused", self._on_request)
        self._devtools.remove_listener("Network.webSocketFrameSent", self._on_frame)
        self._devtools.remove_listener("Network.webSocketCreated", self._on_websocket)
        self._context.remove_listener("request", self._on_unheld)
        with tolerate_loss():
            await self._devtools.send("Fetch.disable")

    def refuse(self, reason: Exception) -> None:
        """Let no answer pass any more that is not counted yet."""
        self._refusal = self._refusal or reason

    async def count(self, text: str | None = None) -> None:
        """Count the answer (or an earlier one), unless the page has sent it already; raises whatever forbids it."""
        async with self._lock:
            counted = self._text if text is None else text
            if counted in self._counted:
                return
            if self._refusal is not None:
                raise self._refusal
            try:
                await self._count()
            except Exception as error:
                self._refusal = error
                raise
            self._counted.add(counted)

    def _on_request(self, event: dict[str, Any]) -> None:
        # Noted at once: the caller looks at it without waiting for what is done about it.
        self._work.spawn(self._let_pass(event, self._note_sending(event)), "guard-request")

    async def _let_pass(self, event: dict[str, Any], text: str | None) -> None:
        request = {"requestId": event["requestId"]}
        with tolerate_loss():
            if text is not None and not await self._may_pass(text):
                await self._devtools.send("Fetch.failRequest", {**request, "errorReason": "BlockedByClient"})
                return
            await self._devtools.send("Fetch.continueRequest", request)

    async def _may_pass(self, text: str) -> bool:
        try:
            await self.count(text)
        except Exception:  # noqa: BLE001 - the caller of `count` learns of it
            return False
        return True

    def _note_sending(self, event: dict[str, Any]) -> str | None:
        """Return the answer that a held request bears or may bear, and the present one for another page."""
        sent, kind = event["request"], event["resourceType"]
        if kind == _DOCUMENT and event["frameId"] == self._main_frame_id:
            self.has_sent = self.is_leaving = True
            return self._text
        body = sent.get("postData")
        is_by_script = kind in _BY_SCRIPT
        # A long body is not told.
        is_hidden = body is None and bool(sent.get("hasPostData"))
        text = self._find_answer(f"{sent['url']} {body or ''}", is_whole=not is_by_script)
        text = self._text if text is None and is_hidden else text
        if text is not None:
            self._note_sent(text)
            self._note_request(sent["url"], sent["method"])
            self.is_leaving |= kind == _DOCUMENT
            return text
        # Some pages encrypt what they send.
        is_unclear = is_by_script and body is not None and self._is_typed
        self.may_have_sent |= is_unclear
        return self._text if is_unclear else None

    def _note_request(self, url: str, method: str) -> None:
        self.has_posted |= method != "GET"
        self.sent_urls.add(url)

    def _note_sent(self, text: str) -> None:
        self.has_sent |= text == self._text

    def _find_answer(self, sent: str, *, is_whole: bool) -> str | None:
        """Return the answer in a text, the present one first; where `is_whole`, only as a word or the beginning of one.

        Addresses of pictures have long random numbers.
        """
        told = unquote_plus(sent).casefold()
        texts = (self._text, *self._typed)
        # Two answers may begin alike: the one that is there as a whole comes before.
        ordered = sorted(texts, key=lambda text: text.casefold() not in told)
        return next((text for text in ordered if _find_text(text.casefold(), told, is_whole=is_whole)), None)

    def _on_unheld(self, request: Request) -> None:
        # Those that are held come here too, and are counted but once.
        body = (request.post_data_buffer or b"").decode(errors="replace")
        text = self._find_answer(f"{request.url} {body}", is_whole=True)
        if text is not None:
            self._note_request(request.url, request.method)
        self._note_unheld(text)

    def _on_websocket(self, event: dict[str, Any]) -> None:
        self._note_unheld(self._find_answer(event["url"], is_whole=True))

    def _on_frame(self, event: dict[str, Any]) -> None:
        text = self._find_answer(str(event["response"].get("payloadData", "")), is_whole=False)
        if text is None and self._is_typed:
            self.may_have_sent = True
            self._work.spawn(self._may_pass(self._text), "guard-seen")
        else:
            self._note_unheld(text)

    def _note_unheld(self, text: str | None) -> None:
        if text is not None:
            self._note_sent(text)
            self._work.spawn(self._may_pass(text), "guard-seen")


async def _refuse_all() -> None:
    raise RuntimeError("no answer was typed")


def _find_text(typed: str, told: str, *, is_whole: bool) -> bool:
    prefix = re.escape(typed[:_PREFIX_LENGTH])
    if not is_whole:
        return re.search(prefix, told) is not None
    end = r"(?![0-9a-z])" if len(typed) < _PREFIX_LENGTH else ""
    return re.search(rf"(?<![0-9a-z.]){prefix}{end}", told) is not None
