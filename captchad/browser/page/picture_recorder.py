"""Remembers the responses that may be a page's pictures, so that no picture is requested twice."""

from urllib.parse import urldefrag

from playwright.async_api import Request, Response

from captchad.browser.scripts.bounds import URL_LENGTH

RECORDED_LIMIT = 400
_PICTURE_TYPES = ("image/",)


class PictureRecorder:
    """Remembers the newest response for each picture URL that the page loaded itself."""

    def __init__(self) -> None:
        self._responses: dict[str, Response] = {}

    def note(self, response: Response) -> None:
        """Keep a response if it may be a picture; one that was redirected is kept under every URL of its chain."""
        request: Request | None = response.request
        if request is None or (request.resource_type != "image" and not _is_picture(response)):
            return
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


def _is_picture(response: Response) -> bool:
    return response.headers.get("content-type", "").lower().startswith(_PICTURE_TYPES)
