"""Puts a task's session into a page before it opens, and reads back what the page leaves, for the target only."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playwright.async_api import CDPSession, Page
from playwright.async_api import Cookie as BrowserCookie

from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.scripts.bounds import SESSION_LENGTH, TAMPERED, Facts
from captchad.browser.scripts.catalogue import STORAGE
from captchad.browser.scripts.isolated_world import ask
from captchad.domain.cookie_scope import find_cookie_host, keep_cookie
from captchad.domain.errors import AttemptFailed, TargetNotAllowed, TaskErrorCode
from captchad.domain.page import STORED_VALUES_LIMIT, Cookie, PageOrder, SessionState
from captchad.domain.ports import show_host
from captchad.domain.target import find_origin, host_matches, parse_origin
from captchad.runtime.spawn import TaskSet

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

NO_EXPIRY = -1
_FILL_STORAGE = """
(() => {
  if (window !== top || location.origin !== %(origin)s) return;
  for (const [name, value] of Object.entries(JSON.parse(%(items)s))) {
    if (localStorage.getItem(name) === null) localStorage.setItem(name, value);
  }
})();
"""


def choose_cookies(state: SessionState, order: PageOrder) -> "list[SetCookieParam]":
    """Return the cookies as the browser takes them; AttemptFailed for one that reaches beyond the target."""
    host = parse_origin(order.url).host
    chosen = []
    for cookie in state.cookies:
        wanted: SetCookieParam = {
            "name": cookie.name,
            "value": cookie.value,
            "domain": _choose_domain(cookie, host, order.target),
            "path": cookie.path,
            "expires": NO_EXPIRY if cookie.expires is None else cookie.expires,
            "httpOnly": cookie.http_only,
            "secure": cookie.secure,
        }
        if cookie.same_site is not None:
            wanted["sameSite"] = cookie.same_site
        chosen.append(wanted)
    return chosen


def _choose_domain(cookie: Cookie, host: str, target: str) -> str:
    """Return the domain the browser keeps a cookie under: with a dot in front it is sent to subdomains too."""
    if cookie.domain is None:
        return show_host(host)
    try:
        wanted = find_cookie_host(cookie.domain, host, target)
    except TargetNotAllowed as error:
        message = f"the cookie {cookie.name} is for {cookie.domain}: {error.message}"
        raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, message) from None
    # Subdomains get the cookie only where the target covers them.
    return f".{wanted}" if host_matches(target, f"any.{wanted}") else show_host(wanted)


def add_headers(sent: Mapping[str, str], own: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a request's headers with `own` in place of those of the same name, as the browser takes them."""
    names = {name.lower() for name in own}
    kept = {name: value for name, value in sent.items() if name.lower() not in names}
    return [{"name": name, "value": value} for name, value in (*kept.items(), *own.items())]


class SessionInput:
    """Puts a session into one page before it opens."""

    def __init__(self, page: Page, order: PageOrder, work: TaskSet) -> None:
        self._page = page
        self._order = order
        self._state = order.session or SessionState()
        self._origin = find_origin(order.url)
        self._work = work
        self._devtools: CDPSession | None = None
        self._script_id: str | None = None

    async def put_in(self) -> None:
        """Set cookies, headers and storage; AttemptFailed where they reach beyond the target."""
        if self._state.cookies:
            await self._page.context.add_cookies(choose_cookies(self._state, self._order))
        if self._state.headers or self._state.local_storage:
            self._devtools = await self._page.context.new_cdp_session(self._page)
        if self._devtools is not None and self._state.headers:
            # Not the driver's extra headers: those go to every origin and along with redirects.
            self._devtools.on("Fetch.requestPaused", self._on_request)
            await self._devtools.send("Fetch.enable", {"patterns": [{"urlPattern": f"{self._origin}/*"}]})
        if self._devtools is not None and self._state.local_storage:
            # Twice: once as the JSON, once as a JavaScript string literal of it.
            items = {"origin": json.dumps(self._origin), "items": json.dumps(json.dumps(self._state.local_storage))}
            script = {"source": _FILL_STORAGE % items}
            await self._devtools.send("Page.enable")  # otherwise the script is accepted but never run
            added = await self._devtools.send("Page.addScriptToEvaluateOnNewDocument", script)
            self._script_id = str(added["identifier"])

    async def note_opened(self) -> None:
        """Stop filling the storage once it has been filled: from now on it is the page's own."""
        if self._devtools is None or self._script_id is None or not is_at(self._page.url, self._origin):
            return
        script_id, self._script_id = self._script_id, None
        await self._devtools.send("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script_id})

    def _on_request(self, event: dict[str, Any]) -> None:
        self._work.spawn(self._go_on(event), "session-headers")

    async def _go_on(self, event: dict[str, Any]) -> None:
        request, answer = event["request"], {"requestId": event["requestId"]}
        # Checked here too, not left to the browser's URL pattern alone.
        if is_at(request["url"], self._origin):
            answer["headers"] = add_headers(request["headers"], self._state.headers)
        with tolerate_loss():
            if self._devtools is not None:
                await self._devtools.send("Fetch.continueRequest", answer)


def is_at(url: str, origin: str) -> bool:
    """Whether a URL belongs to an origin."""
    return url == origin or url.startswith((f"{origin}/", f"{origin}?", f"{origin}#"))


async def read_session(page: Page, order: PageOrder) -> SessionState:
    """Return the cookies of the target's host and the local storage of the target's origin."""
    host = parse_origin(order.url).host
    found = (read_cookie(cookie, host, order.target) for cookie in await page.context.cookies())
    cookies = tuple(cookie for cookie in found if cookie is not None)
    return SessionState(cookies, {}, await _read_storage(page, find_origin(order.url)))


def read_cookie(cookie: BrowserCookie, host: str, target: str) -> Cookie | None:
    """Return a browser's cookie as a task's session has it, None where the target's host would not be sent it."""
    read = Cookie(
        cookie["name"],
        cookie["value"],
        domain=cookie["domain"],
        path=cookie["path"],
        expires=cookie["expires"],
        http_only=cookie["httpOnly"],
        secure=cookie["secure"],
        same_site=cookie.get("sameSite"),
    )
    return keep_cookie(read, host, target)


async def _read_storage(page: Page, origin: str) -> dict[str, str]:
    """Read it from a frame of the origin, or, where the page has left that, through the driver, which opens one."""
    for frame in page.frames:
        if is_at(frame.url, origin):
            answer = await ask(frame, STORAGE, origin=origin)
            if answer is not None:
                return _read_entries(Facts(answer))
    state = await page.context.storage_state()
    stored = next((one["localStorage"] for one in state["origins"] if one["origin"] == origin), [])
    _check_storage(len(stored), sum(len(entry["name"]) + len(entry["value"]) for entry in stored))
    return {entry["name"]: entry["value"] for entry in stored}


def _read_entries(facts: Facts) -> dict[str, str]:
    """Read the answer of storage.js; AttemptFailed where the storage is larger than a session may be."""
    try:
        _check_storage(facts.number("values"), facts.number("length"))
        return {str(name): str(value) for name, value in facts.several("entries", STORED_VALUES_LIMIT)}
    except TAMPERED:
        raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "the page's storage can't be read") from None


def _check_storage(values: int, length: int) -> None:
    if values > STORED_VALUES_LIMIT or length > SESSION_LENGTH:
        message = (
            f"the page keeps {values} values of {length} characters in its local storage; "
            f"a session may have {STORED_VALUES_LIMIT} values and {SESSION_LENGTH} characters"
        )
        raise AttemptFailed(TaskErrorCode.SESSION_TOO_LARGE, message)
