"""What the gateway answers, as values; `body` is the JSON it was read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from captchad.domain.errors import GatewayUnreachable
from captchad.domain.recognition import Character
from captchad.domain.task import TaskStatus

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Solution:
    """The answer of a completed task: its text, and the probability (0..1) that the text is right.

    `verified` says whether the page took it, where the task had `fill`. `session` is what the page left in its
    browser, with `return_session`.
    """

    task_id: str
    text: str
    confidence: float
    verified: bool | None = None
    kind: str = "text"
    expression: str | None = None
    recogniser: str = ""
    characters: tuple[Character, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    session: Json | None = field(default=None, repr=False)
    body: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed, or its last attempt did; `code` is one of those in docs/api.md."""

    code: str
    message: str
    is_retryable: bool


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """What a pending task waits for, and the earliest time at which it goes on, where that is known."""

    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it was when the gateway was asked; `result` is there once it is completed."""

    task_id: str
    status: TaskStatus
    result: Solution | None = None
    error: Failure | None = None
    waiting_for: WaitingFor | None = None
    attempts: int = 0
    answers: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    worker: str | None = None
    metadata: Json | None = None
    estimated_wait_seconds: float | None = None
    body: Json = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.status.is_final


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the awaited tasks have ended, and the one that did so last."""

    ended: int
    total: int
    task: Task


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a report on an answer: whether a label was made of it, and if not, why."""

    task_id: str
    is_kept: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """The fleet's totals; the mean is that of the last hour, and `body` has all figures."""

    active_workers: int
    pending_tasks: int
    completed_tasks: int
    failed_tasks: int
    average_processing_seconds: float | None
    body: Json = field(default_factory=dict, repr=False, compare=False)


def read_task(body: Json) -> Task:
    """Read what a submit, a status or a cancel answers."""
    try:
        return _read_task(body)
    except (KeyError, TypeError, ValueError) as error:
        message = (
            f"the gateway answered a task that this client can't read ({error!r}); it may be newer: upgrade captchad"
        )
        raise GatewayUnreachable(message, is_something_there=True) from None


def _read_task(body: Json) -> Task:
    task_id = str(body["task_id"])
    result, error, waiting_for = body.get("result"), body.get("error"), body.get("waiting_for")
    return Task(
        task_id=task_id,
        status=TaskStatus(body["status"]),
        result=None if result is None else _read_solution(task_id, result),
        error=None if error is None else Failure(error["code"], error["message"], bool(error.get("retryable"))),
        waiting_for=None
        if waiting_for is None
        else WaitingFor(waiting_for["reason"], _read_time(waiting_for, "until")),
        attempts=int(body.get("attempts") or 0),
        answers=int(body.get("answers") or 0),
        created_at=_read_time(body, "created_at"),
        started_at=_read_time(body, "started_at"),
        completed_at=_read_time(body, "completed_at"),
        worker=body.get("worker"),
        metadata=body.get("metadata"),
        estimated_wait_seconds=body.get("estimated_wait_time"),
        body=body,
    )


def _read_solution(task_id: str, result: Json) -> Solution:
    return Solution(
        task_id=task_id,
        text=str(result["captcha_text"]),
        confidence=float(result["confidence"]),
        verified=result.get("verified"),
        kind=str(result.get("kind") or "text"),
        expression=result.get("expression"),
        recogniser=str(result.get("recogniser") or ""),
        characters=tuple(Character(one["text"], one["confidence"]) for one in result.get("characters") or ()),
        timings_ms=result.get("timings_ms") or {},
        session=result.get("session"),
        body=result,
    )


def read_report(body: Json) -> Report:
    """Read what a report answers."""
    return Report(str(body.get("task_id")), bool(body.get("kept")), body.get("reason"))


def read_stats(body: Json) -> Stats:
    """Read the totals."""
    return Stats(
        active_workers=int(body.get("active_workers") or 0),
        pending_tasks=int(body.get("pending_tasks") or 0),
        completed_tasks=int(body.get("completed_tasks") or 0),
        failed_tasks=int(body.get("failed_tasks") or 0),
        average_processing_seconds=body.get("average_processing_time"),
        body=body,
    )


def _read_time(body: Json, name: str) -> datetime | None:
    text = body.get(name)
    return None if text is None else datetime.fromisoformat(text)
