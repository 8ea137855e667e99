"""Health, probes, metrics and configuration: the same on every role.

Probes are open to everyone and touch nothing but memory; the rest follows the role's access policy. None of them is
ever rate limited.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from captchad.config.redaction import redact
from captchad.config.settings import Configuration
from captchad.domain.api_key import Scope
from captchad.runtime.service import ServiceHealth
from captchad.runtime.supervisor import Supervisor
from captchad.web.ops.answers import HealthAnswer, ProbeAnswer
from captchad.web.routes import Route, add_routes, answer_json

METRICS_TYPE = "text/plain"
Rendering = tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Which process answers."""

    role: str
    name: str
    version: str


class OpsRoutes:
    """Handlers of the routes for operators.

    `render_metrics` gives the Prometheus text and its content type, at once or (where the figures must be read
    first, as on the monitor) when awaited; `configuration` the one in force, as a reload
    may replace it.
    """

    def __init__(
        self,
        identity: NodeIdentity,
        supervisor: Supervisor,
        render_metrics: Callable[[], Rendering | Awaitable[Rendering]],
        configuration: Callable[[], Configuration],
    ) -> None:
        self._identity = identity
        self._supervisor = supervisor
        self._render_metrics = render_metrics
        self._configuration = configuration

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "GET",
                "/health",
                self.health,
                Scope.READ,
                "How this role and its parts are",
                answers={200: HealthAnswer, 503: HealthAnswer},
            ),
            Route("GET", "/livez", self.live, None, "Whether the process answers", answers={200: ProbeAnswer}),
            Route(
                "GET",
                "/readyz",
                self.ready,
                None,
                "Whether the role can do its work",
                answers={200: ProbeAnswer, 503: ProbeAnswer},
            ),
            Route("GET", "/metrics", self.metrics, Scope.READ, "Prometheus text", answers={200: METRICS_TYPE}),
            Route(
                "GET",
                "/status/config",
                self.show_configuration,
                Scope.ADMIN,
                "The configuration in force, without its secrets",
                answers={200: "application/json"},
            ),
        )

    async def health(self, request: web.Request) -> web.Response:
        """Return the health of every service; 503 unless all are well."""
        status = self._status()
        body = {
            "status": status,
            "role": self._identity.role,
            "name": self._identity.name,
            "version": self._identity.version,
            "services": {name: _represent(health) for name, health in self._supervisor.health().items()},
        }
        return answer_json(body, _status_code(status))

    async def live(self, request: web.Request) -> web.Response:
        """Answer as long as the event loop turns."""
        return answer_json({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """Say whether to send work here."""
        status = self._status()
        return answer_json({"status": status}, _status_code(status))

    async def metrics(self, request: web.Request) -> web.Response:
        """Return this role's metrics."""
        rendering = self._render_metrics()
        body, content_type = await rendering if inspect.isawaitable(rendering) else rendering
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def show_configuration(self, request: web.Request) -> web.Response:
        """Return the configuration, every secret replaced by asterisks."""
        return answer_json(redact(self._configuration()))

    def _status(self) -> str:
        if self._supervisor.is_draining:
            return "draining"
        return "ok" if self._supervisor.is_ready else "unavailable"


def add_ops_routes(application: web.Application, ops: OpsRoutes) -> None:
    """Register the routes for operators."""
    add_routes(application, ops.routes())


def _status_code(status: str) -> HTTPStatus:
    return HTTPStatus.OK if status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE


def _represent(health: ServiceHealth) -> dict[str, object]:
    return {"ready": health.is_ready, "reason": health.reason, "details": health.details}
