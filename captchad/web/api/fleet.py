"""The routes with figures of the whole fleet: stats, workers, queue_status."""

from collections.abc import Iterable
from statistics import fmean
from typing import Any

from aiohttp import web

from captchad.broker.nodes import NodeRegistry
from captchad.broker.statistics import Statistics
from captchad.domain.api_key import Scope
from captchad.domain.node import Node, NodeState, Role, SystemLoad
from captchad.web.api.answers import QueueAnswer, StatsAnswer, WorkerList
from captchad.web.routes import Route, answer_json

PERCENT_DECIMALS = 1
SECONDS_DECIMALS = 3


class FleetRoutes:
    """Handlers of the routes with figures; `lease_seconds` of silence make a worker lost."""

    def __init__(self, statistics: Statistics, nodes: NodeRegistry, lease_seconds: float) -> None:
        self._statistics = statistics
        self._nodes = nodes
        self._lease_seconds = lease_seconds

    def routes(self) -> tuple[Route, ...]:
        """Give the entries of the route table."""
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
        """Give counts, the mean time and the load of all hosts."""
        totals = await self._statistics.totals()
        queue = await self._statistics.queue_status()
        recent = await self._statistics.recent_hour()
        nodes = await self._nodes.read_all(self._lease_seconds)
        workers = [node for node in list_workers(nodes) if node.state is NodeState.UP]
        loads = choose_loads(nodes)
        hosts = {host: represent_mean_load([load]) for host, load in sorted(loads.items())}
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
                "slots": sum(int(worker.report.details.get("slots", 0)) for worker in workers),
                "busy_slots": sum(int(worker.report.details.get("busy", 0)) for worker in workers),
                "system_load": {**represent_mean_load(loads.values()), "hosts": hosts},
                "hosts": hosts,
            }
        )

    async def workers(self, request: web.Request) -> web.Response:
        """Give every worker with what it reports about itself."""
        nodes = await self._nodes.read_all(self._lease_seconds)
        return answer_json({"workers": [represent_worker(node) for node in list_workers(nodes)]})

    async def queue_status(self, request: web.Request) -> web.Response:
        """Give what waits, by queue and by target."""
        status = await self._statistics.queue_status()
        return answer_json(
            {
                "depth": status.depth,
                "oldest_age_seconds": status.oldest_age_seconds,
                "pending": status.pending,
                "processing": status.processing,
                "delayed": status.delayed,
                "dead": status.dead,
                "queued_bytes": status.queued_bytes,
                "per_target": {
                    name: {"pending": queue.pending, "processing": queue.processing}
                    for name, queue in sorted(status.per_target.items())
                },
            }
        )


def list_workers(nodes: Iterable[Node]) -> list[Node]:
    """Give the nodes that are workers."""
    return [node for node in nodes if node.report.role is Role.WORKER]


def choose_loads(nodes: Iterable[Node]) -> dict[str, SystemLoad]:
    """Give the load of each host by the freshest report from it; hosts of lost nodes alone are left out."""
    loads: dict[str, SystemLoad] = {}
    for node in sorted(nodes, key=lambda node: -node.heartbeat_age_seconds):
        if node.report.load is not None and node.state is not NodeState.LOST:
            loads[node.report.host] = node.report.load
    return loads


def represent_mean_load(loads: Iterable[SystemLoad]) -> dict[str, float | None]:
    """Give the mean load in percent; null without any."""
    known = list(loads)
    if not known:
        return {"cpu_usage": None, "memory_usage": None, "disk_usage": None}
    return {
        "cpu_usage": round(fmean(load.cpu_percent for load in known), PERCENT_DECIMALS),
        "memory_usage": round(fmean(load.memory_percent for load in known), PERCENT_DECIMALS),
        "disk_usage": round(fmean(load.disk_percent for load in known), PERCENT_DECIMALS),
    }


def represent_worker(node: Node) -> dict[str, Any]:
    """Give one worker of /workers."""
    report, details = node.report, node.report.details
    return {
        "name": report.name,
        "host": report.host,
        "state": str(node.state),
        "slots": details.get("slots"),
        "busy": details.get("busy"),
        "heartbeat_age_seconds": node.heartbeat_age_seconds,
        "browser_version": details.get("browser_version"),
        "pages_served": details.get("pages_served"),
        "rss_bytes": details.get("rss_bytes"),
        "recycled": details.get("recycled"),
        "tasks_done": details.get("tasks_done"),
        "tasks_failed": details.get("tasks_failed"),
        "address": report.address,
        "pid": report.pid,
        "version": report.version,
        "details": details,
    }
