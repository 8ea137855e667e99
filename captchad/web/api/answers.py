"""Models of the answers, for the OpenAPI document; the tests hold every real answer against them."""

from typing import Any, Literal

from pydantic import Field

from captchad.web.answers import Answer

Status = Literal["pending", "processing", "completed", "failed", "cancelled"]


class LeftOutAnswer(Answer):
    """What of `session.storage_state` the page is not given: hosts of cookies, and origins of storage."""

    cookies: list[str]
    origins: list[str]


class SubmittedTask(Answer):
    """A stored task; `estimated_wait_time` is in whole seconds."""

    task_id: str
    status: Status
    estimated_wait_time: int
    session_left_out: LeftOutAnswer | None = None


class SubmittedBatch(Answer):
    """The stored tasks, in the order of the request."""

    tasks: list[SubmittedTask]


class CharacterAnswer(Answer):
    """One character and the probability that it is right."""

    text: str
    confidence: float


class CookieAnswer(Answer):
    """One cookie of the page; `expires` in seconds since 1970, absent for a session cookie."""

    name: str
    value: str
    domain: str | None = None
    path: str
    expires: float | None = None
    http_only: bool
    secure: bool
    same_site: Literal["Strict", "Lax", "None"] | None = None


class StateCookieAnswer(Answer):
    """One cookie as Playwright takes it; `expires` is -1 for a session cookie."""

    name: str
    value: str
    domain: str
    path: str
    expires: float
    http_only: bool = Field(alias="httpOnly")
    secure: bool
    same_site: Literal["Strict", "Lax", "None"] = Field(alias="sameSite")


class StoredItemAnswer(Answer):
    """One value of a site's local storage."""

    name: str
    value: str


class OriginStateAnswer(Answer):
    """The local storage of the page's origin."""

    origin: str
    local_storage: list[StoredItemAnswer] = Field(alias="localStorage")


class StorageStateAnswer(Answer):
    """The same in Playwright's own shape, for `browser.new_context(storage_state=…)`."""

    cookies: list[StateCookieAnswer]
    origins: list[OriginStateAnswer]


class SessionAnswer(Answer):
    """What the page left in its browser, as `session` of a submit takes it."""

    cookies: list[CookieAnswer]
    headers: dict[str, str]
    local_storage: dict[str, str]
    storage_state: StorageStateAnswer | None = None


class EvidenceAnswer(Answer):
    """Where the kept pictures are, as paths of this gateway; `choice` says why this one was taken for the captcha.

    `judgement` is the probability that the site accepted the answer, null where that was not judged.
    """

    image_url: str | None
    screenshot_url: str | None
    choice: str
    judgement: float | None


class ResultAnswer(Answer):
    """What was read; `confidence` is the probability that all of it is right."""

    success: bool
    captcha_text: str
    confidence: float
    characters: list[CharacterAnswer]
    verified: bool | None
    kind: Literal["text", "math", "page_text"]
    recogniser: str
    timings_ms: dict[str, float]
    expression: str | None = None
    left_scope_to: str | None = None
    session: SessionAnswer | None = None
    evidence: EvidenceAnswer | None = None


class ErrorAnswer(Answer):
    """Why the task, or its last attempt, failed."""

    code: str
    message: str
    retryable: bool


class WaitingAnswer(Answer):
    """Why a pending task is in no queue; `until` is when it goes on at the earliest, null where nobody can tell."""

    reason: Literal["target_limit", "target_closed", "paused", "retry"]
    until: str | None


class TaskAnswer(Answer):
    """A task as it is now; `result` is null unless it is completed."""

    task_id: str
    status: Status
    result: ResultAnswer | None
    waiting_for: WaitingAnswer | None = None
    error: ErrorAnswer | None = None
    attempts: int
    answers: int
    created_at: str
    started_at: str | None
    completed_at: str | None
    worker: str | None
    metadata: dict[str, Any] | None
    replay_of: str | None = None


class ReportedAnswer(Answer):
    """A report that was taken; `reason` says why no label was made of it, where `kept` is false."""

    task_id: str
    kept: bool
    reason: Literal["not_collected", "picture_gone", "no_room"] | None


class ListedTask(TaskAnswer):
    """A task in a list."""

    target: str
    priority: Literal["high", "normal", "low"]


class TaskList(Answer):
    """One page of tasks, newest first; `next_cursor` is null on the last."""

    tasks: list[ListedTask]
    next_cursor: str | None


class LoadAnswer(Answer):
    """Load in percent."""

    cpu_usage: float
    memory_usage: float
    disk_usage: float


class SystemLoadAnswer(LoadAnswer):
    """The mean load over all hosts, and that of each."""

    hosts: dict[str, LoadAnswer]


class CaptchaAnswer(Answer):
    """What is known of a target's captcha: the visits of its baseline, and when it was last found to have changed."""

    visits: int
    is_learning: bool
    changes: int
    changed_at: str | None
    signals: list[Literal["size", "confidence", "verified"]]


class FillClosureAnswer(Answer):
    """A target where no form is filled until an operator reopens it."""

    closed_at: str


class StatsAnswer(Answer):
    """Figures of the whole fleet; times in seconds, over the last hour, 0 where nothing ended in it."""

    active_workers: int
    pending_tasks: int
    processing_tasks: int
    completed_tasks: int
    failed_tasks: int
    cancelled_tasks: int
    submitted_tasks: int
    retried_tasks: int
    lost_workers: int
    dead_letters: int
    average_processing_time: float
    completed_last_hour: int
    failed_last_hour: int
    slots: int
    busy_slots: int
    system_load: SystemLoadAnswer
    hosts: dict[str, LoadAnswer]
    captchas: dict[str, CaptchaAnswer]
    fill_closures: dict[str, FillClosureAnswer]


class WorkerAnswer(Answer):
    """One worker; figures it has not reported are null. `details` is all it reports about itself."""

    name: str
    host: str
    state: Literal["up", "draining", "lost"]
    slots: int | None
    busy: int | None
    heartbeat_age_seconds: float
    browser_version: str | None
    pages_served: int | None
    rss_bytes: int | None
    recycled: int | None
    tasks_done: int | None
    tasks_failed: int | None
    address: str
    pid: int
    version: str
    details: dict[str, Any]


class WorkerList(Answer):
    """Every worker, those not heard of for a lease as lost."""

    workers: list[WorkerAnswer]


class TargetQueueAnswer(Answer):
    """Open tasks of one target; `deferred` are those of `pending` that wait for the target's limits."""

    pending: int
    processing: int
    deferred: int


class CallbacksAnswer(Answer):
    """Callbacks of ended tasks that wait to be sent, the age of the oldest, and those kept that were given up."""

    waiting: int
    oldest_age_seconds: float | None
    dead: int


class QueueAnswer(Answer):
    """What waits; `depth` and `oldest_age_seconds` by queue, `recovered` holding tasks of lost workers."""

    depth: dict[str, int]
    oldest_age_seconds: dict[str, float | None]
    pending: int
    processing: int
    delayed: int
    dead: int
    dead_bytes: int
    queued_bytes: int
    callbacks: CallbacksAnswer
    per_target: dict[str, TargetQueueAnswer]


class ReopenedTarget(Answer):
    """A target whose pages may be opened and whose forms may be filled again.

    `closed_seconds` is how much longer its pages would have been closed.
    """

    host: str
    was_closed: bool
    closed_seconds: float
    waiting_tasks: int
    was_fill_closed: bool
