"""Sends one POST to a checked address and reads how it was answered, within one time limit and a few bytes."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from functools import cache
from urllib.parse import quote, urlsplit

from captchad.domain.ports import show_host
from captchad.domain.target import SCHEME_PORTS, Origin, parse_origin
from captchad.egress.certificate_faults import shake_hands
from captchad.egress.dialer import CheckedDialer, DialFailed, Streams
from captchad.egress.http_body import read_head
from captchad.egress.http_head import (
    STATUS_INFORMATIONAL_END,
    BodyKind,
    Framing,
    Header,
    MalformedMessage,
    parse_response_head,
    serialise_head,
)
from captchad.egress.resolver import ResolutionFailed

PROTOCOLS = ["http/1.1"]
INFORMATIONAL_LIMIT = 10
ANSWER_LIMIT_BYTES = 64 * 1024
GOODBYE_SECONDS = 1.0
_LEFT_AS_IT_IS = "%/?:@!$&'()*+,;=-._~[]"


class PostFailed(Exception):
    """A request could not be sent, or was not answered; the message says why."""


class HttpPoster:
    """Sends requests only to where `dialer` may connect; follows no redirect and uses no body of an answer."""

    def __init__(self, dialer: CheckedDialer, time_limit_seconds: float) -> None:
        self._dialer = dialer
        self._time_limit_seconds = time_limit_seconds

    async def post(self, url: str, headers: Iterable[Header], body: bytes) -> int:
        """Return the status of the answer; PostFailed or EgressRefused where there is none."""
        origin = parse_origin(url)
        try:
            async with asyncio.timeout(self._time_limit_seconds):
                return await self._exchange(origin, _make_head(url, origin, headers, body) + body)
        except TimeoutError:
            raise PostFailed(f"{origin} did not answer within {self._time_limit_seconds:g} s") from None
        except (ResolutionFailed, DialFailed, MalformedMessage) as error:
            raise PostFailed(str(error)) from None
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", None) or error.reason or str(error)
            raise PostFailed(f"no TLS with {origin}: {reason}") from None
        except OSError as error:
            raise PostFailed(f"the connection to {origin} broke off: {error.strerror or error}") from None

    async def _exchange(self, origin: Origin, request: bytes) -> int:
        reader, writer = await self._connect(origin)
        try:
            writer.write(request)
            await writer.drain()
            for _ in range(INFORMATIONAL_LIMIT):
                raw = await read_head(reader)
                if not raw:
                    raise PostFailed(f"{origin} ended the connection without an answer")
                answer = parse_response_head(raw)
                if answer.status >= STATUS_INFORMATIONAL_END:
                    await _read_away(reader, answer.framing("POST"))
                    return answer.status
            raise PostFailed(f"{origin} answers with nothing but interim answers")
        finally:
            # No goodbye is waited for.
            writer.transport.abort()

    async def _connect(self, origin: Origin) -> Streams:
        if origin.scheme == "https":
            return await shake_hands(self._dialer.dial, origin, _tls_context())
        return await self._dialer.dial(origin)


async def _read_away(reader: asyncio.StreamReader, framing: Framing) -> None:
    """Take a little of the body: cut off in the middle of an answer, many a server logs an error."""
    sizes = {BodyKind.NONE: 0, BodyKind.LENGTH: framing.length_bytes}
    left_bytes = min(sizes.get(framing.kind, ANSWER_LIMIT_BYTES), ANSWER_LIMIT_BYTES)
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(GOODBYE_SECONDS):
            while left_bytes > 0 and (piece := await reader.read(left_bytes)):
                left_bytes -= len(piece)


def _make_head(url: str, origin: Origin, headers: Iterable[Header], body: bytes) -> bytes:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=_LEFT_AS_IT_IS)
    query = f"?{quote(parts.query, safe=_LEFT_AS_IT_IS)}" if parts.query else ""
    port = "" if SCHEME_PORTS[origin.scheme] == origin.port else f":{origin.port}"
    own = [("Host", show_host(origin.host) + port), ("Content-Length", str(len(body))), ("Connection", "close")]
    return serialise_head(f"POST {path}{query} HTTP/1.1", [*own, *headers])


@cache
def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(PROTOCOLS)
    return context
