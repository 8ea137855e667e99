"""What a caller asked for, checked in shape but not yet admitted."""

from dataclasses import dataclass, field
from typing import Any

from captchad.config.settings import WorkerSection
from captchad.domain.page import Fill, SessionState, Step, StorageState
from captchad.domain.recognition import Hints
from captchad.domain.task import Priority, TaskRequest


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """A request as it came: `url`, or `picture` with the `target_host` it comes from; None where nothing was said.

    `pointer` is the JSON pointer of the task in its body.
    """

    url: str | None = None
    picture: bytes | None = None
    target_host: str | None = None
    timeout_seconds: float | None = None
    retry_count: int | None = None
    priority: Priority = Priority.NORMAL
    selector: str | None = None
    hints: Hints = field(default_factory=Hints)
    task_deadline_seconds: float | None = None
    metadata: dict[str, Any] | None = None
    session: SessionState | None = None
    storage_state: StorageState | None = None
    steps: tuple[Step, ...] = ()
    fill: Fill | None = None
    return_session: bool = False
    evidence: bool = False
    callback_url: str | None = None
    pointer: str = ""

    def complete(self, target: str, key_id: str | None, defaults: WorkerSection) -> TaskRequest:
        """Return the request that is stored, for the declared target it was admitted to and the key it came with."""
        return TaskRequest(
            target=target,
            url=self.url,
            picture=self.picture,
            timeout_seconds=defaults.task_timeout if self.timeout_seconds is None else self.timeout_seconds,
            retry_count=defaults.max_retry_attempts if self.retry_count is None else self.retry_count,
            priority=self.priority,
            selector=self.selector,
            hints=self.hints,
            task_deadline_seconds=defaults.task_deadline_seconds
            if self.task_deadline_seconds is None
            else self.task_deadline_seconds,
            metadata=self.metadata,
            key_id=key_id,
            session=self.session,
            steps=self.steps,
            fill=self.fill,
            return_session=self.return_session,
            evidence=self.evidence,
            callback_url=self.callback_url,
        )
