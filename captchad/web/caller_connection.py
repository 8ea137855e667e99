"""One caller's connection: what aiohttp makes of HTTP, with limits on time and number, and refusals people can read."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from captchad.web.connection_desk import ConnectionDesk, Guest
from captchad.web.middleware.answer_headers import mark_answer
from captchad.web.next_head import NextHead
from captchad.web.problems import answer_problem
from captchad.web.request_id import make_request_id

_logger = logging.getLogger(__name__)

HEAD_SECONDS = 10.0
REFUSED_LINGERING_SECONDS = 2.0
HALF_CLOSED_SECONDS = 2.0
"""How long a request is still answered whose caller sends no more: it may read on, or be gone, which looks the same."""
URL_LIMIT_BYTES = 8192
# Differs from the URL's: it is by the limit that the parser tells which of the two was exceeded.
HEADER_LIMIT_BYTES = 16_384
HEADERS_LIMIT = 128


class HeadTooSlow(BadHttpMessage):
    """The head of a request did not come in time."""


class CallerConnection(RequestHandler):
    """A connection that enters itself in the server's table, and answers what is no proper request by its kind."""

    __slots__ = (
        "_desk",
        "_door",
        "_has_sent",
        "_head_timer",
        "_is_half_closed",
        "_is_refused",
        "_is_sending",
        "_last_timer",
        "_next_head",
    )

    def __init__(
        self,
        server: web.Server,
        desk: ConnectionDesk,
        door: Guest | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            max_line_size=URL_LIMIT_BYTES,
            max_field_size=HEADER_LIMIT_BYTES,
            max_headers=HEADERS_LIMIT,
            **options,
        )
        self._desk = desk
        self._door = door
        self._head_timer: asyncio.TimerHandle | None = None
        self._last_timer: asyncio.TimerHandle | None = None
        self._next_head = NextHead()
        self._has_sent = False
        self._is_refused = False
        self._is_half_closed = False
        self._is_sending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Enter the table, and expect a request's head."""
        super().connection_made(transport)
        self._expect_head()
        self._desk.enter(self, transport, self._door)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave the table."""
        self._desk.table.leave(self)
        self._stop_head_timer()
        self._stop_last_timer()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio asks for it; aiohttp always answers None
        """Let whole requests be answered to a caller who sends no more, but not for long; close at once for others."""
        bodies = [body for _, body in self._messages]
        if self._current_request is not None:
            bodies.append(self._current_request.content)
        if self._is_idle or self._is_refused or self._is_secure or not all(body.is_eof() for body in bodies):
            return False
        self._is_half_closed = True
        if not self._is_sending:
            self._expect_answer()
        return True

    def give_up(self) -> None:
        """Close the connection now, whatever is still to be sent."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def note_whole(self, request: web.BaseRequest) -> None:
        """The last of a request's body is here; the table counts the request as served until it is answered."""
        # The rest of a body may come after the answer, which then is no longer being made.
        if self._current_request is request:
            self._desk.table.note_served(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came; a head that is not whole yet must be so in time."""
        if self._is_refused:
            return
        self._has_sent = True
        queued_before = len(self._messages)
        super().data_received(data)
        new = list(self._messages)[queued_before:]
        # After an error nothing more of the connection is read.
        requests = [(message, body) for message, body in new if not isinstance(message, _ErrInfo)]
        self._next_head.note(data, requests)
        if new:
            self._stop_head_timer()
        elif self._is_idle:
            self._expect_rest()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that never reached the gate."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is already under way")
        request_id = make_request_id()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _logger.error("request %s failed outside its handler", request_id, exc_info=exc)
            code, detail = "internal_error", "see the log of this role under the request id"
        else:
            code, detail = explain_refusal(exc)
            _logger.info("request %s from %s was refused: %s", request_id, request.remote, detail)
        self._desk.note_refusal(code)
        self._is_refused = True
        response = answer_problem(code, detail, request_id)
        mark_answer(response, request_id, self._desk.strict_transport_security_seconds)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; after a refusal, read away what still comes, or the reset would overtake the answer."""
        if isinstance(resp, web.HTTPExpectationFailed):
            # This one is aiohttp's own, and the gate is not asked before it.
            resp = self.handle_error(request, resp.status, resp)
        # From here on a caller who is gone is noticed by what is written to it.
        self._stop_last_timer()
        self._is_sending = True
        try:
            outcome = await super().finish_response(request, resp, start_time)
        finally:
            self._is_sending = False
        self._desk.table.note_waiting(self)
        if self._is_half_closed:
            if self._messages:
                self._expect_answer()
            else:
                self.close()
            return outcome
        if not self._messages:
            # It may have begun to come with this request, or while this one was answered.
            self._expect_rest()
        if self._is_refused and self.transport is not None:
            if self.transport.can_write_eof():
                self.transport.write_eof()
            # Ended sooner by the caller, who closes once it has read the answer.
            await asyncio.sleep(REFUSED_LINGERING_SECONDS)
        return outcome

    @property
    def _is_idle(self) -> bool:
        """Whether nothing is being answered: the next request is waited for."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def _is_secure(self) -> bool:
        """Whether it speaks TLS, of which one direction alone can't be closed."""
        return self.transport is not None and self.transport.get_extra_info("ssl_object") is not None

    def _expect_rest(self) -> None:
        """Expect the rest of a head that has begun to come."""
        if self._next_head.is_begun and self._head_timer is None:
            self._expect_head()

    def _expect_answer(self) -> None:
        """Expect the answer to a caller who sends no more."""
        self._last_timer = self._loop.call_later(HALF_CLOSED_SECONDS, self.give_up)

    def _stop_last_timer(self) -> None:
        if self._last_timer is not None:
            self._last_timer.cancel()
            self._last_timer = None

    def _expect_head(self) -> None:
        self._head_timer = self._loop.call_later(HEAD_SECONDS, self._end_slow_head)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_slow_head(self) -> None:
        self._head_timer = None
        if not self._is_idle:
            return
        self._desk.note_closed("slow_head")
        if not self._has_sent:
            # A browser opens connections ahead of need; an answer that nothing asked for would confuse it.
            self.force_close()
            return
        error = HeadTooSlow("")
        self._messages.append((_ErrInfo(HTTPStatus.REQUEST_TIMEOUT, error, ""), EMPTY_PAYLOAD))
        assert self._waiter is not None
        self._waiter.set_result(None)


def explain_refusal(error: BaseException | None) -> tuple[str, str]:
    """Return the code and the detail of what is no proper request; each limit is named."""
    if isinstance(error, HeadTooSlow):
        return "request_timeout", f"the head of the request did not come within {HEAD_SECONDS:.0f} s"
    if isinstance(error, LineTooLong) and error.args[1] == URL_LIMIT_BYTES:
        return "url_too_long", f"the URL is longer than {URL_LIMIT_BYTES} bytes"
    if isinstance(error, LineTooLong):
        return "headers_too_large", f"a header is longer than {HEADER_LIMIT_BYTES} bytes, its name included"
    if isinstance(error, web.HTTPExpectationFailed):
        return "invalid_request", "the only Expect header that is answered is 100-continue"
    if isinstance(error, BadHttpMessage) and error.message.startswith("Too many headers"):
        return "headers_too_large", f"there are more than {HEADERS_LIMIT} headers"
    return "invalid_request", "the request is not well-formed HTTP"
