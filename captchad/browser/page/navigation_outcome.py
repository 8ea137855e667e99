"""Explains how a page's navigations ended: out of scope, refused by the proxy, or failed."""

import asyncio
import contextlib
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Request, Response

from captchad.browser.page.certificate_errors import explain_certificate, is_certificate_error
from captchad.browser.scripts.bounds import cut_url
from captchad.domain.errors import AttemptFailed, LeftScope, TargetNotAllowed, TaskErrorCode
from captchad.domain.target import PAGE_SCHEMES, Origin, parse_origin
from captchad.egress.proxy import FilteringProxy
from captchad.egress.proxy_connection import ANSWER_HEADER, UNREACHABLE, read_answer
from captchad.egress.scope import RefusalReason

_FORBIDDEN_REDIRECTS = ("net::ERR_UNSAFE_REDIRECT", "net::ERR_UNKNOWN_URL_SCHEME", "net::ERR_DISALLOWED_URL_SCHEME")
_NO_TUNNEL = "net::ERR_TUNNEL_CONNECTION_FAILED"
_ABORTED = "net::ERR_ABORTED"
_DOWNLOAD = "Download is starting"
# Bounded, for most aborted navigations have no such response.
REASON_SECONDS = 0.5
# The driver has no error class for these; a launch-server words its browser's end in its own way.
_CRASH_SIGNS = ("crashed", "has been closed", "Connection closed", "Browser closed")


class NavigationOutcome:
    """Follows one page's navigations; proxy refusals before `since_seconds` (monotonic) belong to other pages."""

    def __init__(self, proxy: FilteringProxy, since_seconds: float) -> None:
        self._proxy = proxy
        self._since_seconds = since_seconds
        self._main_request: Request | None = None
        self._leads_out = asyncio.Event()

    def note_request(self, request: Request) -> None:
        """Remember the latest navigation of the page itself."""
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self._main_request = request
            # Only the latest navigation counts.
            self._leads_out.clear()

    def note_redirect(self, location: str) -> None:
        """Remember that a response redirects to a scheme that Chromium would hand to another program."""
        if urlsplit(cut_url(location)).scheme not in {"", *PAGE_SCHEMES}:
            self._leads_out.set()

    async def await_reason(self) -> None:
        """Wait until it is known why a navigation was aborted: the event of its response may come after its end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REASON_SECONDS):
                await self._leads_out.wait()

    async def check_answer(self, response: Response) -> None:
        """Raise if the proxy itself sent the response."""
        if not is_proxy_answer(response):
            return
        code = response.headers[ANSWER_HEADER.lower()]
        if code == UNREACHABLE:
            raise AttemptFailed(TaskErrorCode.NAVIGATION_FAILED, read_answer(await response.text(), code))
        raise self._explain_refusal(response.url) or AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, code)

    def check_place(self, url: str) -> None:
        """Raise if the page is out of scope."""
        scheme = urlsplit(url).scheme
        if scheme in PAGE_SCHEMES:
            refusal = self._explain_refusal(url)
        elif scheme == "chrome-error":
            raise self._explain_failure("the page went to an address that could not be opened")
        else:
            refusal = LeftScope(self._refuse_scheme(f"the page went to a {scheme}: address"), url)
        if refusal is not None:
            raise refusal

    async def explain_certificate(self, error: PlaywrightError) -> AttemptFailed | None:
        """Map an error to the task's where the browser has refused a certificate; None where it has not."""
        if self._main_request is None or not is_certificate_error(_first_line(error)):
            return None
        return await explain_certificate(self._proxy, _read_origin(self._main_request.url), _first_line(error))

    def explain_error(self, error: PlaywrightError, *, is_alive: bool) -> AttemptFailed:
        """Map a driver error to the task's error; `is_alive` says whether browser and page are."""
        text = _first_line(error)
        if not is_alive or is_crash_sign(error):
            return AttemptFailed(TaskErrorCode.BROWSER_CRASHED, f"the browser or its page crashed: {text}")
        if _DOWNLOAD in text:
            message = "the URL is a file to download, not a page; a captcha's picture can be sent itself, as `image`"
            return AttemptFailed(TaskErrorCode.NAVIGATION_FAILED, message, is_final=True)
        if any(sign in text for sign in _FORBIDDEN_REDIRECTS):
            refusal = self._refuse_scheme(f"the page redirects to a forbidden scheme: {text}")
            return AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, refusal)
        return self._explain_failure(text)

    def _explain_failure(self, text: str) -> AttemptFailed:
        """Distinguish a navigation refused by the proxy or the browser from one that failed."""
        url = cut_url(self._main_request.url) if self._main_request is not None else ""
        refusal = self._explain_refusal(url) if url else None
        if refusal is None and _ABORTED in text and self._leads_out.is_set():
            # Chromium aborts such a redirect without showing the response; any other abort may succeed next time.
            refusal = LeftScope(self._refuse_scheme("the page redirects to a scheme other than http and https"), url)
        if refusal is None and _NO_TUNNEL in text and url:
            # Of an answer to CONNECT, Chromium shows nothing.
            text = self._proxy.find_failure(_read_origin(url), self._since_seconds) or text
        return refusal or AttemptFailed(TaskErrorCode.NAVIGATION_FAILED, text)

    def _refuse_scheme(self, message: str) -> str:
        self._proxy.note_forbidden_scheme(message)
        return message

    def _explain_refusal(self, url: str) -> AttemptFailed | None:
        try:
            origin = _read_origin(url)
        except (TargetNotAllowed, ValueError) as error:
            return LeftScope(str(error), url)
        refusal = self._proxy.find_refusal(origin, self._since_seconds)
        if refusal is not None and refusal.reason == RefusalReason.CERTIFICATE:
            return AttemptFailed(TaskErrorCode.CERTIFICATE_ERROR, refusal.message)
        return None if refusal is None else LeftScope(refusal.message, url)


def _read_origin(url: str) -> Origin:
    return parse_origin("{0.scheme}://{0.netloc}/".format(urlsplit(cut_url(url))))


def is_proxy_answer(response: Response) -> bool:
    """Whether the proxy itself sent a response; over https only the site can have, so the header is ignored."""
    return ANSWER_HEADER.lower() in response.headers and urlsplit(cut_url(response.url)).scheme == "http"


def is_abort(error: PlaywrightError) -> bool:
    """Whether a navigation was aborted, by the browser or with its page."""
    return _ABORTED in _first_line(error)


def is_crash_sign(error: PlaywrightError) -> bool:
    """Whether the driver says that the browser or the page is gone."""
    return any(sign in _first_line(error) for sign in _CRASH_SIGNS)


def _first_line(error: PlaywrightError) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
