"""A task from its request to its final record: pure values, the same in every role."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Fill, KeptEvidence, SessionState, Step, list_secret_values, list_typed_values
from captchad.domain.recognition import CaptchaKind, Character, Hints


class TaskStatus(StrEnum):
    """A task's status as callers see it; a task waiting for its retry is pending."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the record never changes again."""
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED})


class Priority(StrEnum):
    """Which queue a task waits in; nine of ten tasks are taken from the highest that has any."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A request; exactly one of `url` and `picture` is set.

    `target` is the host of the declared target as the configuration spells it (`*.example.com`); `key_id` names the
    API key of the caller, None where none is required. `callback_url` is stored beside the request, and read by the
    scheduler alone.
    """

    target: str
    url: str | None = None
    picture: bytes | None = None
    timeout_seconds: float = 120.0
    retry_count: int = 3
    priority: Priority = Priority.NORMAL
    selector: str | None = None
    hints: Hints = field(default_factory=Hints)
    task_deadline_seconds: float = 3600.0
    metadata: dict[str, Any] | None = None
    key_id: str | None = None
    session: SessionState | None = None
    steps: tuple[Step, ...] = ()
    fill: Fill | None = None
    return_session: bool = False
    evidence: bool = False
    callback_url: str | None = None

    @property
    def typed_values(self) -> tuple[str, ...]:
        """What is typed or chosen on the page; it is stored sealed, as the session is."""
        return list_typed_values(self.steps, self.fill)

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What nothing that is said of the page may show."""
        return list_secret_values(self.session, self.steps, self.fill)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The answer of a completed task; `timings_ms` maps stage names to milliseconds."""

    captcha_text: str
    confidence: float
    kind: CaptchaKind
    recogniser: str
    characters: tuple[Character, ...] = ()
    verified: bool | None = None
    expression: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    session: SessionState | None = None
    left_scope_to: str | None = None


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why a task, or its last attempt, failed."""

    code: TaskErrorCode
    message: str
    is_retryable: bool


class WaitReason(StrEnum):
    """Why a pending task is in no queue."""

    TARGET_LIMIT = "target_limit"
    TARGET_CLOSED = "target_closed"
    PAUSED = "paused"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """What a pending task waits for, and until when at the earliest (ms since 1970; None where nobody can tell)."""

    reason: WaitReason
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """The stored task; times are Redis TIME in milliseconds since 1970, None while they have not come.

    The request has neither picture nor session nor typed values here: only a worker needs them. Of one that this
    release can't read it has target, priority and key alone.
    """

    task_id: str
    status: TaskStatus
    request: TaskRequest
    created_ms: int
    attempts: int = 0
    answers: int = 0
    started_ms: int | None = None
    completed_ms: int | None = None
    worker: str | None = None
    result: TaskResult | None = None
    error: TaskError | None = None
    replay_of: str | None = None
    evidence: KeptEvidence | None = None
    waiting_for: WaitingFor | None = None
