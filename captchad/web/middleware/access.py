"""Decides whether a request may go on: Host and Origin without keys, the key and its scope with them."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web

from captchad.config.formats import ANY_ORIGIN
from captchad.config.settings import SecuritySection
from captchad.domain.api_key import ApiKey
from captchad.domain.errors import Forbidden, TargetNotAllowed, Unauthorized
from captchad.domain.target import is_loopback_host, normalise_host
from captchad.web.middleware.key_watch import Authenticate, KeyWatch
from captchad.web.routes import Route

BEARER = "bearer"
FETCH_SITE, SAME_ORIGIN = "Sec-Fetch-Site", "same-origin"
PREFLIGHT_AGE_SECONDS = 600
ALLOWED_METHODS = "GET, POST, OPTIONS"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id"
EXPOSED_HEADERS = "Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id"
_CALLER = web.RequestKey("caller", ApiKey)
_KEY_TEXT = web.RequestKey("key_text", str)
_CACHED_HOSTS = 256


class AccessPolicy:
    """Who may call a role.

    `authenticate` returns the key that a text stands for, or None; it is called only when keys are required. Without
    keys the role listens on loopback alone, so a request that names another host comes from a foreign page.
    """

    def __init__(self, security: SecuritySection, authenticate: Authenticate | None = None) -> None:
        self.are_keys_required = security.api_key_required
        self._authenticate = authenticate
        self._watch = KeyWatch(authenticate) if authenticate is not None else None
        self._origins = frozenset(origin.rstrip("/").lower() for origin in security.allowed_origins)

    async def admit(self, request: web.Request, route: Route | None) -> None:
        """Let a request go on, or raise Unauthorized or Forbidden; a route of scope None is open to everyone."""
        if route is not None and route.scope is None:
            return
        if not self.are_keys_required:
            self._check_names(request)
        elif route is not None and route.scope is not None:
            key = request[_CALLER] = await self._identify(request)
            if not key.allows(route.scope):
                raise Forbidden(f"this key lacks the scope {route.scope}")

    def hold(self, request: web.Request) -> AbstractAsyncContextManager[None]:
        """Let the answer to an admitted request be made while its key is valid; Unauthorized ends it after that."""
        text = request.get(_KEY_TEXT)
        return nullcontext() if text is None or self._watch is None else self._watch.hold(text)

    def answer_preflight(self, request: web.Request) -> web.Response | None:
        """Answer a browser's question whether a page of another origin may call; None if it is no such question."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        if not self.allows_origin(request.headers.get("Origin", "")):
            raise Forbidden("this origin is not in security.allowed_origins")
        return web.Response(
            status=HTTPStatus.NO_CONTENT,
            headers={
                "Access-Control-Allow-Methods": ALLOWED_METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_AGE_SECONDS),
            },
        )

    def decorate(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the CORS headers of an answer to a page of an allowed origin."""
        if not self._origins:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin")
        if origin is not None and self.allows_origin(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of `origin` may call; `*` counts only where keys are required."""
        if origin.lower() in self._origins:
            return True
        return self.are_keys_required and ANY_ORIGIN in self._origins

    def _check_names(self, request: web.Request) -> None:
        # A foreign page can point its own name at loopback (DNS rebinding) or post here blindly (CSRF), but its browser
        # sends the truth in Host and Origin.
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not is_loopback_authority(hosts[0]):
            raise Forbidden("without API keys the Host header must be a loopback name, such as localhost or 127.0.0.1")
        origin = request.headers.get("Origin")
        if origin is None or origin.lower() == f"{request.scheme}://{hosts[0].lower()}" or self.allows_origin(origin):
            return
        # A proxy may have put another name into Host. Only browsers set this header, and no page can change it.
        if request.headers.getall(FETCH_SITE, []) == [SAME_ORIGIN]:
            return
        raise Forbidden("this origin is not in security.allowed_origins")

    async def _identify(self, request: web.Request) -> ApiKey:
        text = read_key(request.headers.getall("Authorization", []), request.headers.getall("X-API-Key", []))
        key = await self._authenticate(text) if text and self._authenticate is not None else None
        if key is None and text:
            raise Unauthorized("this API key is not valid; ask whoever runs captchad for one")
        if key is None:
            raise Unauthorized("send one API key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`")
        assert text is not None
        request[_KEY_TEXT] = text
        return key


def admit_as(request: web.Request, key: ApiKey) -> None:
    """Note whose request it is; for routes that read the key where another service's clients put it."""
    request[_CALLER] = key


def caller_of(request: web.Request) -> ApiKey | None:
    """Return the key a request was admitted with; None where keys are not required."""
    return request.get(_CALLER)


def read_key(authorization: Iterable[str], api_key: Iterable[str]) -> str | None:
    """Return the one key the headers hold, or None where they hold none or several."""
    found = {value.strip() for value in api_key}
    for value in authorization:
        scheme, _, text = value.strip().partition(" ")
        found.add(text.strip() if scheme.lower() == BEARER else "")
    return found.pop() if len(found) == 1 else None


@lru_cache(_CACHED_HOSTS)
def is_loopback_authority(authority: str) -> bool:
    """Whether a Host header (`name`, `name:port`, `[address]:port`) names this machine."""
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port
        host = normalise_host(parts.hostname or "")
    except (ValueError, TargetNotAllowed):
        return False
    has_only_authority = not (parts.path or parts.query or parts.fragment or parts.username is not None)
    return has_only_authority and is_loopback_host(host)
