"""The gateway: the HTTP API."""

from collections.abc import Sequence

from captchad import __version__
from captchad.broker.events import EventFeed
from captchad.broker.evidence import EvidenceStore
from captchad.broker.key_quotas import KeyQuotas
from captchad.broker.labels import AnswerReports
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rate_limits import RateLimiter
from captchad.broker.rights import Rights
from captchad.broker.statistics import Statistics
from captchad.broker.target_closures import TargetClosures
from captchad.broker.target_rules import TargetRules
from captchad.broker.tasks import TaskStore, find_queue_limits
from captchad.config.settings import Configuration
from captchad.domain.target import Target
from captchad.intake.admission import Admission, DeclaredReceivers, DeclaredTargets
from captchad.intake.answer_judging import AnswerJudging
from captchad.intake.capacity import CapacityGauge
from captchad.intake.intake import Intake, Outlook
from captchad.intake.load_balancing import PartitionBalancer
from captchad.intake.rate_decisions import CallerRateLimiter, make_rate_rules
from captchad.intake.target_outlooks import TargetOutlooks
from captchad.intake.task_quota import TaskQuota
from captchad.roles.process import RoleProcess
from captchad.runtime.service import Service
from captchad.web.api.documentation import DocumentationRoutes
from captchad.web.api.events import EventRoutes
from captchad.web.api.evidence import EvidenceRoutes
from captchad.web.api.fleet import FleetRoutes
from captchad.web.api.narrowings import NarrowingRoutes
from captchad.web.api.reports import ReportRoutes
from captchad.web.api.routes import add_api_routes
from captchad.web.api.targets import TargetRoutes
from captchad.web.api.tasks import TaskRoutes
from captchad.web.compatibility.desk import SolverDesk
from captchad.web.compatibility.routes import CompatibilityRoutes
from captchad.web.routes import RouteSource


def compose(process: RoleProcess) -> Sequence[Service]:
    """Return the gateway's services in the order they start."""
    broker, clock, configuration = process.broker, process.clock, process.configuration
    nodes, statistics = NodeRegistry(broker), Statistics(broker)
    store = TaskStore(broker, find_queue_limits(configuration.gateway), process.session_cipher)
    feed = EventFeed(broker, store)
    targets = DeclaredTargets(configuration.security.declared_targets())

    # Not the configuration's own method: a reload replaces the configuration.
    def list_declared() -> Sequence[Target]:
        return process.configuration.security.declared_targets()

    rules = TargetRules(broker, feed, list_declared, lambda known: targets.replace(known.targets))
    receivers = DeclaredReceivers(configuration.security.declared_receivers())
    rates = CallerRateLimiter(RateLimiter(broker), make_rate_rules(configuration))
    capacity = CapacityGauge(statistics, nodes, process.presence_lease_seconds, clock)
    balancing = configuration.gateway.load_balancer
    balancer = PartitionBalancer(len(broker.partitions), balancing.algorithm, balancing.health_check_interval, clock)
    capacity.on_measured(balancer.note_pending)
    closures = TargetClosures(broker)
    outlook = Outlook(capacity, TargetOutlooks(closures, clock))
    admission, quota = Admission(targets, clock, rules.proofs, receivers), TaskQuota(KeyQuotas(broker))
    intake = Intake(store, admission, balancer, outlook, configuration.worker, quota)

    def take_over(new: Configuration) -> None:
        rules.reload()
        rates.replace(make_rate_rules(new))
        receivers.replace(new.security.declared_receivers())
        store.replace_limits(find_queue_limits(new.gateway))

    def collects_labels(host: str) -> bool:
        return any(
            target.host == host and process.configuration.recognition.collects(target) for target in targets.current
        )

    process.on_reload(take_over)
    judging = AnswerJudging(store, AnswerReports(broker), process.metrics)
    desk = SolverDesk(intake, store, judging, process.api_keys.authenticate, rates, process.metrics)
    parts: tuple[RouteSource, ...] = (
        TaskRoutes(intake, store, feed, rates, process.metrics),
        ReportRoutes(judging, collects_labels),
        EvidenceRoutes(store, EvidenceStore(broker)),
        FleetRoutes(statistics, nodes, process.presence_lease_seconds, closures, targets),
        TargetRoutes(closures, targets),
        NarrowingRoutes(broker, list_declared),
        EventRoutes(feed),
        DocumentationRoutes(__version__, configuration.security.api_key_required),
    )
    if configuration.compatibility.enabled:
        parts += (CompatibilityRoutes(desk, feed, clock),)
    return (
        process.build_web(lambda app: add_api_routes(app, parts), rates=rates),
        broker,
        Rights(broker),
        process.audit_trail,
        feed,
        rules,
        capacity,
        process.build_presence(),
    )
