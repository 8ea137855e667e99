"""The one layer around every handler: admits the caller, counts, and turns failures into answers."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from captchad.broker.audit_trail import AuditTrail
from captchad.domain.errors import CaptchadError, InvalidRequest, Unauthorized, Violation
from captchad.intake.rate_decisions import CallerRateLimiter
from captchad.runtime.clock import Clock
from captchad.telemetry.metrics import Metrics
from captchad.web.middleware.access import AccessPolicy
from captchad.web.middleware.answer_headers import mark_answer
from captchad.web.middleware.audit import note_act, note_outcome
from captchad.web.middleware.rates import READING_METHODS, add_rate_limit_headers, charge
from captchad.web.problems import answer_failure, answer_plain_error, is_answerable
from captchad.web.request_id import choose_request_id
from captchad.web.routes import Route, find_route

_logger = logging.getLogger(__name__)

UNROUTED = "(none)"
INTERNAL_ERROR_DETAIL = "see the log of this role under the request id"
_REQUEST_ID = web.RequestKey("request_id", str)
_BEGUN_ANSWER = web.RequestKey("begun_answer", web.StreamResponse)

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Stands before all routes of a role; `rates` None means that nothing is limited."""

    def __init__(
        self,
        access: AccessPolicy,
        metrics: Metrics,
        clock: Clock,
        rates: CallerRateLimiter | None = None,
        audit_trail: AuditTrail | None = None,
        strict_transport_security_seconds: int = 0,
    ) -> None:
        self._access = access
        self._metrics = metrics
        self._clock = clock
        self._rates = rates
        self._audit_trail = audit_trail
        self._strict_transport_security_seconds = strict_transport_security_seconds

    @web.middleware
    async def answer(self, request: web.Request, handler: Next) -> web.StreamResponse:
        """Answer a request, whatever happens in its handler."""
        started_seconds = self._clock.monotonic_seconds()
        request[_REQUEST_ID] = choose_request_id(request.headers.get("X-Request-Id", ""))
        route = find_route(request)
        response = await self._answer_safely(request, route, handler)
        if self._audit_trail is not None and route is not None:
            note_act(self._audit_trail, request, route)
        self._metrics.record_request(
            route.path if route else UNROUTED,
            request.method,
            response.status,
            self._clock.monotonic_seconds() - started_seconds,
        )
        return response

    async def _answer_safely(self, request: web.Request, route: Route | None, handler: Next) -> web.StreamResponse:
        request_id = request[_REQUEST_ID]
        try:
            return await self._admit_and_handle(request, route, handler)
        except web.HTTPException as error:
            return answer_plain_error(error, request_id)
        except CaptchadError as error:
            if is_answerable(error):
                self._metrics.record_refusal(error.code)
                note_outcome(request, error)
                return _answer(request, route, error)
            _logger.exception("request %s to %s failed", request_id, request.path)
        except ConnectionError:
            # The caller went away in the middle; there is nobody to answer.
            raise
        except Exception:
            _logger.exception("request %s to %s failed", request_id, request.path)
        failure = CaptchadError(INTERNAL_ERROR_DETAIL)
        note_outcome(request, failure)
        self._metrics.record_refusal(failure.code)
        return _answer(request, route, failure)

    async def _admit_and_handle(self, request: web.Request, route: Route | None, handler: Next) -> web.StreamResponse:
        preflight = self._access.answer_preflight(request)
        if preflight is not None:
            return preflight
        await self._access.admit(request, route)
        if route is not None:
            if route.is_rate_limited and self._rates is not None:
                await charge(request, self._rates)
            if route.query is not None and request.query_string:
                _check_query(request, {parameter.name for parameter in route.query})
        if request.method not in READING_METHODS:
            return await handler(request)
        return await self._handle_while_admitted(request, handler)

    async def _handle_while_admitted(self, request: web.Request, handler: Next) -> web.StreamResponse:
        try:
            async with self._access.hold(request):
                return await handler(request)
        except Unauthorized:
            if _BEGUN_ANSWER not in request:
                raise
            # Too late for another answer: the stream just ends, and the caller learns why as it comes back.
            return request[_BEGUN_ANSWER]

    async def decorate(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the headers every answer bears, just before it is sent."""
        request[_BEGUN_ANSWER] = response
        mark_answer(response, request.get(_REQUEST_ID), self._strict_transport_security_seconds)
        add_rate_limit_headers(request, response)
        self._access.decorate(request, response)


def _answer(request: web.Request, route: Route | None, error: CaptchadError) -> web.Response:
    if route is not None and route.answer_failure is not None:
        return route.answer_failure(request, error)
    return answer_failure(error, request[_REQUEST_ID])


def _check_query(request: web.Request, known: set[str]) -> None:
    violations = []
    seen: set[str] = set()
    for name, _ in request.query.items():
        if name not in known:
            violations.append(Violation(f"?{name}", "is not a parameter of this route"))
        elif name in seen:
            violations.append(Violation(f"?{name}", "is given twice"))
        seen.add(name)
    if violations:
        raise InvalidRequest("the query string is not valid", tuple(violations))
