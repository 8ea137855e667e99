"""What the four roles have in common: configuration, identity, logs, metrics, Redis and the operators' routes."""

import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from captchad import __version__
from captchad.broker.api_keys import ApiKeys
from captchad.broker.audit_log import AuditLog
from captchad.broker.audit_trail import AuditTrail
from captchad.broker.connection import Broker
from captchad.broker.leases import find_presence_lease_seconds
from captchad.broker.presence import Presence
from captchad.broker.session_cipher import SessionCipher
from captchad.config.changes import LOGGER, changed_settings, describe_changes, take_over_reloadable
from captchad.config.loader import LoadedConfiguration, load_configuration
from captchad.config.settings import Configuration
from captchad.config.start_rules import find_refusals
from captchad.config.state import resolve_state_directory
from captchad.domain.audit import DONE, Act
from captchad.domain.errors import ConfigurationError
from captchad.domain.node import NodeReport, Role
from captchad.domain.ports import LOOPBACK_HOST, ROLE_PORTS, show_host
from captchad.domain.role_figures import RoleFigures
from captchad.intake.rate_decisions import CallerRateLimiter
from captchad.monitoring.system_load import SystemLoadReader
from captchad.roles.work_status import WorkStatus
from captchad.runtime.clock import Clock
from captchad.runtime.inherited_socket import take_inherited_socket
from captchad.runtime.service import Service
from captchad.runtime.supervisor import Supervisor
from captchad.telemetry.logs import LogIdentity, configure_logging, set_log_level
from captchad.telemetry.metrics import Metrics
from captchad.web.application import Extension, build_application
from captchad.web.connections import find_connection_limits
from captchad.web.middleware.access import AccessPolicy
from captchad.web.middleware.gate import Gate
from captchad.web.middleware.rates import ADDRESSES
from captchad.web.ops.routes import NodeIdentity, OpsRoutes, Rendering, add_ops_routes
from captchad.web.server import Bind, WebServer
from captchad.web.server_tls import ServerTls

_logger = logging.getLogger(LOGGER)

DRAIN_MARGIN_SECONDS = 5.0

RenderMetrics = Callable[[], Rendering | Awaitable[Rendering]]


@dataclass(frozen=True, slots=True)
class RoleOptions:
    """The flags a role is started with; None is not given."""

    config_path: str | None = None
    host: str | None = None
    port: int | None = None
    name: str | None = None


class RoleProcess:
    """Everything that a role is composed of; one per process."""

    def __init__(self, role: Role, options: RoleOptions) -> None:
        self.role = role
        self._options = options
        # First: everything below depends on it, and a wrong configuration must open no connection.
        self._loaded = self._load()
        self.configuration: Configuration = self._loaded.configuration
        self.clock = Clock()
        self.state_directory: Path = resolve_state_directory(os.environ)
        self.host = socket.gethostname()
        self.incarnation = secrets.token_hex(4)
        self._bind = self._choose_bind()
        self.name = options.name or f"{role}-{self.host}-{os.getpid()}"
        self.metrics = Metrics(role, self.name, __version__)
        self.broker = Broker(self.configuration.redis, f"captchad-{role}")
        self.api_keys = ApiKeys(self.broker)
        self.audit_log = AuditLog(self.broker, self.configuration.security.audit_log)
        self.audit_trail = AuditTrail(self.broker, self.audit_log)
        drain_seconds = self.configuration.worker.drain_seconds + DRAIN_MARGIN_SECONDS
        # Asked for each time: a role says what it does only when it is composed.
        work_status = WorkStatus(lambda: self.describe(), self.clock)  # noqa: PLW0108
        self.supervisor = Supervisor(
            role, drain_seconds, self.reload, self.metrics.record_service_failure, work_status.describe
        )
        self._load_reader = SystemLoadReader(self.state_directory)
        self._server: WebServer | None = None
        self._presence: Presence | None = None
        self._tls = self._build_tls()
        self._on_reload: list[Callable[[Configuration], None]] = []
        self.describe: Callable[[], RoleFigures | None] = lambda: None
        self._start_logging()

    @property
    def presence_lease_seconds(self) -> float:
        """The silence after which a role counts as lost; roles send three heartbeats in that time."""
        return find_presence_lease_seconds(self.configuration.scheduler)

    @property
    def session_cipher(self) -> SessionCipher | None:
        """The cipher that seals sessions; None without security.session_key."""
        key = self.configuration.security.session_key
        return SessionCipher(key.get_secret_value()) if key is not None else None

    @property
    def consumer(self) -> str:
        """The name of this incarnation of the process."""
        return f"{self.name}.{self.incarnation}"

    def on_reload(self, callback: Callable[[Configuration], None]) -> None:
        """Call `callback` with the new configuration after SIGHUP."""
        self._on_reload.append(callback)

    async def reload(self) -> None:
        """Apply the settings that may change while running, and say which need a restart.

        `configuration` remains what is in force.
        """
        try:
            loaded = self._load()
        except ConfigurationError as error:
            self._note_reload(error.code, [problem.path for problem in error.problems])
            raise
        new, old = loaded.configuration, self.configuration
        in_force = self.configuration = take_over_reloadable(old, new)
        set_log_level(in_force.logging.level)
        for callback in self._on_reload:
            callback(in_force)
        if self._tls is not None:
            await self._tls.take_over()
        report = describe_changes(old, new)
        self._note_reload(DONE, changed_settings(old, new).reloadable)
        for line in report.waiting:
            _logger.warning("%s", line)
        for problem in find_refusals(new, self.role, self._bind.host):
            _logger.error("with this configuration the next start fails: %s: %s", problem.path, problem.message)
        self._log_doubts(loaded)
        _logger.info("configuration reloaded: %s", report.taken_over)

    def build_web(
        self,
        extend: Extension | None = None,
        render_metrics: RenderMetrics | None = None,
        rates: CallerRateLimiter | None = None,
    ) -> WebServer:
        """Make the role's HTTP server: the operators' routes, and the role's own."""
        access = AccessPolicy(self.configuration.security, self.api_keys.authenticate)
        seconds = 0 if self._tls is None else self._tls.strict_transport_security_seconds
        gate = Gate(access, self.metrics, self.clock, rates, self.audit_trail, seconds)
        application = build_application(gate, self.configuration.gateway.trusted_proxies)
        identity = NodeIdentity(self.role, self.name, __version__)
        ops = OpsRoutes(identity, self.supervisor, render_metrics or self.metrics.render, lambda: self.configuration)
        # The role's own routes come first, since the OpenAPI document and its page keep this order.
        if extend is not None:
            extend(application)
        add_ops_routes(application, ops)
        limits = find_connection_limits(
            self.configuration.redis.max_connections,
            self.configuration.gateway.connections_per_address,
            application[ADDRESSES].is_trusted,
        )
        self._server = WebServer(self._bind, application, limits, self.metrics, self._tls)
        return self._server

    def build_presence(self) -> Presence:
        """Make the service that reports this process to the fleet; it starts last and ends first."""
        self._presence = Presence(
            self.broker,
            self._report,
            self.presence_lease_seconds,
            self.configuration.worker.heartbeat_interval,
            self.clock,
        )
        return self._presence

    async def run(self, services: Sequence[Service]) -> int:
        """Run the role to its end; return the exit code."""
        self.broker.on_return(self.metrics.record_broker_reconnect)
        return await self.supervisor.run(services)

    def _note_reload(self, outcome: str, settings: Sequence[str]) -> None:
        # Names alone: a value may be a secret.
        self.audit_trail.note(Act("reload", outcome, actor=self.name, object={"settings": list(settings)}))

    def _report(self) -> NodeReport:
        server = self._server
        host, port = self._bind.host, server.bound_port if server is not None else 0
        return NodeReport(
            name=self.name,
            incarnation=self.incarnation,
            role=self.role,
            host=self.host,
            pid=os.getpid(),
            address=f"{show_host(host)}:{port}",
            version=__version__,
            is_draining=self.supervisor.is_draining,
            load=self._load_reader.read(),
            figures=self.describe(),
            certificate_digest=server.certificate_digest if server is not None else None,
        )

    def _build_tls(self) -> ServerTls | None:
        section = self.configuration.find_tls(self.role)
        if section is None:
            return None
        return ServerTls(section, f"{self.role}.tls", self.clock, self.metrics, self._report_certificate)

    def _report_certificate(self) -> None:
        # Who asks this role by what it has reported would not believe it until the next report.
        if self._presence is not None:
            self._presence.report_now()

    def _load(self) -> LoadedConfiguration:
        return load_configuration(self._options.config_path, os.environ)

    def _choose_bind(self) -> Bind:
        inherited = take_inherited_socket()
        # What systemd holds counts: a drop-in may have it listen anywhere.
        host = self._options.host or LOOPBACK_HOST if inherited is None else str(inherited.getsockname()[0])
        problems = find_refusals(self.configuration, self.role, host)
        if problems:
            raise ConfigurationError(problems)
        port = ROLE_PORTS[self.role] if self._options.port is None else self._options.port
        # Several workers may run on one host without each being given a port.
        searches = self.role is Role.WORKER and self._options.port is None
        return Bind(host, port, searches, inherited)

    def _start_logging(self) -> None:
        section = self.configuration.logging
        configure_logging(section.level, section.format, LogIdentity(self.role, self.name))
        self._log_doubts(self._loaded)

    def _log_doubts(self, loaded: LoadedConfiguration) -> None:
        for doubt in loaded.warnings:
            _logger.warning("%s: %s", doubt.path, doubt.message)
