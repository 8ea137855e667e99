"""Registers the whole API of the gateway with an application."""

from collections.abc import Iterable

from aiohttp import web

from captchad.web.api.events import EventRoutes
from captchad.web.routes import RouteSource, add_routes


def add_api_routes(application: web.Application, parts: Iterable[RouteSource]) -> None:
    """Register the routes of `parts`; their streams end when the application shuts down."""
    for part in parts:
        add_routes(application, part.routes())
        if isinstance(part, EventRoutes):
            application.on_shutdown.append(part.end_streams)
