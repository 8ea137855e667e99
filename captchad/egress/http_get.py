"""Fetches one small file over https: from a checked address, within one time limit, along no redirect."""

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from captchad.domain.ports import show_host
from captchad.domain.target import Origin, Target, parse_origin
from captchad.egress.certificate_faults import shake_hands
from captchad.egress.chunk_decoder import ChunkDecoder
from captchad.egress.dialer import CheckedDialer, DialFailed, Streams
from captchad.egress.http_body import PIECE_BYTES, read_head
from captchad.egress.http_head import (
    STATUS_INFORMATIONAL_END,
    BodyKind,
    Framing,
    MalformedMessage,
    parse_response_head,
    serialise_head,
)
from captchad.egress.resolver import ResolutionFailed
from captchad.egress.scope import EgressRefused
from captchad.egress.target_trust import PROTOCOLS, TargetTrust

INFORMATIONAL_LIMIT = 10


class GetFailed(Exception):
    """A file could not be asked for, or nothing answered; the message says why."""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """What a site answered: its status and the body; only the beginning of it, unless `is_whole`."""

    status: int
    body: bytes
    is_whole: bool


class HttpGetter:
    """Fetches files only from where `dialer` may connect; what is longer than `limit_bytes` is cut off there."""

    def __init__(self, dialer: CheckedDialer, time_limit_seconds: float, limit_bytes: int, user_agent: str) -> None:
        self._dialer = dialer
        self._time_limit_seconds = time_limit_seconds
        self._limit_bytes = limit_bytes
        self._user_agent = user_agent

    async def get(self, url: str, target: Target) -> FetchedFile:
        """Return what the site answers; its certificate is judged as the target's settings say.

        GetFailed where there is no answer.
        """
        origin = parse_origin(url)
        try:
            async with asyncio.timeout(self._time_limit_seconds):
                return await self._exchange(origin, urlsplit(url).path, target)
        except TimeoutError:
            raise GetFailed(f"{origin} did not answer within {self._time_limit_seconds:g} s") from None
        except (ResolutionFailed, DialFailed, MalformedMessage) as error:
            raise GetFailed(str(error)) from None
        except EgressRefused as error:
            raise GetFailed(error.message) from None
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", None) or error.reason or str(error)
            raise GetFailed(f"no TLS with {origin}: {reason}") from None
        except OSError as error:
            raise GetFailed(f"the connection to {origin} broke off: {error.strerror or error}") from None

    async def _exchange(self, origin: Origin, path: str, target: Target) -> FetchedFile:
        reader, writer = await self._connect(origin, target)
        try:
            headers = [("Host", show_host(origin.host)), ("User-Agent", self._user_agent), ("Connection", "close")]
            writer.write(serialise_head(f"GET {path} HTTP/1.1", headers))
            await writer.drain()
            for _ in range(INFORMATIONAL_LIMIT):
                raw = await read_head(reader)
                if not raw:
                    raise GetFailed(f"{origin} ended the connection without an answer")
                answer = parse_response_head(raw)
                if answer.status >= STATUS_INFORMATIONAL_END:
                    body, is_whole = await _read_body(reader, answer.framing("GET"), self._limit_bytes)
                    return FetchedFile(answer.status, body, is_whole)
            raise GetFailed(f"{origin} answers with nothing but interim answers")
        finally:
            # No goodbye is waited for.
            writer.transport.abort()

    async def _connect(self, origin: Origin, target: Target) -> Streams:
        if target.has_own_trust:
            return await TargetTrust(target).connect(self._dialer.dial, origin, shows_client=False)
        return await shake_hands(self._dialer.dial, origin, _tls_context())


async def _read_body(reader: asyncio.StreamReader, framing: Framing, limit_bytes: int) -> tuple[bytes, bool]:
    """Read a body up to the limit, and say whether that is all of it."""
    wanted_bytes = framing.length_bytes if framing.kind in {BodyKind.LENGTH, BodyKind.NONE} else None
    decoder = ChunkDecoder(PIECE_BYTES) if framing.kind is BodyKind.CHUNKED else None
    body, has_ended = b"", wanted_bytes == 0
    while len(body) <= limit_bytes and not has_ended:
        piece = await reader.read(PIECE_BYTES)
        body += piece if decoder is None else b"".join(decoder.feed(piece))
        if wanted_bytes is not None:
            has_ended = len(body) >= wanted_bytes
        else:
            has_ended = not piece if decoder is None else decoder.is_done or decoder.may_end
        if not piece:
            break
    return body[:wanted_bytes][:limit_bytes], has_ended and len(body[:wanted_bytes]) <= limit_bytes


@cache
def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(PROTOCOLS)
    return context
