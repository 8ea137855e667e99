"""Every setting as a typed, frozen section; names are those of the configuration file."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from captchad.config.section import (
    Bytes,
    BytesOrZero,
    Count,
    CountOrZero,
    Percentage,
    Port,
    Seconds,
    SecondsOrZero,
    Section,
    WholeSeconds,
)
from captchad.config.tls_section import MonitorSection, TlsSection
from captchad.domain.callback import CallbackHost, read_callback_host
from captchad.domain.identifier import PARTITIONS_LIMIT
from captchad.domain.node import Role
from captchad.domain.ports import HIGHEST_PORT, LOOPBACK_HOST, REDIS_PORT
from captchad.domain.target import CLOSURE_LIMIT_SECONDS, DEFAULT_PORTS, Target
from captchad.domain.task_limits import (
    DEADLINE_LIMIT_SECONDS,
    HOST_LENGTH_LIMIT,
    RETRIES_LIMIT,
    TIMEOUT_LIMIT_SECONDS,
)

NO_SECRET = SecretStr("")
SESSION_KEY_LENGTH = 32
WORKER_NODES_LIMIT = 256
DEFAULT_REQUESTS_PER_MINUTE = 100
WAIVER_LENGTH_LIMIT = 300


class RedisMasterSection(Section):
    """One Redis server."""

    host: str = LOOPBACK_HOST
    port: Port = REDIS_PORT
    username: str = ""
    password: SecretStr = NO_SECRET
    db: CountOrZero = 0


class RedisSentinelSection(Section):
    """Sentinels that know the master; each host is HOST:PORT."""

    hosts: tuple[str, ...] = Field(min_length=1)
    master_name: str = "mymaster"
    password: SecretStr = NO_SECRET


class RedisClusterSection(Section):
    """Some nodes of a Redis Cluster, each HOST:PORT; the rest are learned from them."""

    hosts: tuple[str, ...] = Field(min_length=1)


class RedisTlsSection(Section):
    """Encryption towards Redis; files are PEM."""

    enabled: bool = False
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    check_hostname: bool = True


class RedisSection(Section):
    """How Redis is reached; `url` wins over `sentinel`, that over `master`."""

    url: SecretStr | None = None
    master: RedisMasterSection | None = None
    sentinel: RedisSentinelSection | None = None
    cluster: RedisClusterSection | None = None
    tls: RedisTlsSection = RedisTlsSection()
    max_connections: Count = 100
    connection_pool_size: Count = 20
    task_result_ttl: WholeSeconds = 3600
    min_replicas_acknowledged: CountOrZero = 0
    partitions: Annotated[int, Field(ge=1, le=PARTITIONS_LIMIT)] = 1
    evidence_limit_bytes: BytesOrZero = 268_435_456
    label_limit_bytes: BytesOrZero = 67_108_864


class SeleniumSection(Section):
    """A Selenium Grid hub as the source of browsers."""

    hub_url: str | None = None
    max_sessions: Count = 10
    session_timeout: Seconds = 300


class WorkerSection(Section):
    """One worker process: its slots, and the defaults of a task's limits (seconds)."""

    max_workers_per_node: Annotated[int, Field(ge=1, le=256)] = 4
    task_timeout: Annotated[float, Field(ge=1, le=TIMEOUT_LIMIT_SECONDS)] = 120
    heartbeat_interval: Seconds = 30
    max_retry_attempts: Annotated[int, Field(ge=0, le=RETRIES_LIMIT)] = 3
    batch_size: Count = 10
    drain_seconds: SecondsOrZero = 30
    task_deadline_seconds: Annotated[float, Field(gt=0, le=DEADLINE_LIMIT_SECONDS)] = 3600
    minimum_confidence: Percentage = 0


class SchedulerSection(Section):
    """The scheduler's timers, what is kept of dead letters, and how long callbacks are tried (seconds)."""

    task_distribution_interval: Seconds = 5
    worker_health_check_interval: Seconds = 60
    cleanup_interval: Seconds = 300
    dead_letter_retention_seconds: WholeSeconds = 604_800
    dead_letter_limit: Count = 10_000
    dead_letter_limit_bytes: Bytes = 268_435_456
    callback_retry_seconds: WholeSeconds = 86_400
    callback_longest_pause_seconds: Seconds = 3600


class RateLimitSection(Section):
    """A GCRA limit per caller address; 0 requests_per_minute or enabled=false is no limit.

    Where no rate is stated it is DEFAULT_REQUESTS_PER_MINUTE, except on a developer's own machine.
    """

    enabled: bool = True
    requests_per_minute: CountOrZero | None = None
    burst_size: Count = 20


class KeyRateLimitSection(Section):
    """A GCRA limit per API key."""

    enabled: bool = False
    requests_per_minute: CountOrZero = DEFAULT_REQUESTS_PER_MINUTE
    burst_size: Count = 20


class LoadBalancerSection(Section):
    """How new tasks are spread over the broker's partitions."""

    algorithm: Literal["round_robin", "least_pending"] = "round_robin"
    health_check_interval: Seconds = 30


class GatewaySection(Section):
    """The HTTP entrance: its limits and how it spreads tasks."""

    rate_limit: RateLimitSection = RateLimitSection()
    load_balancer: LoadBalancerSection = LoadBalancerSection()
    queue_limit: Count = 100_000
    queue_limit_bytes: Bytes = 1_073_741_824
    callback_limit: Count = 10_000
    callback_limit_bytes: Bytes = 67_108_864
    processes: Annotated[int, Field(ge=1, le=64)] = 1
    trusted_proxies: tuple[str, ...] = ()
    connections_per_address: Count | None = None
    tls: TlsSection = TlsSection()


class TargetSection(Section):
    """One declared target; see the security chapter of the documentation."""

    host: str = Field(min_length=1, max_length=HOST_LENGTH_LIMIT)
    ports: tuple[Port, ...] = Field(default=DEFAULT_PORTS, min_length=1)
    owner: str = ""
    reference: str = ""
    expires: date | None = None
    max_per_minute: Count = 60
    max_concurrent: Count = 4
    max_rejections_per_hour: Count = 10
    longest_closure_seconds: Annotated[float, Field(gt=0, le=CLOSURE_LIMIT_SECONDS)] = 300
    allow_private_addresses: bool = False
    minimum_confidence: Percentage | None = None
    form_hosts: tuple[str, ...] = ()
    collect_labels: bool | None = None
    certificate_authorities: str | None = None
    certificate_pins: tuple[str, ...] = ()
    client_certificate: str | None = None
    proof: str | None = Field(default=None, max_length=WAIVER_LENGTH_LIMIT)

    def to_target(self) -> Target:
        """Return the pure value the rest of captchad decides with."""
        return Target(**{name: getattr(self, name) for name in type(self).model_fields})


class AuditLogSection(Section):
    """How much of the audit log is kept; a limit of 0 keeps none."""

    limit: CountOrZero = 100_000
    retention_seconds: WholeSeconds = 7_776_000


class ProofSection(Section):
    """Who is asked for the DNS records that prove whose a public host is; no server means the system's own."""

    nameservers: tuple[str, ...] = ()


class SecuritySection(Section):
    """Who may call, and what may be visited; nothing is in scope until it is declared."""

    api_key_required: bool = False
    allowed_origins: tuple[str, ...] = ()
    rate_limiting: KeyRateLimitSection = KeyRateLimitSection()
    targets: tuple[TargetSection, ...] = ()
    audit_log: AuditLogSection = AuditLogSection()
    proof: ProofSection = ProofSection()
    callback_hosts: tuple[str, ...] = ()
    callback_private_hosts: tuple[str, ...] = ()
    callback_secret: SecretStr | None = None
    session_key: SecretStr | None = None

    @field_validator("session_key")
    @classmethod
    def _check_session_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < SESSION_KEY_LENGTH:
            raise PydanticCustomError(
                "short_session_key", "must have at least {length} characters", {"length": SESSION_KEY_LENGTH}
            )
        return key

    def declared_receivers(self) -> tuple[CallbackHost, ...]:
        """Return where callbacks may be sent as pure values."""
        return tuple(read_callback_host(text, self.callback_private_hosts) for text in self.callback_hosts)

    def declared_targets(self) -> tuple[Target, ...]:
        """Return all declared targets as pure values."""
        return tuple(section.to_target() for section in self.targets)


class BrowserSection(Section):
    """Where browsers come from and when one is replaced."""

    backend: Literal["launch", "playwright", "cdp", "selenium"] | None = None
    reuse: Literal["same_target", "never"] = "same_target"
    executable: str | None = None
    user: str = "nobody"
    urls: tuple[SecretStr, ...] = ()
    proxy_host: str | None = None
    proxy_advertised_host: str | None = None
    proxy_port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)] = 0
    node_secret: SecretStr | None = None
    recycle_pages: Count = 500
    recycle_age_seconds: Seconds = 3600
    recycle_memory_bytes: Bytes = 1_610_612_736


class RecognitionSection(Section):
    """Which model reads which target, and what is collected to make it better.

    `models` maps a target's declared host to a model's file. `learner` is the host that keeps the labels; where there
    is only one host (deployment_mode single) it need not be named.
    """

    models: dict[str, str] = Field(default_factory=dict)
    collect_labels: bool = False
    learner: str | None = Field(default=None, min_length=1, max_length=HOST_LENGTH_LIMIT)
    label_limit: Count = 10_000
    label_limit_bytes: Bytes = 1_073_741_824
    label_retention_seconds: WholeSeconds = 31_536_000

    def collects(self, target: Target) -> bool:
        """Whether labels of a target are collected; what its own declaration says wins."""
        return self.collect_labels if target.collect_labels is None else target.collect_labels


class CompatibilitySection(Section):
    """Routes that answer as other services' clients expect."""

    enabled: bool = False


class LoggingSection(Section):
    """What is logged and how; auto is text on a terminal and JSON otherwise."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Configuration(Section):
    """The whole configuration of a captchad process."""

    environment: Literal["dev", "prod"] = "dev"
    deployment_mode: Literal["single", "multi"] = "single"
    worker_nodes_count: Annotated[int, Field(ge=1, le=WORKER_NODES_LIMIT)] = 2
    redis: RedisSection = RedisSection()
    selenium: SeleniumSection = SeleniumSection()
    worker: WorkerSection = WorkerSection()
    scheduler: SchedulerSection = SchedulerSection()
    gateway: GatewaySection = GatewaySection()
    monitor: MonitorSection = MonitorSection()
    security: SecuritySection = SecuritySection()
    browser: BrowserSection = BrowserSection()
    recognition: RecognitionSection = RecognitionSection()
    compatibility: CompatibilitySection = CompatibilitySection()
    logging: LoggingSection = LoggingSection()

    @property
    def tls_sections(self) -> dict[Role, TlsSection]:
        """The settings of TLS of each role that can speak it."""
        return {Role.GATEWAY: self.gateway.tls, Role.MONITOR: self.monitor.tls}

    def find_tls(self, role: Role) -> TlsSection | None:
        """Return how a role's port speaks TLS; None where it speaks plain HTTP."""
        tls = self.tls_sections.get(role)
        return tls if tls is not None and tls.certificate is not None else None

    def find_scheme(self, role: Role) -> str:
        """Return what the URLs of a role begin with."""
        return "http" if self.find_tls(role) is None else "https"

    def keeps_labels(self, *names: str) -> bool:
        """Whether a process with these names (its host's, its own) is the one that keeps labels."""
        if self.recognition.learner is None:
            return self.deployment_mode == "single"
        return self.recognition.learner in names
