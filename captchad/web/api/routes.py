"""Registers the whole API of the gateway with an application."""

from collections.abc import Iterable

from aiohttp import web

from captchad.web.api.documentation import DocumentationRoutes
from captchad.web.api.events import EventRoutes
from captchad.web.api.evidence import EvidenceRoutes
from captchad.web.api.fleet import FleetRoutes
from captchad.web.api.reports import ReportRoutes
from captchad.web.api.targets import TargetRoutes
from captchad.web.api.tasks import TaskRoutes
from captchad.web.routes import add_routes

Part = TaskRoutes | ReportRoutes | EvidenceRoutes | FleetRoutes | TargetRoutes | EventRoutes | DocumentationRoutes


def add_api_routes(application: web.Application, parts: Iterable[Part]) -> None:
    """Register the routes of `parts`; their streams end when the application shuts down."""
    for part in parts:
        add_routes(application, part.routes())
        if isinstance(part, EventRoutes):
            application.on_shutdown.append(part.end_streams)
