"""The fleet's figures as Prometheus metrics, beside those of the monitor's own process."""

from captchad.domain.node import NodeState, Role, count_slots
from captchad.domain.proof import Standing
from captchad.monitoring.fleet import FleetSnapshot
from captchad.monitoring.fleet_monitor import FleetMonitor
from captchad.monitoring.hosts import mean_load
from captchad.telemetry import metric_catalogue
from captchad.telemetry.metrics import Metrics

SCRAPE_AGE_SECONDS = 0.1
MS = 1000


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
        self._instruments.set(metric_catalogue.BROKER_UP, int(not view.broker_failure))
        if view.snapshot is not None:
            self._instruments.set(metric_catalogue.SNAPSHOT_AGE, round(self._monitor.age_seconds(), 3))
            self._set_tasks(view.snapshot)
            self._set_queues(view.snapshot)
            self._set_nodes(view.snapshot)
            self._set_hosts(view.snapshot)
            self._set_captchas(view.snapshot)
            self._set_closures(view.snapshot)
            self._set_standings(view.snapshot)
        return self._metrics.render()

    def _set_tasks(self, snapshot: FleetSnapshot) -> None:
        totals, queue = snapshot.totals, snapshot.queue
        for definition, value in (
            (metric_catalogue.TASKS_TOTAL, totals.submitted),
            (metric_catalogue.TASKS_PENDING, queue.pending),
            (metric_catalogue.TASKS_PROCESSING, queue.processing),
            (metric_catalogue.TASKS_COMPLETED, totals.completed),
            (metric_catalogue.TASKS_FAILED, totals.failed),
            (metric_catalogue.TASKS_CANCELLED, totals.cancelled),
            (metric_catalogue.TASKS_RETRIED, totals.retried),
            (metric_catalogue.WORKERS_LOST, totals.workers_lost),
            (metric_catalogue.DEAD_LETTERED, totals.dead_lettered),
            (metric_catalogue.TASKS_DEAD, queue.dead),
            (metric_catalogue.DEAD_LETTER_BYTES, queue.dead_bytes),
            (metric_catalogue.DEAD_DROPPED, totals.dead_dropped),
            (metric_catalogue.CALLBACKS_DELIVERED, totals.callbacks_delivered),
            (metric_catalogue.CALLBACKS_DEAD, totals.callbacks_dead),
            (metric_catalogue.CALLBACKS_DROPPED, totals.callbacks_dropped),
            (metric_catalogue.CALLBACKS_WAITING, queue.callbacks),
            (metric_catalogue.CALLBACK_OLDEST, queue.oldest_callback_seconds or 0.0),
            (metric_catalogue.DEAD_CALLBACKS, queue.dead_callbacks),
            (metric_catalogue.TASKS_DELAYED, queue.delayed),
            (metric_catalogue.EVIDENCE_BYTES, queue.evidence_bytes),
            (metric_catalogue.EVIDENCE_DROPPED, totals.evidence_dropped),
            (metric_catalogue.LABEL_BYTES, queue.label_bytes),
            (metric_catalogue.LABELS_LOST, totals.labels_dropped),
            (metric_catalogue.MEAN_PROCESSING, snapshot.recent_hour.mean_processing_seconds or 0.0),
        ):
            self._instruments.set(definition, value)

    def _set_queues(self, snapshot: FleetSnapshot) -> None:
        self._instruments.set(metric_catalogue.QUEUED_BYTES, snapshot.queue.queued_bytes)
        for queue, depth in snapshot.queue.depth.items():
            labels = {"priority": queue}
            self._instruments.set(metric_catalogue.QUEUE_DEPTH, depth, labels)
            self._instruments.set(
                metric_catalogue.QUEUE_OLDEST, snapshot.queue.oldest_age_seconds[queue] or 0.0, labels
            )

    def _set_nodes(self, snapshot: FleetSnapshot) -> None:
        self._instruments.set(metric_catalogue.WORKERS_ACTIVE, snapshot.count_up(Role.WORKER))
        self._instruments.set(metric_catalogue.FLEET_SLOTS, count_slots(snapshot.nodes))
        for role in Role:
            for state in NodeState:
                count = sum(node.report.role is role and node.state is state for node in snapshot.nodes)
                self._instruments.set(metric_catalogue.NODES, count, {"role": role.value, "state": state.value})

    def _set_hosts(self, snapshot: FleetSnapshot) -> None:
        mean = mean_load(snapshot.hosts)
        self._instruments.set(metric_catalogue.SYSTEM_CPU, mean.cpu_percent)
        self._instruments.set(metric_catalogue.SYSTEM_MEMORY, mean.memory_percent)
        for definition in (metric_catalogue.HOST_CPU, metric_catalogue.HOST_MEMORY, metric_catalogue.HOST_DISK):
            self._instruments.forget(definition)
        for host in snapshot.hosts:
            labels = {"host": host.host}
            self._instruments.set(metric_catalogue.HOST_CPU, host.load.cpu_percent, labels)
            self._instruments.set(metric_catalogue.HOST_MEMORY, host.load.memory_percent, labels)
            self._instruments.set(metric_catalogue.HOST_DISK, host.load.disk_percent, labels)

    def _set_captchas(self, snapshot: FleetSnapshot) -> None:
        for definition in (
            metric_catalogue.CAPTCHA_CHANGES,
            metric_catalogue.CAPTCHA_CHANGED,
            metric_catalogue.CAPTCHA_VISITS,
        ):
            self._instruments.forget(definition)
        for host, captcha in snapshot.captchas.items():
            labels = {"target": host}
            self._instruments.set(metric_catalogue.CAPTCHA_CHANGES, captcha.changes, labels)
            self._instruments.set(metric_catalogue.CAPTCHA_VISITS, captcha.visits, labels)
            if captcha.changed_ms is not None:
                self._instruments.set(metric_catalogue.CAPTCHA_CHANGED, captcha.changed_ms / MS, labels)

    def _set_closures(self, snapshot: FleetSnapshot) -> None:
        self._instruments.forget(metric_catalogue.FILL_CLOSED)
        for host, closed_ms in snapshot.targets.fill_closed_ms.items():
            self._instruments.set(metric_catalogue.FILL_CLOSED, closed_ms / MS, {"target": host})

    def _set_standings(self, snapshot: FleetSnapshot) -> None:
        standings = [one.standing for one in snapshot.targets.standings.values()]
        for standing in Standing:
            self._instruments.set(metric_catalogue.TARGETS, standings.count(standing), {"standing": standing.value})
