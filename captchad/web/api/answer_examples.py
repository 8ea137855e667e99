"""Answers as they may look, in the OpenAPI document: every member of each is in one of them."""

from typing import Any

from captchad.web.answers import Answer
from captchad.web.api.answers import ReportedAnswer, SubmittedBatch, SubmittedTask, TaskAnswer, TaskList
from captchad.web.api.examples import EXAMPLE_TASK_ID
from captchad.web.api.fleet_answers import QueueAnswer, ReopenedTarget, StatsAnswer, WorkerList
from captchad.web.api.target_answers import ResumedTarget, TargetAnswer, TargetList
from captchad.web.ops.answers import HealthAnswer, ProbeAnswer

_HOST = "captcha.example.com"
_SUBMITTED = {"task_id": EXAMPLE_TASK_ID, "status": "pending", "estimated_wait_time": 5}
_LEFT_OUT = {"cookies": ["other.example.com"], "origins": ["https://other.example.com"]}
_SESSION = {
    "cookies": [
        {
            "name": "sid",
            "value": "open-sesame",
            "domain": _HOST,
            "path": "/",
            "expires": 4102444800,
            "http_only": True,
            "secure": True,
            "same_site": "Lax",
        }
    ],
    "headers": {"X-Tenant": "7"},
    "local_storage": {"theme": "dark"},
    "storage_state": {
        "cookies": [
            {
                "name": "sid",
                "value": "open-sesame",
                "domain": f".{_HOST}",
                "path": "/",
                "expires": 4102444800,
                "httpOnly": True,
                "secure": True,
                "sameSite": "Lax",
            }
        ],
        "origins": [{"origin": f"https://{_HOST}", "localStorage": [{"name": "theme", "value": "dark"}]}],
    },
}
_WAITING: dict[str, Any] = {
    "task_id": EXAMPLE_TASK_ID,
    "status": "pending",
    "result": None,
    "waiting_for": {"reason": "target_closed", "until": "2026-01-01T10:05:00.000Z"},
    "error": {"code": "http_error", "message": "the page answered 429", "retryable": True},
    "attempts": 1,
    "answers": 0,
    "created_at": "2026-01-01T10:00:00.000Z",
    "started_at": "2026-01-01T10:00:00.003Z",
    "completed_at": None,
    "worker": "worker-1",
    "metadata": None,
    "replay_of": EXAMPLE_TASK_ID,
}
_COMPLETED: dict[str, Any] = {
    "task_id": EXAMPLE_TASK_ID,
    "status": "completed",
    "result": {
        "success": True,
        "captcha_text": "8",
        "confidence": 0.93,
        "characters": [{"text": "3", "confidence": 0.99}, {"text": "+", "confidence": 0.97}],
        "verified": True,
        "kind": "math",
        "recogniser": "captchad",
        "timings_ms": {"queue": 3.1, "open": 61.0, "total": 140.2},
        "expression": "3+5",
        "left_scope_to": "https://other.example.com",
        "session": _SESSION,
        "evidence": {
            "image_url": f"/task_evidence/{EXAMPLE_TASK_ID}/image",
            "screenshot_url": f"/task_evidence/{EXAMPLE_TASK_ID}/screenshot",
            "choice": "its name and its size are those of a captcha",
            "judgement": 0.953,
        },
    },
    "attempts": 1,
    "answers": 1,
    "created_at": "2026-01-01T10:00:00.000Z",
    "started_at": "2026-01-01T10:00:00.003Z",
    "completed_at": "2026-01-01T10:00:00.143Z",
    "worker": "worker-1",
    "metadata": {"order": 4711},
}
_LOAD = {"cpu_usage": 65.4, "memory_usage": 48.2, "disk_usage": 45.1}
_STATS = {
    "active_workers": 2,
    "pending_tasks": 12,
    "processing_tasks": 4,
    "completed_tasks": 1543,
    "failed_tasks": 23,
    "cancelled_tasks": 5,
    "submitted_tasks": 1587,
    "retried_tasks": 31,
    "lost_workers": 1,
    "dead_letters": 3,
    "average_processing_time": 0.412,
    "completed_last_hour": 240,
    "failed_last_hour": 2,
    "slots": 8,
    "busy_slots": 4,
    "system_load": {**_LOAD, "hosts": {"alpha": _LOAD}},
    "hosts": {"alpha": _LOAD},
    "captchas": {
        _HOST: {
            "visits": 620,
            "is_learning": False,
            "changes": 1,
            "changed_at": "2026-01-01T09:00:00.000Z",
            "signals": ["size"],
        }
    },
    "fill_closures": {_HOST: {"closed_at": "2026-01-01T09:30:00.000Z"}},
}
_WORKER = {
    "name": "worker-1",
    "host": "alpha",
    "state": "up",
    "slots": 4,
    "busy": 1,
    "heartbeat_age_seconds": 0.8,
    "browser_version": "140.0.7339.16",
    "pages_served": 90,
    "rss_bytes": 210763776,
    "recycled": 0,
    "tasks_done": 88,
    "tasks_failed": 2,
    "address": "127.0.0.1:8001",
    "pid": 4711,
    "version": "1.0.0",
    "details": {"slots": 4, "open_pages": 1},
}
_QUEUE = {
    "depth": {"recovered": 0, "high": 0, "normal": 12, "low": 0},
    "oldest_age_seconds": {"recovered": None, "high": None, "normal": 3.2, "low": None},
    "pending": 12,
    "processing": 4,
    "delayed": 1,
    "dead": 0,
    "dead_bytes": 0,
    "queued_bytes": 4096,
    "callbacks": {"waiting": 2, "oldest_age_seconds": 0.4, "dead": 0},
    "per_target": {_HOST: {"pending": 12, "processing": 4, "deferred": 0}},
}
_REOPENED = {
    "host": _HOST,
    "was_closed": True,
    "closed_seconds": 212.4,
    "waiting_tasks": 3,
    "was_fill_closed": False,
}
_LIMITS = {"expires": "2026-12-31", "max_per_minute": 60, "max_concurrent": 4}
_TARGET = {
    "host": _HOST,
    "ports": [80, 443],
    **_LIMITS,
    "declared": _LIMITS,
    "paused_at": None,
    "standing": "proven",
    "grace_until": None,
    "waiver": None,
    "proof": {
        "way": "dns",
        "proven_at": "2026-01-01T10:00:00.000Z",
        "lapsed_at": None,
        "checked_at": "2026-01-01T10:00:00.000Z",
        "finding": "found",
    },
}
_HEALTH = {
    "status": "ok",
    "role": "gateway",
    "name": "gateway-1",
    "version": "1.0.0",
    "services": {"broker": {"ready": True, "reason": "", "details": {}}},
}

ANSWER_EXAMPLES: dict[type[Answer], dict[str, Any]] = {
    SubmittedTask: {
        "Stored": _SUBMITTED,
        "Stored, without what belongs to other sites": {**_SUBMITTED, "session_left_out": _LEFT_OUT},
    },
    SubmittedBatch: {"Stored": {"tasks": [_SUBMITTED]}},
    TaskAnswer: {"Completed": _COMPLETED, "Waiting": _WAITING},
    TaskList: {
        "The last page": {
            "tasks": [{**_WAITING, "target": _HOST, "priority": "normal"}],
            "next_cursor": None,
        }
    },
    ReportedAnswer: {
        "A label was made of it": {"task_id": EXAMPLE_TASK_ID, "kept": True, "reason": None},
        "None was": {"task_id": EXAMPLE_TASK_ID, "kept": False, "reason": "not_collected"},
    },
    StatsAnswer: {"A small fleet": _STATS},
    WorkerList: {"One worker": {"workers": [_WORKER]}},
    QueueAnswer: {"Some tasks": _QUEUE},
    ReopenedTarget: {"It was closed": _REOPENED},
    TargetAnswer: {"A target": _TARGET},
    TargetList: {"One target": {"targets": [_TARGET]}},
    ResumedTarget: {"It was paused": {"host": _HOST, "waiting_tasks": 3}},
    HealthAnswer: {"Well": _HEALTH},
    ProbeAnswer: {"Well": {"status": "ok"}},
}
"""By answer and then by summary."""
TEXT_EXAMPLES = {
    "text/event-stream": f'event: task\ndata: {{"task_id": "{EXAMPLE_TASK_ID}", "status": "completed"}}\n\n',
    "text/plain": "captchad_process_cpu_seconds_total 1.5\n",
}
"""By media type."""
