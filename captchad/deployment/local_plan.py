"""Plans the processes of `captchad up`: which there are, on which ports, with which environment."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from captchad.broker.embedded import EmbeddedRedis
from captchad.config.loader import LoadedConfiguration, load_configuration
from captchad.config.redis_choice import choose_redis
from captchad.config.state import STATE_VARIABLE, resolve_state_directory
from captchad.deployment import session_key
from captchad.deployment.events import Listener
from captchad.deployment.free_ports import PortClaims
from captchad.deployment.local_fleet import LocalFleet
from captchad.deployment.log_file import LogFile
from captchad.deployment.redis_child import RedisChild
from captchad.deployment.role_child import RoleChild, RoleOrder
from captchad.deployment.shared_configuration import SharedConfiguration
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, ROLE_PORTS
from captchad.runtime.clock import Clock

LOGS = "logs"
# More than the supervisor's own timeout for closing a service.
QUICK_STOP_SECONDS = 12.0
DRAIN_MARGIN_SECONDS = 15.0
REDIS_VARIABLE = "REDIS_URL"
REDIS_COMPANIONS = ("REDIS_PASSWORD", "REDIS_TLS_ENABLED")
WORKERS_VARIABLE = "CAPTCHAD_WORKER_NODES_COUNT"
"""Of the two variables that set it the one that wins."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of `up`; port 0 means any free one, workers None the configured number.

    `first_worker_port` is where the search for the workers' ports begins.
    """

    workers: int | None = None
    config_path: str | None = None
    host: str = LOOPBACK_HOST
    gateway_port: int = ROLE_PORTS[Role.GATEWAY]
    scheduler_port: int = ROLE_PORTS[Role.SCHEDULER]
    monitor_port: int = ROLE_PORTS[Role.MONITOR]
    first_worker_port: int = ROLE_PORTS[Role.WORKER]


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """The processes to run, and their URLs; `redis` is None where another one is configured."""

    state_directory: Path
    fixed_roles: tuple[RoleChild, ...]
    workers: tuple[RoleChild, ...]
    redis: EmbeddedRedis | None
    configuration: SharedConfiguration

    @property
    def loaded(self) -> LoadedConfiguration:
        """The configuration as it was at the start."""
        return self.configuration.loaded

    def url(self, role: Role) -> str:
        """Return the URL of the gateway, the scheduler or the monitor."""
        return next(child.url for child in self.fixed_roles if child.role is role)

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.state_directory / LOGS

    def build_fleet(self, listener: Listener, clock: Clock) -> LocalFleet:
        """Return the supervision; it stops the gateway, then the workers, then the rest, and Redis last."""
        gateways = [child for child in self.fixed_roles if child.role is Role.GATEWAY]
        others = [child for child in self.fixed_roles if child.role is not Role.GATEWAY]
        foundation = [RedisChild(self.redis)] if self.redis is not None else []
        return LocalFleet(foundation, [gateways, self.workers, others], self.configuration.reload, listener, clock)


async def plan_local_fleet(
    options: UpOptions, environment: Mapping[str, str], listener: Listener, clock: Clock
) -> LocalPlan:
    """Check everything that can be checked before the start; ConfigurationError names what is wrong."""
    state_directory = resolve_state_directory(environment)
    child_environment = {**environment, STATE_VARIABLE: str(state_directory)}
    loaded = _load(options, child_environment)
    redis = None
    # The children learn the embedded Redis by their environment, which then has to be validated again.
    if choose_redis(loaded.configuration.redis) is None:
        redis = EmbeddedRedis(state_directory, clock)
        child_environment = {
            name: value for name, value in child_environment.items() if name not in REDIS_COMPANIONS
        } | {REDIS_VARIABLE: redis.url}
    configuration = SharedConfiguration(partial(_load, options, child_environment), options.host, listener)
    configuration.check()
    loaded = configuration.loaded
    if redis is not None:
        # Before any port is checked, so that a second `up` on this folder gets the true reason.
        redis.take_folder()
    if loaded.configuration.security.session_key is None:
        child_environment = {**child_environment, session_key.VARIABLE: session_key.keep_session_key(state_directory)}
    count = loaded.configuration.worker_nodes_count
    # What was asked for is what the monitor expects.
    child_environment = {**child_environment, WORKERS_VARIABLE: str(count)}
    ports = PortClaims(options.host, clock)
    builder = _Builder(options, loaded, child_environment, state_directory / LOGS, listener, clock, ports)
    fixed_roles = await builder.build_fixed_roles()
    workers = builder.build_workers(count)
    return LocalPlan(state_directory, fixed_roles, workers, redis, configuration)


def _load(options: UpOptions, environment: Mapping[str, str]) -> LoadedConfiguration:
    return load_configuration(options.config_path, environment, {"worker_nodes_count": options.workers})


@dataclass
class _Builder:
    options: UpOptions
    loaded: LoadedConfiguration
    environment: Mapping[str, str]
    logs: Path
    listener: Listener
    clock: Clock
    ports: PortClaims

    async def build_fixed_roles(self) -> tuple[RoleChild, ...]:
        wanted = {
            Role.GATEWAY: (self.options.gateway_port, "--gateway-port"),
            Role.SCHEDULER: (self.options.scheduler_port, "--scheduler-port"),
            Role.MONITOR: (self.options.monitor_port, "--monitor-port"),
        }
        children = []
        for role, (port, flag) in wanted.items():
            children.append(self._build(role, str(role), await self.ports.claim(port, flag)))
        return tuple(children)

    def build_workers(self, count: int) -> tuple[RoleChild, ...]:
        children = []
        for number in range(1, count + 1):
            first = self.options.first_worker_port
            port = self.ports.find(first) if first else self.ports.pick()
            children.append(self._build(Role.WORKER, f"{Role.WORKER}-{number}", port))
        return tuple(children)

    def _build(self, role: Role, label: str, port: int) -> RoleChild:
        drain_seconds = self.loaded.configuration.worker.drain_seconds
        order = RoleOrder(
            role=role,
            label=label,
            name=_name(role, label),
            config_path=self.loaded.path.absolute() if self.loaded.path is not None else None,
            host=self.options.host,
            stop_seconds=drain_seconds + DRAIN_MARGIN_SECONDS if role is Role.WORKER else QUICK_STOP_SECONDS,
            scheme=self.loaded.configuration.find_scheme(role),
        )

        def choose_port() -> int:
            return port

        claimed = port

        def choose_worker_port() -> int:
            nonlocal claimed
            claimed = self.ports.find(port, own=claimed)
            return claimed

        # Only a worker's port may change at a restart: callers know the others.
        chooser = choose_worker_port if role is Role.WORKER else choose_port
        log = LogFile(self.logs / f"{label}.log")
        return RoleChild(order, chooser, self.environment, log, self.listener, self.clock)


def _name(role: Role, label: str) -> str:
    """Return a name that stays the same over restarts and differs from those of other machines."""
    # Stable, so that a restarted worker ends the sessions at a Grid that its last process left.
    return f"{role}-{socket.gethostname()}{label.removeprefix(str(role))}"
