"""One place where a browser can be reached, and the connection to it."""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from playwright.async_api import Browser, Playwright

PLAIN_SCHEMES = ("http", "ws")
_LOCAL_NAMES = ("localhost",)


async def do_nothing() -> None:
    """Stand in for a step that a kind of endpoint does not need."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A browser that was reached.

    `beat` keeps the session alive where the connection alone does not, and raises where it is lost; `leave` releases
    it once the connection is closed; `life_seconds` is how long it may be used.
    """

    browser: Browser
    beat: Callable[[], Awaitable[None]] = do_nothing
    leave: Callable[[], Awaitable[None]] = do_nothing
    life_seconds: float | None = None


class RemoteEndpoint(Protocol):
    """Reaches one browser; `place` is the address without its secrets, `connect_seconds` how long that may take."""

    place: str
    connect_seconds: float

    async def connect(self, playwright: Playwright) -> Reached:
        """Reach the browser; PlaywrightError, OSError or LaunchFailed where it can't be reached."""
        ...

    async def finish(self) -> None:
        """Return once everything that was abandoned half-way has ended there too."""
        ...


def show_place(url: str) -> str:
    """Return scheme, host and port of a URL: user, password and path may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def dial_by_address(url: str) -> str:
    """Return a URL with its host's address in place of the name: Chromium's DevTools server refuses any but localhost.

    Encrypted URLs stay as they are, since their certificate is for the name. OSError where the name is unknown; blocks.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in PLAIN_SCHEMES or host in _LOCAL_NAMES or _is_address(host):
        return url
    address = str(socket.getaddrinfo(host, parts.port or 80, type=socket.SOCK_STREAM)[0][4][0])
    shown = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{shown}{port}"))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
