"""Gathers the signs by which an answer is judged: what a page shows before it is sent and after."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from playwright.async_api import Dialog, Frame, Response
from playwright.async_api import Error as PlaywrightError

from captchad.browser.forms.judgement import (
    Signs,
    accepts_by_address,
    judge_signs,
    names_acceptance,
    names_refusal,
    names_signed_in,
    refuses_by_address,
)
from captchad.browser.page.addresses import is_elsewhere
from captchad.browser.page.frame_calls import FRAMES_LIMIT, call_frames
from captchad.browser.page.opened_page import OpenedPage
from captchad.browser.scripts.bounds import DIALOG_LENGTH, LINES_LIMIT, TAMPERED, WORDS_LENGTH, Facts, cut_url
from captchad.browser.scripts.catalogue import AFTERMATH
from captchad.browser.scripts.isolated_world import ask
from captchad.domain.errors import AttemptFailed

JUDGING_SECONDS = 3.0
"""Of all that is looked at again after the answer."""

DIALOGS_LIMIT = 20
MUCH_LINES = 8
_SENDING = frozenset({"xhr", "fetch"})


@dataclass(frozen=True, slots=True)
class FrameAftermath:
    """What aftermath.js saw in a frame; `bad` and `good` count the elements that are named errors and successes."""

    document: float
    has_field: bool
    is_empty: bool
    is_invalid: bool
    near: frozenset[str]
    lines: frozenset[str]
    bad: int
    good: int


@dataclass(frozen=True, slots=True)
class PageAftermath:
    """What a page shows at one moment; `form` is the frame with the field for the answer, None where it has gone."""

    url: str
    form: FrameAftermath | None
    frames: tuple[FrameAftermath, ...]
    cookies: frozenset[bytes]

    @property
    def lines(self) -> frozenset[str]:
        """Return every line of text."""
        return frozenset().union(*(one.lines for one in self.frames))

    @property
    def near(self) -> frozenset[str]:
        """Return the lines by the field and of messages."""
        return frozenset().union(*(one.near for one in self.frames))


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was answered to the form: the texts of dialogs, and whether an answer was an error, or a redirect."""

    dialogs: tuple[str, ...] = ()
    status_refuses: bool = False
    is_redirected: bool = False


class SignWatch:
    """Watches a page, and the window that its answer opens, from before that is typed; `end` must follow `begin`."""

    def __init__(self, opened: OpenedPage, form_frame: Frame, selector: str) -> None:
        self._page, self._window = opened.page, opened.window
        self._form_frame = form_frame
        self._selector = selector
        self._before: PageAftermath | None = None
        self._dialogs: list[str] = []
        self._status_refuses = self._is_redirected = False

    async def begin(self) -> None:
        """Note what the page shows, and start listening."""
        self._before = await self.look()
        self._page.on("response", self._on_response)
        self._page.on("dialog", self._on_dialog)

    def note_before(self, before: PageAftermath) -> None:
        """Take note of what the page showed just before the answer was sent."""
        self._before = before

    def end(self) -> None:
        """Stop listening."""
        if self._before is not None:
            self._page.remove_listener("response", self._on_response)
            self._page.remove_listener("dialog", self._on_dialog)

    async def judge(self, look_again: Callable[[], Awaitable[bool | None]]) -> float | None:
        """Return the probability that the answer was accepted; None where the page can't be read any more.

        `look_again` says whether the captcha is the same as before, None where it is gone.
        """
        before = self._before
        if before is None or before.form is None:
            return None
        try:
            async with asyncio.timeout(JUDGING_SECONDS):
                after = await self.look()
                is_same = await look_again() if after.form is not None else None
        except (TimeoutError, PlaywrightError, AttemptFailed):
            return None
        traffic = Traffic(tuple(self._dialogs), self._status_refuses, self._is_redirected)
        # A document that can't be read would look like one without the form.
        return judge_signs(compare(before, after, is_same, traffic)) if after.frames else None

    def judge_leaving(self, url: str) -> float:
        """Return the probability for an answer after which the page was led out of scope, where nothing can be seen.

        The status is the proxy's, not the site's.
        """
        return judge_signs(
            Signs(
                is_form_gone=True,
                has_moved=True,
                address_refuses=refuses_by_address(url),
                address_accepts=accepts_by_address(url),
                words_refuse=any(names_refusal(text) for text in self._dialogs),
            )
        )

    async def look(self) -> PageAftermath:
        """Return what the page shows now."""
        page = self._page
        window = self._window.page
        likeliest = (self._form_frame, page.main_frame, *(window.frames if window is not None else ()))
        frames = list(dict.fromkeys((*likeliest, *page.frames)))[:FRAMES_LIMIT]
        seen = [one for one in await call_frames(frames, self._look_at) if one is not None]
        form = next((one for one in seen if one.has_field), None)
        return PageAftermath(cut_url(page.url), form, tuple(seen), await self._read_cookies())

    async def _look_at(self, frame: Frame) -> FrameAftermath | None:
        try:
            return read_aftermath(Facts(await ask(frame, AFTERMATH, selector=self._selector)))
        except TAMPERED:
            return None

    async def _read_cookies(self) -> frozenset[bytes]:
        cookies: list[Any] = list(await self._page.context.cookies())
        whole = (f"{one['domain']}\n{one['path']}\n{one['name']}\n{one['value']}" for one in cookies)
        return frozenset(sha256(text.encode(errors="replace")).digest() for text in whole)

    def _on_response(self, response: Response) -> None:
        request = response.request
        is_document = request.is_navigation_request() and request.frame in (self._page.main_frame, self._form_frame)
        if is_document or (request.resource_type in _SENDING and request.method != "GET"):
            self._status_refuses |= response.status >= HTTPStatus.BAD_REQUEST
        self._is_redirected |= is_document and request.redirected_from is not None

    def _on_dialog(self, dialog: Dialog) -> None:
        # VerdictWatch closes it.
        if len(self._dialogs) < DIALOGS_LIMIT:
            self._dialogs.append(dialog.message[:DIALOG_LENGTH])


def read_aftermath(facts: Facts) -> FrameAftermath:
    """Read the answer of aftermath.js; TAMPERED where it is none."""
    return FrameAftermath(
        document=facts.measure("document"),
        has_field=facts.flag("field"),
        is_empty=facts.flag("empty"),
        is_invalid=facts.flag("invalid"),
        near=_read_lines(facts, "near"),
        lines=_read_lines(facts, "lines"),
        bad=facts.number("bad"),
        good=facts.number("good"),
    )


def _read_lines(facts: Facts, name: str) -> frozenset[str]:
    return frozenset(str(line)[:WORDS_LENGTH] for line in facts.several(name, LINES_LIMIT) if isinstance(line, str))


def compare(before: PageAftermath, after: PageAftermath, is_same: bool | None, traffic: Traffic) -> Signs:
    """Return what has changed; `is_same`: whether the captcha is the one answered, None where it is gone."""
    new_lines = after.lines - before.lines
    is_new_document = after.form is not None and before.form is not None and after.form.document != before.form.document
    # In another document the rest of the page may be new for no reason.
    spoken = new_lines if after.form is None or not is_new_document else after.near - before.lines
    spoken |= frozenset(traffic.dialogs)
    form = after.form
    return Signs(
        is_form_gone=form is None,
        is_form_again=is_new_document and is_same is not None,
        is_captcha_gone=form is not None and is_same is None,
        is_picture_new=form is not None and not is_new_document and is_same is False,
        is_field_emptied=form is not None and form.is_empty,
        has_moved=is_elsewhere(before.url, after.url),
        address_refuses=after.url != before.url and refuses_by_address(after.url),
        address_accepts=after.url != before.url and accepts_by_address(after.url),
        words_refuse=any(map(names_refusal, spoken)),
        words_accept=any(map(names_acceptance, spoken)),
        words_sign_in=any(map(names_signed_in, new_lines)),
        is_marked_wrong=_count(after, "bad") > _count(before, "bad") or _is_invalid(form) > _is_invalid(before.form),
        is_marked_right=_count(after, "good") > _count(before, "good"),
        is_much_new=form is not None and len(new_lines) >= MUCH_LINES,
        has_new_cookie=bool(after.cookies - before.cookies),
        status_refuses=traffic.status_refuses,
        is_redirected=traffic.is_redirected,
    )


def _count(page: PageAftermath, name: str) -> int:
    return sum(getattr(frame, name) for frame in page.frames)


def _is_invalid(form: FrameAftermath | None) -> bool:
    return form is not None and form.is_invalid
