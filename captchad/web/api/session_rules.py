"""What a session and a form may ask for, beyond their shape: no header that lies about the caller, and CSS alone."""

import re
from collections.abc import Iterator, Sequence

from captchad.domain.css_selector import explain_bad_selector
from captchad.domain.errors import Violation
from captchad.domain.page import Cookie as CookieState
from captchad.domain.page import Fill as FillOrder
from captchad.domain.page import FormField, SessionState, Step, StepAction, StorageState
from captchad.web.api.pointers import make_pointer
from captchad.web.api.schema import TaskBody
from captchad.web.api.session_schema import (
    COOKIE_LENGTH_LIMIT,
    STEP_ACTIONS,
    Cookie,
    Fill,
    SessionBody,
    StateCookie,
    StepBody,
    StorageStateBody,
)

URL_CONDITION, TEXT_CONDITION = "url:", "text:"
_REFUSED_HEADERS = {
    "user-agent": "captchad identifies itself honestly",
    "host": "the URL decides it",
    "cookie": "use session.cookies",
    "cookie2": "use session.cookies",
    "via": "only a proxy may set it",
    "expect": "it belongs to the connection",
    "connection": "it belongs to the connection",
    "content-length": "it belongs to the connection",
    "http2-settings": "it belongs to the connection",
    "keep-alive": "it belongs to the connection",
    "te": "it belongs to the connection",
    "trailer": "it belongs to the connection",
    "transfer-encoding": "it belongs to the connection",
    "upgrade": "it belongs to the connection",
}
_REFUSED_PREFIXES = {
    "proxy-": "it belongs to the connection",
    "sec-": "the browser alone sets it",
}
_CALLER_ADDRESS = re.compile(
    r"forward|proxied|comingfrom"
    r"|(client|connect(ing|ion)|external|origin(al|ating)?|peer|proxy|pseudo|real|remote|sender|socket|source|src|true"
    r"|user|viewer|visitor)(ip(v[46])?|addr(ess)?)$"
    r"|^x?ip(addr(ess)?)?$|remotehost$|^x?(http)?host(override)?$|^xoriginal|^xrewrite"
)
"""Names, without their punctuation, by which proxies tell a site who the caller is or what was asked for."""
_PUNCTUATION = re.compile(r"[^a-z0-9]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def find_session_faults(session: SessionBody, pointer: str) -> Iterator[Violation]:
    """Find what a browser would refuse, and headers that are not the caller's to set."""
    for index, cookie in enumerate(session.cookies or ()):
        for name, message in _find_cookie_faults(cookie):
            yield Violation(f"{pointer}/cookies/{index}/{name}", message)
    for index, given in enumerate(session.storage_state.cookies if session.storage_state is not None else ()):
        for name, message in _find_common_faults(given.name, given.value, is_secure=given.secure):
            yield Violation(f"{pointer}/storage_state/cookies/{index}/{name}", message)
    seen: set[str] = set()
    for name in session.headers or ():
        place, lowered = pointer + make_pointer(["headers", name]), name.lower()
        reason = explain_refused_header(lowered)
        if reason is not None:
            yield Violation(place, f"this header may not be set: {reason}")
        elif lowered in seen:
            yield Violation(place, "is given twice; case does not matter")
        seen.add(lowered)


def explain_refused_header(name: str) -> str | None:
    """Say why a header (in lower case) may not be set, or None where it may."""
    if name in _REFUSED_HEADERS:
        return _REFUSED_HEADERS[name]
    # Servers take X_Real_IP for X-Real-IP.
    if _CALLER_ADDRESS.search(_PUNCTUATION.sub("", name)):
        return "only a proxy may set it"
    return next((reason for prefix, reason in _REFUSED_PREFIXES.items() if name.startswith(prefix)), None)


def _find_cookie_faults(cookie: Cookie) -> Iterator[tuple[str, str]]:
    yield from _find_common_faults(cookie.name, cookie.value, is_secure=bool(cookie.secure))
    if cookie.same_site == "None" and not cookie.secure:
        yield "same_site", 'browsers accept "None" only on a secure cookie'
    lowered = cookie.name.lower()
    if lowered.startswith("__host-") and (cookie.domain is not None or cookie.path not in {None, "/"}):
        yield "name", "browsers accept a __Host- cookie only without a domain and with path /"


def _find_common_faults(name: str, value: str, *, is_secure: bool) -> Iterator[tuple[str, str]]:
    if len(name.encode()) + len(value.encode()) > COOKIE_LENGTH_LIMIT:
        yield "value", f"name and value together must be at most {COOKIE_LENGTH_LIMIT} bytes"
    if name.lower().startswith(("__secure-", "__host-")) and not is_secure:
        yield "secure", "browsers accept this name only on a secure cookie"


def find_fill_faults(fill: Fill, pointer: str) -> Iterator[Violation]:
    """Find what is no CSS selector and, where other conditions are allowed, none of those either."""
    for name in ("input", "submit", "refresh"):
        selector = getattr(fill, name)
        reason = None if selector is None else explain_bad_selector(selector)
        if reason is not None:
            yield Violation(f"{pointer}/{name}", reason)
    for index, one in enumerate(fill.fields or ()):
        reason = explain_bad_selector(one.selector)
        if reason is not None:
            yield Violation(f"{pointer}/fields/{index}/selector", reason)
    for name in ("success", "failure", "rejected"):
        condition = getattr(fill, name)
        reason = None if condition is None else explain_bad_condition(condition)
        if reason is not None:
            yield Violation(f"{pointer}/{name}", reason)


def find_step_faults(steps: Sequence[StepBody], pointer: str) -> Iterator[Violation]:
    """Find what is no CSS selector."""
    for index, step in enumerate(steps):
        action, selector = _read_action(step)
        reason = explain_bad_selector(selector)
        if reason is not None:
            yield Violation(f"{pointer}/{index}/{action}", reason)


def find_typed_values(body: TaskBody, pointer: str) -> Iterator[str]:
    """Find where values are that are typed or chosen on the page."""
    for index, step in enumerate(body.steps or ()):
        if step.value is not None:
            yield f"{pointer}/steps/{index}/value"
    for index, one in enumerate(body.fill.fields or () if body.fill is not None else ()):
        for name in ("value", "choose"):
            if getattr(one, name) is not None:
                yield f"{pointer}/fill/fields/{index}/{name}"


def _read_action(step: StepBody) -> tuple[StepAction, str]:
    return next((action, getattr(step, action)) for action in STEP_ACTIONS if getattr(step, action) is not None)


def explain_bad_condition(condition: str) -> str | None:
    """Say why a text is no CSS selector, `url:GLOB` or `text:…`, or None where it is one."""
    for prefix in (URL_CONDITION, TEXT_CONDITION):
        if condition.startswith(prefix):
            wanted = condition.removeprefix(prefix)
            if not wanted.strip():
                return f"has nothing after {prefix}"
            return "contains a control character" if _CONTROL.search(wanted) else None
    return explain_bad_selector(condition)


def make_session(session: SessionBody) -> SessionState:
    """Return a session as the rest of captchad knows it."""
    cookies = tuple(map(_make_cookie, session.cookies or ()))
    return SessionState(cookies, dict(session.headers or {}), dict(session.local_storage or {}))


def make_storage_state(state: StorageStateBody) -> StorageState:
    """Return a browser's state as the rest of captchad knows it."""
    cookies = tuple(_make_cookie(cookie) for cookie in state.cookies if not cookie.partition_key)
    partitioned = tuple(cookie.domain for cookie in state.cookies if cookie.partition_key)
    stored = {one.origin: {item.name: item.value for item in one.local_storage} for one in state.origins}
    return StorageState(cookies, partitioned, stored)


def _make_cookie(cookie: Cookie | StateCookie) -> CookieState:
    return CookieState(
        cookie.name,
        cookie.value,
        domain=cookie.domain,
        path=cookie.path or "/",
        expires=cookie.expires,
        http_only=bool(cookie.http_only),
        secure=bool(cookie.secure),
        same_site=cookie.same_site,
    )


def make_fill(fill: Fill) -> FillOrder:
    """Return a form's order as the rest of captchad knows it."""
    fields = tuple(FormField(one.selector, one.value, one.choose, one.check) for one in fill.fields or ())
    return FillOrder(
        fill.input, fill.submit, fill.success, fill.failure, fill.refresh, fields, fill.dialogs, fill.rejected
    )


def make_steps(steps: Sequence[StepBody]) -> tuple[Step, ...]:
    """Return steps as the rest of captchad knows them."""
    return tuple(Step(*_read_action(step), step.value) for step in steps)
