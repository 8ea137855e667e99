"""The monitor: the fleet's page, and its figures for Prometheus."""

from collections.abc import Sequence

from captchad.broker.nodes import NodeRegistry
from captchad.broker.rights import Rights
from captchad.broker.statistics import Statistics
from captchad.broker.target_closures import TargetClosures
from captchad.broker.target_proofs import TargetProofs
from captchad.broker.tasks import TaskStore, find_queue_limits
from captchad.config.settings import Configuration
from captchad.domain.target import Target
from captchad.monitoring.alerts import AlertThresholds
from captchad.monitoring.exposition import FleetExposition
from captchad.monitoring.fleet import FleetReader
from captchad.monitoring.fleet_monitor import FleetMonitor
from captchad.monitoring.target_states import TargetStateReader
from captchad.roles.process import RoleProcess
from captchad.runtime.service import Service
from captchad.web.dashboard.routes import add_dashboard_routes


def compose(process: RoleProcess) -> Sequence[Service]:
    """Return the monitor's services in the order they start."""
    broker = process.broker
    store = TaskStore(broker, find_queue_limits(process.configuration.gateway))

    def list_declared() -> Sequence[Target]:
        return process.configuration.security.declared_targets()

    reader = FleetReader(
        NodeRegistry(broker),
        Statistics(broker),
        store,
        process.presence_lease_seconds,
        TargetStateReader(TargetClosures(broker), TargetProofs(broker), list_declared),
    )
    monitor = FleetMonitor(reader, lambda: _thresholds(process.configuration), process.clock)
    exposition = FleetExposition(process.metrics, monitor)
    are_keys_required = process.configuration.security.api_key_required
    return (
        process.build_web(lambda app: add_dashboard_routes(app, monitor, are_keys_required), exposition.render_fresh),
        broker,
        Rights(broker),
        process.audit_trail,
        monitor,
        process.build_presence(),
    )


def _thresholds(configuration: Configuration) -> AlertThresholds:
    return AlertThresholds(configuration.worker_nodes_count, configuration.gateway.queue_limit)
