"""A whole gateway on a loopback port, before a real Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from captchad.broker.api_keys import ApiKeys
from captchad.broker.audit_log import AuditLog
from captchad.broker.audit_trail import AuditTrail
from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.evidence import EvidenceStore
from captchad.broker.key_quotas import KeyQuotas
from captchad.broker.labels import AnswerReports
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rate_limits import RateLimiter
from captchad.broker.session_cipher import SessionCipher
from captchad.broker.statistics import Statistics
from captchad.broker.target_closures import TargetClosures
from captchad.broker.target_rules import TargetRules
from captchad.broker.tasks import TaskStore, find_queue_limits
from captchad.config.settings import Configuration, GatewaySection, RateLimitSection, SecuritySection, TargetSection
from captchad.intake.admission import Admission, DeclaredReceivers, DeclaredTargets
from captchad.intake.answer_judging import AnswerJudging
from captchad.intake.capacity import CapacityGauge
from captchad.intake.intake import Intake, Outlook
from captchad.intake.load_balancing import PartitionBalancer
from captchad.intake.rate_decisions import CallerRateLimiter, make_rate_rules
from captchad.intake.target_outlooks import TargetOutlooks
from captchad.intake.task_quota import TaskQuota
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.runtime.supervisor import Supervisor
from captchad.telemetry.metrics import Metrics
from captchad.web.api.documentation import DocumentationRoutes
from captchad.web.api.events import EventRoutes
from captchad.web.api.evidence import EvidenceRoutes
from captchad.web.api.fleet import FleetRoutes
from captchad.web.api.narrowings import NarrowingRoutes
from captchad.web.api.reports import ReportRoutes
from captchad.web.api.routes import add_api_routes
from captchad.web.api.targets import TargetRoutes
from captchad.web.api.tasks import TaskRoutes
from captchad.web.application import build_application
from captchad.web.compatibility.desk import SolverDesk
from captchad.web.compatibility.routes import CompatibilityRoutes
from captchad.web.middleware.access import AccessPolicy
from captchad.web.middleware.gate import Gate
from captchad.web.ops.routes import NodeIdentity, OpsRoutes, add_ops_routes
from captchad.web.routes import add_routes
from captchad.web.server import Bind, WebServer

LEASE_SECONDS = 5.0
WAIVED = "waived: of no importance to these tests"
TARGETS = (
    TargetSection(
        host="captcha.example.com", owner="o", reference="r", expires=date.today() + timedelta(days=30), proof=WAIVED
    ),
    TargetSection(
        host="*.sites.example.org", owner="o", reference="r", expires=date.today() + timedelta(days=30), proof=WAIVED
    ),
    TargetSection(host="unproven.example.com", owner="o", reference="r", expires=date.today() + timedelta(days=30)),
    TargetSection(host="127.0.0.1", ports=(8085,), allow_private_addresses=True),
    TargetSection(host="10.1.2.3", owner="o", reference="r", expires=date.today() + timedelta(days=30)),
    TargetSection(host="old.example.com", owner="o", reference="r", expires=date.today() - timedelta(days=1)),
)
COLLECTING = frozenset({"captcha.example.com", "*.sites.example.org"})
"""Targets whose labels are collected."""
OWN_LISTENERS = 1
"""The gateway itself listens for changes of targets."""
SESSION_KEY = "k" * 32
UNLIMITED = GatewaySection(rate_limit=RateLimitSection(enabled=False))


def configure(gateway: GatewaySection = UNLIMITED, **security: Any) -> Configuration:
    """Return a configuration with these tests' targets, a session key and, unless said otherwise, no rate limit."""
    security.setdefault("session_key", SecretStr(SESSION_KEY))
    return Configuration(gateway=gateway, security=SecuritySection(targets=TARGETS, **security))


@dataclass
class RunningGateway:
    """A gateway that answers, and what is behind it."""

    session: aiohttp.ClientSession
    port: int
    store: TaskStore
    feed: EventFeed
    keys: ApiKeys
    nodes: NodeRegistry
    targets: DeclaredTargets
    server: WebServer
    audit_log: AuditLog
    application: web.Application

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def submit(self, **fields: Any) -> str:
        async with self.session.post("/submit_task", json=fields or {"url": "http://captcha.example.com/"}) as answer:
            assert answer.status == 202, await answer.text()
            return str((await answer.json())["task_id"])


StartGateway = Callable[[Configuration], AbstractAsyncContextManager[RunningGateway]]


@asynccontextmanager
async def run_gateway(broker: Broker, configuration: Configuration) -> AsyncIterator[RunningGateway]:
    """Start the gateway's services as its role does, and stop them."""
    clock, metrics = Clock(), Metrics("gateway", "gateway-1", "0")
    gateway, security = configuration.gateway, configuration.security
    key = security.session_key
    cipher = SessionCipher(key.get_secret_value()) if key else None
    store = TaskStore(broker, find_queue_limits(gateway), cipher)
    statistics, nodes, keys = Statistics(broker), NodeRegistry(broker), ApiKeys(broker)
    feed = EventFeed(broker, store)
    capacity = CapacityGauge(statistics, nodes, LEASE_SECONDS, clock)
    targets = DeclaredTargets(security.declared_targets())
    balancer = PartitionBalancer(len(broker.partitions), "round_robin", 1.0, clock)
    closures = TargetClosures(broker)
    outlook = Outlook(capacity, TargetOutlooks(closures, clock))
    rules = TargetRules(broker, feed, security.declared_targets, lambda known: targets.replace(known.targets))
    await rules.start()
    admission = Admission(targets, clock, rules.proofs, DeclaredReceivers(security.declared_receivers()))
    intake = Intake(store, admission, balancer, outlook, configuration.worker, TaskQuota(KeyQuotas(broker)))
    rates = CallerRateLimiter(RateLimiter(broker), make_rate_rules(configuration))
    audit_log = AuditLog(broker, security.audit_log)
    trail = AuditTrail(broker, audit_log)
    gate = Gate(AccessPolicy(security, keys.authenticate), metrics, clock, rates, trail)
    application = build_application(gate, gateway.trusted_proxies)
    judging = AnswerJudging(store, AnswerReports(broker), metrics)
    supervisor = Supervisor("gateway", 1.0)
    ops = OpsRoutes(NodeIdentity("gateway", "gateway-1", "0"), supervisor, metrics.render, lambda: configuration)
    add_api_routes(
        application,
        (
            TaskRoutes(intake, store, feed, rates, metrics),
            ReportRoutes(judging, lambda host: host in COLLECTING),
            EvidenceRoutes(store, EvidenceStore(broker)),
            FleetRoutes(statistics, nodes, LEASE_SECONDS, closures, targets),
            TargetRoutes(closures, targets),
            NarrowingRoutes(broker, security.declared_targets),
            EventRoutes(feed, heartbeat_seconds=0.05),
            DocumentationRoutes("0", security.api_key_required),
        ),
    )
    if configuration.compatibility.enabled:
        desk = SolverDesk(intake, store, judging, keys.authenticate, rates, metrics)
        add_routes(application, CompatibilityRoutes(desk, feed, clock).routes())
    add_ops_routes(application, ops)
    server, work = WebServer(Bind(), application), TaskSet("test")
    await server.start()
    work.spawn(feed.run(), "feed")
    work.spawn(trail.run(), "audit_trail")
    work.spawn(rules.run(), "target_rules")
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.bound_port}") as session:
            port = server.bound_port
            yield RunningGateway(session, port, store, feed, keys, nodes, targets, server, audit_log, application)
            feed.release_waiters()
            await server.drain()
    finally:
        await server.close()
        await capacity.close()
        await work.cancel_all()


@pytest.fixture
def start_gateway(broker: Broker) -> StartGateway:
    """Starts a gateway with a configuration of the test's own."""
    return lambda configuration: run_gateway(broker, configuration)


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> AsyncIterator[RunningGateway]:
    """A gateway without keys and without rate limit."""
    async with start_gateway(configure()) as running:
        yield running
