"""From a view of the fleet to the JSON the page draws.

What a caller may have meant to keep (URLs with their query, metadata, pictures) is left out.
"""

from typing import Any

from captchad.broker.captcha_watch import WatchedCaptcha
from captchad.broker.statistics import QueueStatus, RecentHour, Totals
from captchad.domain.node import Node, Role
from captchad.domain.role_figures import SchedulerFigures
from captchad.domain.task import TaskRecord
from captchad.monitoring.fleet import FleetSnapshot
from captchad.monitoring.fleet_monitor import FleetView
from captchad.web.worker_figures import represent_worker_figures

TEXT_LIMIT = 200


def represent_view(view: FleetView, age_seconds: float, withheld_tasks: int = 0) -> dict[str, Any]:
    """Return everything the page shows; `fleet` is null until Redis has answered once.

    `withheld_tasks` counts those of the newest tasks that the caller may not see; they are no longer in the view.
    """
    return {
        "number": view.number,
        "age_seconds": round(age_seconds, 1),
        "broker": {"is_up": not view.broker_failure, "failure": view.broker_failure},
        "alerts": [
            {"name": alert.name, "severity": alert.severity, "summary": alert.summary, "advice": alert.advice}
            for alert in view.alerts
        ],
        "fleet": represent_fleet(view.snapshot) if view.snapshot is not None else None,
        "withheld_tasks": withheld_tasks,
    }


def represent_fleet(snapshot: FleetSnapshot) -> dict[str, Any]:
    """Return what the snapshot holds; `tasks` is null where they were not read."""
    return {
        "roles": [_represent_node(node) for node in snapshot.nodes],
        "workers": [_represent_worker(node) for node in snapshot.nodes if node.report.role is Role.WORKER],
        "hosts": [
            {
                "host": host.host,
                "cpu_percent": host.load.cpu_percent,
                "memory_percent": host.load.memory_percent,
                "disk_percent": host.load.disk_percent,
                "roles": list(host.roles),
            }
            for host in snapshot.hosts
        ],
        "queue": _represent_queue(snapshot.queue),
        "totals": _represent_totals(snapshot.totals),
        "hour": _represent_hour(snapshot.recent_hour),
        "captchas": [_represent_captcha(host, captcha) for host, captcha in snapshot.captchas.items()],
        "tasks": None if snapshot.tasks is None else [_represent_task(task) for task in snapshot.tasks],
    }


def _represent_node(node: Node) -> dict[str, Any]:
    report, figures = node.report, node.report.figures
    return {
        "consumer": report.consumer,
        "role": report.role,
        "name": report.name,
        "state": node.state,
        "host": report.host,
        "address": report.address,
        "version": report.version,
        "pid": report.pid,
        "heartbeat_age_seconds": node.heartbeat_age_seconds,
        "is_active": figures.is_active if isinstance(figures, SchedulerFigures) else None,
    }


def _represent_worker(node: Node) -> dict[str, Any]:
    return {**_represent_node(node), **represent_worker_figures(node.report.worker)}


def _represent_queue(queue: QueueStatus) -> dict[str, Any]:
    return {
        "queues": [
            {"name": name, "depth": depth, "oldest_age_seconds": queue.oldest_age_seconds[name]}
            for name, depth in queue.depth.items()
        ],
        "targets": [
            {
                "target": target,
                "pending": figures.pending,
                "processing": figures.processing,
                "deferred": figures.deferred,
            }
            for target, figures in sorted(queue.per_target.items())
            if figures.pending or figures.processing
        ],
        "pending": queue.pending,
        "processing": queue.processing,
        "delayed": queue.delayed,
        "dead": queue.dead,
        "queued_bytes": queue.queued_bytes,
    }


def _represent_totals(totals: Totals) -> dict[str, int]:
    return {
        "submitted": totals.submitted,
        "completed": totals.completed,
        "failed": totals.failed,
        "cancelled": totals.cancelled,
        "retried": totals.retried,
        "workers_lost": totals.workers_lost,
        "dead_lettered": totals.dead_lettered,
    }


def _represent_hour(hour: RecentHour) -> dict[str, Any]:
    return {
        "completed": hour.completed,
        "failed": hour.failed,
        "mean_seconds": hour.mean_processing_seconds,
        "minutes": [
            {
                "minute_ms": minute.minute_ms,
                "completed": minute.completed,
                "failed": minute.failed,
                "mean_seconds": minute.mean_seconds,
            }
            for minute in hour.per_minute
        ],
    }


def _represent_captcha(host: str, captcha: WatchedCaptcha) -> dict[str, Any]:
    return {
        "target": host,
        "visits": captcha.visits,
        "is_learning": captcha.is_learning,
        "changes": captcha.changes,
        "changed_seconds": captcha.changed_seconds,
        "signals": list(captcha.signals),
    }


def _represent_task(record: TaskRecord) -> dict[str, Any]:
    result, error = record.result, record.error
    return {
        "task_id": record.task_id,
        "status": record.status,
        "target": record.request.target,
        "priority": record.request.priority,
        "attempts": record.attempts,
        "worker": record.worker,
        "created_ms": record.created_ms,
        "completed_ms": record.completed_ms,
        "text": result.captcha_text[:TEXT_LIMIT] if result else None,
        "confidence": result.confidence if result else None,
        "verified": result.verified if result else None,
        "milliseconds": result.timings_ms.get("total") if result else None,
        "error_code": error.code if error and result is None else None,
        "error_message": error.message[:TEXT_LIMIT] if error and result is None else None,
    }
