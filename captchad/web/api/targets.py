"""POST /reopen_target/HOST: an operator ends a closure, one that the site asked for, or of `fill`."""

import logging

from aiohttp import web

from captchad.broker.target_closures import Reopening, TargetClosures
from captchad.domain.api_key import Scope
from captchad.domain.target import find_declared_target
from captchad.intake.admission import DeclaredTargets
from captchad.web.api.fleet_answers import ReopenedTarget
from captchad.web.middleware.access import caller_of
from captchad.web.middleware.audit import audit_object
from captchad.web.routes import Route, answer_json

_logger = logging.getLogger(__name__)


class TargetRoutes:
    """Handlers of the routes about targets."""

    def __init__(self, closures: TargetClosures, targets: DeclaredTargets) -> None:
        self._closures = closures
        self._targets = targets

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "POST",
                "/reopen_target/{host}",
                self.reopen_target,
                Scope.ADMIN,
                "Visit a target again that asked to be left alone, and fill its forms again",
                query=(),
                answers={200: ReopenedTarget},
                errors=("target_not_allowed",),
            ),
        )

    async def reopen_target(self, request: web.Request) -> web.Response:
        """Reopen a target, by its host as it is declared."""
        host = find_declared_target(self._targets.current, request.match_info["host"]).host
        audit_object(request)["host"] = host
        key = caller_of(request)
        reopening = await self._closures.reopen(host)
        if reopening.was_closed:
            _logger.warning("%s is reopened by %s", host, key.name if key is not None else "no key")
        return answer_json(represent_reopening(host, reopening))


def represent_reopening(host: str, reopening: Reopening) -> dict[str, object]:
    """Return the answer of a reopening."""
    return {
        "host": host,
        "was_closed": reopening.was_closed,
        "closed_seconds": reopening.closed_seconds,
        "waiting_tasks": reopening.waiting,
        "was_fill_closed": reopening.was_fill_closed,
    }
