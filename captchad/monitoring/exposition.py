"""The fleet's figures as Prometheus metrics, beside those of the monitor's own process."""

from captchad.domain.node import NodeState, Role, count_slots
from captchad.monitoring.fleet import FleetSnapshot
from captchad.monitoring.fleet_monitor import FleetMonitor
from captchad.monitoring.hosts import mean_load
from captchad.telemetry import catalogue
from captchad.telemetry.metrics import Metrics

SCRAPE_AGE_SECONDS = 0.1


class FleetExposition:
    """Renders /metrics of the monitor; while Redis is away the last known figures stay, with their age."""

    def __init__(self, metrics: Metrics, monitor: FleetMonitor) -> None:
        self._metrics = metrics
        self._instruments = metrics.instruments
        self._monitor = monitor

    async def render_fresh(self) -> tuple[bytes, str]:
        """Read the fleet, unless that was done a moment ago, and render it."""
        await self._monitor.refresh(SCRAPE_AGE_SECONDS)
        return self.render()

    def render(self) -> tuple[bytes, str]:
        """Return the newest view as Prometheus text, and its content type."""
        view = self._monitor.view
        self._instruments.set(catalogue.BROKER_UP, int(not view.broker_failure))
        if view.snapshot is not None:
            self._instruments.set(catalogue.SNAPSHOT_AGE, round(self._monitor.age_seconds(), 3))
            self._set_tasks(view.snapshot)
            self._set_queues(view.snapshot)
            self._set_nodes(view.snapshot)
            self._set_hosts(view.snapshot)
        return self._metrics.render()

    def _set_tasks(self, snapshot: FleetSnapshot) -> None:
        totals, queue = snapshot.totals, snapshot.queue
        for definition, value in (
            (catalogue.TASKS_TOTAL, totals.submitted),
            (catalogue.TASKS_PENDING, queue.pending),
            (catalogue.TASKS_PROCESSING, queue.processing),
            (catalogue.TASKS_COMPLETED, totals.completed),
            (catalogue.TASKS_FAILED, totals.failed),
            (catalogue.TASKS_CANCELLED, totals.cancelled),
            (catalogue.TASKS_RETRIED, totals.retried),
            (catalogue.WORKERS_LOST, totals.workers_lost),
            (catalogue.DEAD_LETTERED, totals.dead_lettered),
            (catalogue.TASKS_DEAD, queue.dead),
            (catalogue.TASKS_DELAYED, queue.delayed),
            (catalogue.EVIDENCE_BYTES, queue.evidence_bytes),
            (catalogue.EVIDENCE_DROPPED, totals.evidence_dropped),
            (catalogue.MEAN_PROCESSING, snapshot.recent_hour.mean_processing_seconds or 0.0),
        ):
            self._instruments.set(definition, value)

    def _set_queues(self, snapshot: FleetSnapshot) -> None:
        self._instruments.set(catalogue.QUEUED_BYTES, snapshot.queue.queued_bytes)
        for queue, depth in snapshot.queue.depth.items():
            labels = {"priority": queue}
            self._instruments.set(catalogue.QUEUE_DEPTH, depth, labels)
            self._instruments.set(catalogue.QUEUE_OLDEST, snapshot.queue.oldest_age_seconds[queue] or 0.0, labels)

    def _set_nodes(self, snapshot: FleetSnapshot) -> None:
        self._instruments.set(catalogue.WORKERS_ACTIVE, snapshot.count_up(Role.WORKER))
        self._instruments.set(catalogue.FLEET_SLOTS, count_slots(snapshot.nodes))
        for role in Role:
            for state in NodeState:
                count = sum(node.report.role is role and node.state is state for node in snapshot.nodes)
                self._instruments.set(catalogue.NODES, count, {"role": role.value, "state": state.value})

    def _set_hosts(self, snapshot: FleetSnapshot) -> None:
        mean = mean_load(snapshot.hosts)
        self._instruments.set(catalogue.SYSTEM_CPU, mean.cpu_percent)
        self._instruments.set(catalogue.SYSTEM_MEMORY, mean.memory_percent)
        for definition in (catalogue.HOST_CPU, catalogue.HOST_MEMORY, catalogue.HOST_DISK):
            self._instruments.forget(definition)
        for host in snapshot.hosts:
            labels = {"host": host.host}
            self._instruments.set(catalogue.HOST_CPU, host.load.cpu_percent, labels)
            self._instruments.set(catalogue.HOST_MEMORY, host.load.memory_percent, labels)
            self._instruments.set(catalogue.HOST_DISK, host.load.disk_percent, labels)
