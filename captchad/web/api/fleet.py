"""The routes with figures of the whole fleet: stats, workers, queue_status."""

from typing import Any

from aiohttp import web

from captchad.broker.captcha_watch import WatchedCaptcha
from captchad.broker.nodes import NodeRegistry
from captchad.broker.statistics import Statistics
from captchad.broker.target_closures import TargetClosures
from captchad.domain.api_key import Scope
from captchad.domain.node import Node, Role, SystemLoad, count_slots, list_active_workers
from captchad.intake.admission import DeclaredTargets
from captchad.monitoring.hosts import list_host_loads, mean_load
from captchad.web.api.fleet_answers import QueueAnswer, StatsAnswer, WorkerList
from captchad.web.api.representation import represent_time
from captchad.web.routes import Route, answer_json
from captchad.web.worker_figures import represent_worker_figures

SECONDS_DECIMALS = 3


class FleetRoutes:
    """Handlers of the routes with figures; `lease_seconds` of silence make a worker lost."""

    def __init__(
        self,
        statistics: Statistics,
        nodes: NodeRegistry,
        lease_seconds: float,
        closures: TargetClosures,
        targets: DeclaredTargets,
    ) -> None:
        self._statistics = statistics
        self._nodes = nodes
        self._lease_seconds = lease_seconds
        self._closures = closures
        self._targets = targets

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "GET", "/stats", self.stats, Scope.READ, "Figures of the fleet", query=(), answers={200: StatsAnswer}
            ),
            Route("GET", "/workers", self.workers, Scope.READ, "Every worker", query=(), answers={200: WorkerList}),
            Route(
                "GET",
                "/queue_status",
                self.queue_status,
                Scope.READ,
                "What waits",
                query=(),
                answers={200: QueueAnswer},
            ),
        )

    async def stats(self, request: web.Request) -> web.Response:
        """Return counts, the mean time and the load of all hosts."""
        totals = await self._statistics.totals()
        queue = await self._statistics.queue_status()
        recent = await self._statistics.recent_hour()
        nodes = await self._nodes.read_all(self._lease_seconds)
        workers = list_active_workers(nodes)
        loads = list_host_loads(nodes)
        hosts = {host.host: represent_load(host.load) for host in loads}
        captchas = await self._statistics.captchas()
        closures = await self._closures.read_fill_closed(target.host for target in self._targets.current)
        return answer_json(
            {
                "active_workers": len(workers),
                "pending_tasks": queue.pending,
                "processing_tasks": queue.processing,
                "completed_tasks": totals.completed,
                "failed_tasks": totals.failed,
                "cancelled_tasks": totals.cancelled,
                "submitted_tasks": totals.submitted,
                "retried_tasks": totals.retried,
                "lost_workers": totals.workers_lost,
                "dead_letters": queue.dead,
                "average_processing_time": round(recent.mean_processing_seconds or 0.0, SECONDS_DECIMALS),
                "completed_last_hour": recent.completed,
                "failed_last_hour": recent.failed,
                "slots": count_slots(nodes),
                "busy_slots": sum(worker.report.worker.busy or 0 for worker in workers),
                "system_load": {**represent_load(mean_load(loads)), "hosts": hosts},
                "hosts": hosts,
                "captchas": {host: represent_captcha(captcha) for host, captcha in captchas.items()},
                "fill_closures": {
                    host: {"closed_at": represent_time(closed_ms)} for host, closed_ms in closures.items()
                },
            }
        )

    async def workers(self, request: web.Request) -> web.Response:
        """Return every worker with what it reports about itself."""
        nodes = await self._nodes.read_all(self._lease_seconds)
        workers = [represent_worker(node) for node in nodes if node.report.role is Role.WORKER]
        return answer_json({"workers": workers})

    async def queue_status(self, request: web.Request) -> web.Response:
        """Return what waits, by queue and by target."""
        status = await self._statistics.queue_status()
        return answer_json(
            {
                "depth": status.depth,
                "oldest_age_seconds": status.oldest_age_seconds,
                "pending": status.pending,
                "processing": status.processing,
                "delayed": status.delayed,
                "dead": status.dead,
                "dead_bytes": status.dead_bytes,
                "queued_bytes": status.queued_bytes,
                "callbacks": {
                    "waiting": status.callbacks,
                    "oldest_age_seconds": status.oldest_callback_seconds,
                    "dead": status.dead_callbacks,
                },
                "per_target": {
                    name: {"pending": queue.pending, "processing": queue.processing, "deferred": queue.deferred}
                    for name, queue in sorted(status.per_target.items())
                },
            }
        )


def represent_load(load: SystemLoad) -> dict[str, float]:
    """Return a load in percent."""
    return {"cpu_usage": load.cpu_percent, "memory_usage": load.memory_percent, "disk_usage": load.disk_percent}


def represent_captcha(captcha: WatchedCaptcha) -> dict[str, Any]:
    """Return what is known of one target's captcha."""
    return {
        "visits": captcha.visits,
        "is_learning": captcha.is_learning,
        "changes": captcha.changes,
        "changed_at": represent_time(captcha.changed_ms),
        "signals": list(captcha.signals),
    }


def represent_worker(node: Node) -> dict[str, Any]:
    """Return one worker of /workers."""
    report = node.report
    return {
        "name": report.name,
        "host": report.host,
        "state": str(node.state),
        "heartbeat_age_seconds": node.heartbeat_age_seconds,
        **represent_worker_figures(report.worker),
        "address": report.address,
        "pid": report.pid,
        "version": report.version,
        "details": report.worker.flatten(),
    }
