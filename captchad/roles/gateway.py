"""The gateway: the HTTP API."""

from collections.abc import Sequence

from captchad import __version__
from captchad.broker.events import EventFeed
from captchad.broker.evidence import EvidenceStore
from captchad.broker.labels import AnswerReports
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rate_limits import RateLimiter
from captchad.broker.rights import Rights
from captchad.broker.statistics import Statistics
from captchad.broker.target_closures import TargetClosures
from captchad.broker.tasks import QueueLimits, TaskStore
from captchad.config.settings import Configuration
from captchad.intake.admission import Admission, DeclaredTargets
from captchad.intake.capacity import CapacityGauge
from captchad.intake.intake import Intake, Outlook
from captchad.intake.load_balancing import PartitionBalancer
from captchad.intake.rate_decisions import CallerRateLimiter, make_rate_rules
from captchad.intake.target_outlooks import TargetOutlooks
from captchad.roles.process import RoleProcess
from captchad.runtime.service import Service
from captchad.web.api.documentation import DocumentationRoutes
from captchad.web.api.events import EventRoutes
from captchad.web.api.evidence import EvidenceRoutes
from captchad.web.api.fleet import FleetRoutes
from captchad.web.api.reports import ReportRoutes
from captchad.web.api.routes import add_api_routes
from captchad.web.api.targets import TargetRoutes
from captchad.web.api.tasks import TaskRoutes


def compose(process: RoleProcess) -> Sequence[Service]:
    """Return the gateway's services in the order they start."""
    broker, clock, configuration = process.broker, process.clock, process.configuration
    nodes, statistics = NodeRegistry(broker), Statistics(broker)
    store = TaskStore(broker, _queue_limits(configuration), process.session_cipher)
    feed = EventFeed(broker, store)
    targets = DeclaredTargets(configuration.security.declared_targets())
    rates = CallerRateLimiter(RateLimiter(broker), make_rate_rules(configuration))
    capacity = CapacityGauge(statistics, nodes, process.presence_lease_seconds, clock)
    balancing = configuration.gateway.load_balancer
    balancer = PartitionBalancer(len(broker.partitions), balancing.algorithm, balancing.health_check_interval, clock)
    capacity.on_measured(balancer.note_pending)
    closures = TargetClosures(broker)
    outlook = Outlook(capacity, TargetOutlooks(closures, clock))
    intake = Intake(store, Admission(targets, clock), balancer, outlook, configuration.worker)

    def take_over(new: Configuration) -> None:
        targets.replace(new.security.declared_targets())
        rates.replace(make_rate_rules(new))
        store.replace_limits(_queue_limits(new))

    def collects_labels(host: str) -> bool:
        return any(
            target.host == host and process.configuration.recognition.collects(target) for target in targets.current
        )

    process.on_reload(take_over)
    parts = (
        TaskRoutes(intake, store, feed, rates, process.metrics),
        ReportRoutes(store, AnswerReports(broker), collects_labels, process.metrics),
        EvidenceRoutes(store, EvidenceStore(broker)),
        FleetRoutes(statistics, nodes, process.presence_lease_seconds),
        TargetRoutes(closures, targets),
        EventRoutes(feed),
        DocumentationRoutes(__version__, configuration.security.api_key_required),
    )
    return (
        process.build_web(lambda app: add_api_routes(app, parts), rates=rates),
        broker,
        Rights(broker),
        feed,
        capacity,
        process.build_presence(),
    )


def _queue_limits(configuration: Configuration) -> QueueLimits:
    return QueueLimits(configuration.gateway.queue_limit, configuration.gateway.queue_limit_bytes)
