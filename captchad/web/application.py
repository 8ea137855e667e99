"""Puts an aiohttp application together: the gate before every route, and the table the routes are put into."""

from collections.abc import Callable, Iterable

from aiohttp import web

from captchad.web.middleware.addresses import ClientAddresses
from captchad.web.middleware.gate import Gate
from captchad.web.middleware.rates import ADDRESSES
from captchad.web.routes import ROUTES

Extension = Callable[[web.Application], None]
"""Adds a role's own routes to an application."""


def build_application(gate: Gate, trusted_proxies: Iterable[str] = ()) -> web.Application:
    """Make an application without routes; add them with `add_routes` and its like before the server starts."""
    application = web.Application(middlewares=[gate.answer])
    application[ROUTES] = {}
    application[ADDRESSES] = ClientAddresses(trusted_proxies)
    application.on_response_prepare.append(gate.decorate)
    return application
