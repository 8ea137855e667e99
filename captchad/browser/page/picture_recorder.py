"""Remembers the responses that may be a page's pictures, so that no picture is requested twice."""

from http import HTTPStatus
from urllib.parse import urldefrag

from playwright.async_api import Request, Response

from captchad.browser.scripts.bounds import URL_LENGTH, WORDS_LENGTH
from captchad.egress.proxy_connection import ANSWER_HEADER

RECORDED_LIMIT = 400
_PICTURE_TYPES = ("image/",)
_NO_PICTURE_TYPES = ("text/", "application/json")


class PictureRecorder:
    """Remembers the newest response for each picture URL that the page loaded itself."""

    def __init__(self) -> None:
        self._responses: dict[str, Response] = {}
        self._failures: dict[str, str] = {}

    def note(self, response: Response) -> None:
        """Keep a response if it may be a picture; one that was redirected is kept under every URL of its chain."""
        request: Request | None = response.request
        if request is None or (request.resource_type != "image" and not _is_picture(response)):
            return
        self._note_failure(response)
        while request is not None:
            # Beside the response, not with it: addresses can have megabytes.
            if len(request.url) > URL_LENGTH:
                return
            url = urldefrag(request.url).url
            # Removed first, so that the newest is last and the oldest is dropped at the limit.
            self._responses.pop(url, None)
            self._responses[url] = response
            request = request.redirected_from
        while len(self._responses) > RECORDED_LIMIT:
            del self._responses[next(iter(self._responses))]

    def find(self, url: str) -> Response | None:
        """Return the newest response for a URL."""
        return self._responses.get(urldefrag(url).url) if len(url) < URL_LENGTH else None

    def explain(self, url: str) -> str | None:
        """Say why there is no picture at a URL; None where nothing is known against it."""
        return self._failures.get(urldefrag(url).url)

    def _note_failure(self, response: Response) -> None:
        reason = _find_failure(response)
        # By the address that the page asked for: a login may have been answered in its place.
        asked = response.request
        while asked.redirected_from is not None:
            asked = asked.redirected_from
        url = urldefrag(asked.url[:URL_LENGTH]).url
        self._failures.pop(url, None)
        if reason is not None:
            self._failures[url] = reason
        while len(self._failures) > RECORDED_LIMIT:
            del self._failures[next(iter(self._failures))]


def _find_failure(response: Response) -> str | None:
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()[:WORDS_LENGTH]
    refused = response.headers.get(ANSWER_HEADER.lower())
    if refused is not None:
        return f"was refused: {refused[:WORDS_LENGTH]}"
    if response.status >= HTTPStatus.BAD_REQUEST:
        return f"answered {response.status}"
    return f"answered with {content_type}" if content_type.startswith(_NO_PICTURE_TYPES) else None


def _is_picture(response: Response) -> bool:
    return response.headers.get("content-type", "").lower().startswith(_PICTURE_TYPES)
