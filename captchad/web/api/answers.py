"""Models of the answers about tasks, for the OpenAPI document; the tests hold every real answer against them."""

from typing import Any, Literal

from pydantic import Field

from captchad.domain.errors import TaskErrorCode
from captchad.web.answers import Answer, TaskId, Time
from captchad.web.api.session_answers import SessionAnswer

Status = Literal["pending", "processing", "completed", "failed", "cancelled"]


class LeftOutAnswer(Answer):
    """What of `session.storage_state` the page is not given."""

    cookies: list[str] = Field(description="hosts whose cookies were left out")
    origins: list[str] = Field(description="origins whose storage was left out")


class SubmittedTask(Answer):
    """A stored task."""

    task_id: TaskId = Field(description="names the task in every other call")
    status: Status = Field(description="`pending`; of a repeated submit, what has become of the task since")
    estimated_wait_time: int = Field(description="whole seconds until the task probably has ended")
    session_left_out: LeftOutAnswer | None = Field(
        default=None, description="what of `session.storage_state` belongs to other sites; absent where nothing does"
    )


class SubmittedBatch(Answer):
    """The stored tasks."""

    tasks: list[SubmittedTask] = Field(description="in the order of the request")


class CharacterAnswer(Answer):
    """One character of the text."""

    text: str = Field(description="the character")
    confidence: float = Field(description="the probability that it is right, 0 to 1")


class EvidenceAnswer(Answer):
    """Where the kept pictures are, and how they were judged."""

    image_url: str | None = Field(description="path of the captcha's picture at this gateway; null where there is none")
    screenshot_url: str | None = Field(
        description="path of the page's screenshot at this gateway; null where there is none"
    )
    choice: str = Field(description="why this element was taken for the captcha")
    judgement: float | None = Field(
        description="the probability that the site accepted the answer, 0 to 1; null where that was not judged"
    )


class ResultAnswer(Answer):
    """What was read."""

    success: bool = Field(description="always true: what has no answer has an `error` instead")
    captcha_text: str = Field(description="the text, or the result of arithmetic")
    confidence: float = Field(description="the probability that all of it is right, 0 to 1")
    characters: list[CharacterAnswer] = Field(description="each character by itself; empty where none was told apart")
    verified: bool | None = Field(
        description="whether the site took the answer as right; null where it was not asked, or did not show it"
    )
    kind: Literal["text", "math", "page_text"] = Field(
        description="what the captcha was: characters, arithmetic, or text of the page itself"
    )
    recogniser: str = Field(description="the engine that read it; `page` for text of the page")
    timings_ms: dict[str, float] = Field(
        description="milliseconds by stage: queue, open, locate, capture, recognise, verify and total, those that were"
    )
    expression: str | None = Field(default=None, description="the arithmetic as it is drawn; absent for other kinds")
    left_scope_to: str | None = Field(
        default=None, description="the origin out of scope that the answer led to, and was stopped at; usually absent"
    )
    session: SessionAnswer | None = Field(
        default=None, description="what the page left in its browser; absent without `return_session`"
    )
    evidence: EvidenceAnswer | None = Field(
        default=None, description="where the pictures are; absent where none were kept"
    )


class ErrorAnswer(Answer):
    """Why the task, or its last attempt, failed."""

    code: str = Field(
        json_schema_extra={"enum": [str(code) for code in TaskErrorCode]},
        description="the kind of failure; it never changes its meaning",
    )
    message: str = Field(description="what happened, in at most 1024 bytes without control characters")
    retryable: bool = Field(description="whether another attempt might succeed")


class WaitingAnswer(Answer):
    """Why a pending task is in no queue."""

    reason: Literal["target_limit", "target_closed", "paused", "retry"] = Field(
        description="its target's limits, its target's wish to be left alone, an operator's pause of its target, or "
        "the time before its next attempt"
    )
    until: Time | None = Field(description="when it goes on at the earliest; null where nobody can tell")


class TaskAnswer(Answer):
    """A task as it is now."""

    task_id: TaskId = Field(description="names the task in every other call")
    status: Status = Field(description="what has become of it; one that waits for its next attempt is `pending`")
    result: ResultAnswer | None = Field(description="what was read; null unless the task is `completed`")
    waiting_for: WaitingAnswer | None = Field(
        default=None, description="why it is in no queue; absent where it is in one, or was taken from it"
    )
    error: ErrorAnswer | None = Field(
        default=None, description="of the last failed attempt, or of the end; absent where nothing has failed"
    )
    attempts: int = Field(description="how many attempts have begun")
    answers: int = Field(description="how many answers were sent to the site, over all attempts")
    created_at: Time = Field(description="when it was submitted")
    started_at: Time | None = Field(description="when its last attempt began; null before the first")
    completed_at: Time | None = Field(description="when it ended, however it did; null before that")
    worker: str | None = Field(description="the worker of its last attempt; null before the first")
    metadata: dict[str, Any] | None = Field(description="as it was submitted; null where there was none")
    replay_of: TaskId | None = Field(
        default=None, description="the dead letter that this task tries again; absent for others"
    )


class ReportedAnswer(Answer):
    """A report that was taken."""

    task_id: TaskId = Field(description="the task it is about")
    kept: bool = Field(description="whether the picture became a label")
    reason: Literal["not_collected", "picture_gone", "no_room"] | None = Field(
        description="why no label was made: the target's are not collected, the picture is no longer kept, or Redis "
        "has no room; null where one was"
    )


class ListedTask(TaskAnswer):
    """A task in a list."""

    target: str = Field(description="its declared host, as the configuration spells it")
    priority: Literal["high", "normal", "low"] = Field(description="as it was submitted")


class TaskList(Answer):
    """One page of tasks."""

    tasks: list[ListedTask] = Field(description="newest first")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last")
