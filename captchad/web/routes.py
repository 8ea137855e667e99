"""The route table: one entry says who may call a route, what it reads and what it answers.

The same entries make the aiohttp routes, the access decisions and the OpenAPI document.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from aiohttp import web
from pydantic import BaseModel

from captchad.domain.api_key import Scope
from captchad.domain.errors import CaptchadError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
AnswerFailure = Callable[[web.Request, CaptchadError], web.Response]
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """One query parameter as OpenAPI describes it; `schema` is its JSON schema, with an example."""

    name: str
    schema: dict[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a role.

    `scope` None means open to everyone, whatever the Host header and the keys. `query` None means that the query
    string is not looked at; otherwise a parameter that isn't listed is refused. `answers` maps a status to its
    model, or to its media types where the answer is no JSON; `headers` are what these answers bear beside the common
    ones, as `errors` are the codes it may answer beside the common ones.
    `answer_failure` is for a route that speaks another service's dialect, and so is not in the OpenAPI document.
    `is_audited` None means by method: what a POST does or tries is in the audit log, what is only read is not.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    summary: str
    is_rate_limited: bool = False
    is_stream: bool = False
    is_audited: bool | None = None
    query: tuple[QueryParameter, ...] | None = None
    body: type[BaseModel] | None = None
    takes_idempotency_key: bool = False
    answers: dict[int, type[BaseModel] | str | tuple[str, ...]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    answer_failure: AnswerFailure | None = None


class RouteSource(Protocol):
    """Handlers that belong together, and their entries of the table."""

    def routes(self) -> tuple[Route, ...]:
        """Return the entries."""


ROUTES: web.AppKey[dict[web.AbstractRoute, Route]] = web.AppKey("routes", dict)


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Register `routes`; a GET that isn't a stream answers HEAD too."""
    table = app[ROUTES]
    for route in routes:
        resource = app.router.add_resource(route.path)
        table[resource.add_route(route.method, route.handler)] = route
        if route.method == "GET" and not route.is_stream:
            table[resource.add_route("HEAD", route.handler)] = route


def find_route(request: web.Request) -> Route | None:
    """Return the table's entry for a request, or None where no route answers it."""
    return request.app[ROUTES].get(request.match_info.route)


def answer_json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Make a JSON answer."""
    return web.Response(body=orjson.dumps(value), status=status, headers=headers, content_type=JSON_TYPE)
