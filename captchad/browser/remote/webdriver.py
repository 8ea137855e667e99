"""A WebDriver client for a Selenium Grid hub or a bare chromedriver, limited to sessions."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp

from captchad.egress.proxy_connection import basic_authorisation

NAME_CAPABILITY = "se:name"
NO_ERROR_STATUS_END = 400
REFUSAL_STATUS_END = 500
"""From here on the hub, or a proxy in front of it, is at fault."""

_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


class HubError(OSError):
    """The hub can't be reached, or refused."""


class HubRefused(HubError):
    """The hub answered that it can't do it, or not any more."""


@dataclass(frozen=True, slots=True)
class HubSession:
    """One session; `name` is what its opener calls it, `start` the hub's own time as a text that sorts."""

    id: str
    capabilities: Mapping[str, Any]
    start: str = ""

    @property
    def name(self) -> str:
        """The name its opener gave it; empty where it gave none."""
        return str(self.capabilities.get(NAME_CAPABILITY, ""))


class WebDriverHub:
    """Opens, lists and ends sessions; every call raises HubError on failure.

    `headers` holds the credentials of the URL, which a WebSocket to the hub must send as well.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.headers: dict[str, str] = {}
        if parts.username:
            login = basic_authorisation(unquote(parts.username), unquote(parts.password or ""))
            self.headers["Authorization"] = login
        place = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
        self.host = parts.hostname or ""

    async def create_session(self, capabilities: Mapping[str, Any], timeout_seconds: float) -> HubSession:
        """Open a session with exactly these capabilities."""
        body = {"capabilities": {"alwaysMatch": capabilities}}
        value = await self._call("POST", "/session", timeout_seconds, body)
        given: Any = value.get("capabilities")
        if not value.get("sessionId"):
            raise HubError("the hub returned a session without an id")
        return HubSession(str(value["sessionId"]), given if isinstance(given, dict) else {})

    async def touch_session(self, session_id: str, timeout_seconds: float) -> None:
        """Use a session, so that the hub does not end it as idle."""
        await self._call("GET", f"/session/{session_id}/timeouts", timeout_seconds)

    async def end_session(self, session_id: str, timeout_seconds: float) -> None:
        """End a session and its browser."""
        await self._call("DELETE", f"/session/{session_id}", timeout_seconds)

    async def list_sessions(self, timeout_seconds: float) -> list[HubSession]:
        """Return every session of the hub, oldest first; a bare chromedriver lists none."""
        value = await self._call("GET", "/status", timeout_seconds)
        try:
            held = [slot.get("session") for node in value.get("nodes") or () for slot in node.get("slots") or ()]
            sessions = [HubSession(one["sessionId"], one["capabilities"], one.get("start", "")) for one in held if one]
        except (TypeError, AttributeError, KeyError) as error:
            raise HubError(f"the hub lists its sessions in an unknown format: {error}") from None
        return sorted(sessions, key=lambda session: (session.start, session.id))

    async def _call(
        self, method: str, path: str, timeout_seconds: float, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers={**_HEADERS, **self.headers}) as client,
                client.request(method, self.url + path, json=body) as answer,
            ):
                content = await answer.json(content_type=None)
                status = answer.status
        except TimeoutError:
            raise HubError(f"no answer within {timeout_seconds:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise HubError(_describe(error.os_error)) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise HubError(f"{type(error).__name__}: {error}") from None
        value = content.get("value") if isinstance(content, dict) else None
        if status >= NO_ERROR_STATUS_END or (isinstance(value, dict) and value.get("error")):
            failure = HubRefused if status < REFUSAL_STATUS_END else HubError
            raise failure(_read_message(value, status))
        return value if isinstance(value, dict) else {}


def _read_message(value: Any, status: int) -> str:
    text = str(value.get("message") or value.get("error") or "") if isinstance(value, dict) else ""
    return text.strip().splitlines()[0] if text.strip() else f"the hub answers {status}"


def _describe(error: OSError) -> str:
    """Return the system's words for a failed connection; an event loop puts its own there, with the address in them."""
    # A failed look-up of a name has a negative number and words of its own.
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)
