"""What every answer of a role says to browsers, whatever it answers."""

from collections.abc import Iterator, Mapping

import aiohttp
from aiohttp import web

from captchad.web.routes import ROUTES

ALWAYS = {
    "Server": "captchad",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NO_ROUTES = (("GET", "/nowhere"), ("POST", "/nowhere"), ("DELETE", "/health"), ("TRACE", "/livez"))
"""404 and 405."""


def list_requests(application: web.Application) -> Iterator[tuple[str, str]]:
    """Return a request for each route of an application, and some that no route answers."""
    for registered, route in application[ROUTES].items():
        yield registered.method, route.path.replace("{name}", "index.html").replace("{task_id}", "x")
    yield from NO_ROUTES


async def read_headers(session: aiohttp.ClientSession, method: str, path: str) -> tuple[int, Mapping[str, str]]:
    """Return the status and the headers of an answer, of which the body may never end."""
    async with session.request(method, path, allow_redirects=False) as answer:
        answer.close()
        return answer.status, answer.headers


def assert_protected(headers: Mapping[str, str], *, is_page: bool = False) -> None:
    """Assert that an answer protects a browser; only a page's files may be kept, and asked for again."""
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS
    assert headers["Cache-Control"] == ("no-cache" if is_page else "no-store")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "Strict-Transport-Security" not in headers, "nothing may ask for TLS where none is spoken"
