"""One connection from the browser to the proxy: every request on it is judged on its own."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from captchad.domain.target import Origin
from captchad.egress.certificate_faults import HANDSHAKE_SECONDS, Dial
from captchad.egress.destination import read_absolute_form, read_authority_form
from captchad.egress.dialer import CheckedDialer, DialFailed, Streams
from captchad.egress.http_body import read_head, relay_body, relay_until_end
from captchad.egress.http_head import (
    NO_BODY,
    STATUS_INFORMATIONAL_END,
    BodyKind,
    Framing,
    Header,
    MalformedMessage,
    RequestHead,
    ResponseHead,
    forwardable,
    framing_header,
    parse_request_head,
    parse_response_head,
    serialise_head,
)
from captchad.egress.proxy_access import ProxyAccess
from captchad.egress.refusals import RefusalBook
from captchad.egress.resolver import ResolutionFailed
from captchad.egress.scope import EgressRefused, RefusalReason
from captchad.egress.target_trust import explain_alert
from captchad.egress.tunnels import Tunnels

ANSWER_HEADER = "X-Captchad-Egress"
UNREACHABLE = "unreachable"
VISIT_OVER = "visit_over"
_CONFINED = "{} is neither the task's target nor one of its form_hosts, and what the task types goes to no other host"
NOWHERE = Origin("http", "(unreadable)", 0)
_OWN_HEADERS = frozenset({ANSWER_HEADER.lower()})
_INFORMATIONAL_LIMIT = 10


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long a connection may be silent, between requests and during an exchange, and how much it may transfer.

    `body_limit_bytes` holds for each body, `tunnel_limit_bytes` for each direction of a tunnel.
    """

    keep_alive_seconds: float = 90.0
    silence_seconds: float = 660.0
    body_limit_bytes: int = 64 << 20
    tunnel_limit_bytes: int = 256 << 20


class ProxyConnection:
    """Serves one connection of the browser until either side ends it.

    `find_access` returns the access under which a request comes, None for one that has none.
    """

    def __init__(
        self,
        streams: Streams,
        dialer: CheckedDialer,
        refusals: RefusalBook,
        find_access: Callable[[RequestHead], ProxyAccess | None],
        limits: ConnectionLimits,
        tunnels: Tunnels,
    ) -> None:
        self._reader, self._writer = streams
        self._dialer = dialer
        self._tunnels = tunnels
        self._refusals = refusals
        self._find_access = find_access
        self._limits = limits

    async def serve(self) -> None:
        """Answer requests until the connection is done; the caller closes it."""
        try:
            while await self._serve_one():
                pass
        except MalformedMessage as error:
            await self._answer(400, "Bad Request", "malformed", str(error))
        except (TimeoutError, OSError):
            return

    async def _serve_one(self) -> bool:
        # Many requests may be here already, and to refuse one waits for nothing.
        await asyncio.sleep(0)
        async with asyncio.timeout(self._limits.keep_alive_seconds):
            raw = await read_head(self._reader)
        if not raw:
            return False
        request = parse_request_head(raw)
        framing = request.framing()
        access = self._find_access(request)
        if access is None:
            return await self._ask_for_authorisation(request, framing)
        if not access.is_open:
            access.refused += 1
            return await self._refuse_late(request, framing)
        with access.exchange():
            return await self._serve_request(request, framing, access)

    async def _serve_request(self, request: RequestHead, framing: Framing, access: ProxyAccess) -> bool:
        try:
            if request.method == "CONNECT":
                await self._tunnel(request, access)
                return False
            return await self._exchange(request, framing, access)
        except (ResolutionFailed, DialFailed) as error:
            await self._answer(502, "Bad Gateway", UNREACHABLE, str(error), is_last=framing != NO_BODY)
            return framing == NO_BODY

    async def _ask_for_authorisation(self, request: RequestHead, framing: Framing) -> bool:
        is_last = framing != NO_BODY or request.wants_close()
        challenge = ("Proxy-Authenticate", 'Basic realm="captchad"')
        message = "this proxy serves captchad's own browser only"
        await self._answer(407, "Proxy Authentication Required", "unauthorised", message, (challenge,), is_last=is_last)
        return not is_last

    async def _refuse_late(self, request: RequestHead, framing: Framing) -> bool:
        is_last = framing != NO_BODY or request.wants_close()
        # An answer rather than a reset, after which Chromium would ask again.
        message = "no visit is under way in the context that asks"
        await self._answer(503, "Service Unavailable", VISIT_OVER, message, is_last=is_last)
        return not is_last

    async def _refuse(self, origin: Origin, error: EgressRefused, *, is_last: bool) -> None:
        self._refusals.note(origin, error)
        await self._answer(403, "Forbidden", error.reason.value, error.message, is_last=is_last)

    async def _dial(self, origin: Origin, access: ProxyAccess, dial: Dial, *, is_last: bool) -> Streams | None:
        if not access.reach(origin):
            refused = EgressRefused(RefusalReason.CONFINED, _CONFINED.format(origin))
            await self._refuse(origin, refused, is_last=is_last)
            return None
        try:
            return await dial(origin)
        except EgressRefused as error:
            await self._refuse(origin, error, is_last=is_last)
            return None
        except (ResolutionFailed, DialFailed) as error:
            self._refusals.note_failure(origin, str(error))
            raise

    async def _tunnel(self, request: RequestHead, access: ProxyAccess) -> None:
        try:
            origin = read_authority_form(request.target)
        except EgressRefused as error:
            await self._refuse(NOWHERE, error, is_last=True)
            return
        upstream = await self._dial(
            origin, access, lambda origin: self._tunnels.dial(origin, access.identity), is_last=True
        )
        if upstream is None:
            return
        reader, writer = upstream
        try:
            self._writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if writer.get_extra_info("ssl_object") is not None:
                await self._writer.start_tls(self._tunnels.end.context, ssl_handshake_timeout=HANDSHAKE_SECONDS)
            async with asyncio.TaskGroup() as both_ways:
                limit_bytes = self._limits.tunnel_limit_bytes
                upwards = both_ways.create_task(relay_until_end(self._reader, writer, limit_bytes))
                await relay_until_end(reader, self._writer, limit_bytes)
                upwards.cancel()
        except* (OSError, MalformedMessage) as errors:
            self._note_alert(origin, errors)
            # A reset, not a clean end: a truncated stream must not pass for a complete one.
            self._writer.transport.abort()
        finally:
            writer.close()

    def _note_alert(self, origin: Origin, errors: ExceptionGroup[Exception]) -> None:
        """Remember that a site has ended TLS for want of a client certificate: by TLS 1.3 it may say so only here."""
        alerts = (explain_alert(origin, error) for error in errors.exceptions if isinstance(error, ssl.SSLError))
        for refusal in filter(None, alerts):
            self._refusals.note(origin, refusal)

    async def _exchange(self, request: RequestHead, framing: Framing, access: ProxyAccess) -> bool:
        has_body = framing != NO_BODY
        try:
            origin, authority, origin_form = read_absolute_form(request.target)
        except EgressRefused as error:
            await self._refuse(NOWHERE, error, is_last=True)
            return False
        upstream = await self._dial(origin, access, self._dialer.dial, is_last=has_body)
        if upstream is None:
            return not has_body
        try:
            return await self._pass_through(request, framing, upstream, origin, (authority, origin_form))
        finally:
            upstream[1].close()

    async def _pass_through(
        self, request: RequestHead, framing: Framing, upstream: Streams, origin: Origin, place: tuple[str, str]
    ) -> bool:
        reader, writer = upstream
        try:
            async with asyncio.timeout(self._limits.silence_seconds):
                await self._send_request(request, framing, writer, place)
                response = await self._read_response(reader)
                body = response.framing(request.method)
                self._check_length(body)
        except (MalformedMessage, OSError) as error:
            await self._answer(502, "Bad Gateway", UNREACHABLE, f"{origin}: {error or type(error).__name__}")
            return False
        # What follows a chunked body may have been read with it, so that the next request would be cut.
        is_last = request.wants_close() or framing.kind is BodyKind.CHUNKED or body.kind is BodyKind.UNTIL_CLOSE
        return await self._send_response(request, response, body, reader, is_last=is_last)

    def _check_length(self, body: Framing) -> None:
        """Raise while the answer can still be replaced by one that says why it is not passed on."""
        if body.length_bytes > self._limits.body_limit_bytes:
            raise MalformedMessage(f"the answer is larger than {self._limits.body_limit_bytes} bytes")

    async def _send_request(
        self, request: RequestHead, framing: Framing, writer: asyncio.StreamWriter, place: tuple[str, str]
    ) -> None:
        authority, origin_form = place
        headers: list[Header] = [("Host", authority)]
        headers += forwardable(request.headers, frozenset({"host"}))
        headers += [*framing_header(framing), ("Connection", "close")]
        writer.write(serialise_head(f"{request.method} {origin_form} HTTP/1.1", headers))
        await relay_body(self._reader, writer, framing, self._limits.body_limit_bytes)
        await writer.drain()

    async def _read_response(self, reader: asyncio.StreamReader) -> ResponseHead:
        for _ in range(_INFORMATIONAL_LIMIT):
            raw = await read_head(reader)
            if not raw:
                raise MalformedMessage("the site closed the connection without an answer")
            response = parse_response_head(raw)
            if response.status >= STATUS_INFORMATIONAL_END:
                return response
        raise MalformedMessage("the site sends nothing but informational answers")

    async def _send_response(
        self,
        request: RequestHead,
        response: ResponseHead,
        body: Framing,
        reader: asyncio.StreamReader,
        *,
        is_last: bool,
    ) -> bool:
        headers = forwardable(response.headers, _OWN_HEADERS) + framing_header(body)
        if body == NO_BODY and request.method == "HEAD":
            headers += [(name, value) for name, value in response.headers if name.lower() == "content-length"][:1]
        headers.append(("Connection", "close" if is_last else "keep-alive"))
        self._writer.write(serialise_head(f"HTTP/1.1 {response.status} {response.reason}", headers))
        try:
            await relay_body(reader, self._writer, body, self._limits.body_limit_bytes)
            await self._writer.drain()
        except MalformedMessage:
            # The head is sent already, so a reset is the only way to say that the body is incomplete.
            self._writer.transport.abort()
            return False
        return not is_last

    async def _answer(
        self,
        status: int,
        reason: str,
        code: str,
        message: str,
        headers: tuple[Header, ...] = (),
        *,
        is_last: bool = True,
    ) -> None:
        body = f"{_begin_answer(code)}{message}\n".encode()
        all_headers = [
            (ANSWER_HEADER, code),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Connection", "close" if is_last else "keep-alive"),
            *headers,
        ]
        self._writer.write(serialise_head(f"HTTP/1.1 {status} {reason}", all_headers) + body)
        await self._writer.drain()


def read_answer(text: str, code: str) -> str:
    """Return the message of an answer that the proxy itself gave with `code`."""
    return text.strip().removeprefix(_begin_answer(code))


def _begin_answer(code: str) -> str:
    # For whoever sees the answer in place of a page: it is not the site's.
    return f"captchad: {code}: "


def basic_authorisation(username: str, password: str) -> str:
    """Return the value of Proxy-Authorization for a user name and password."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
