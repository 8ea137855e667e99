"""What tests of the protocol do: submit, take, settle, lose workers."""

from dataclasses import dataclass

from captchad.broker.callbacks import CallbackQueue
from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Deferral, Delivery, LimitReason, Settlement
from captchad.broker.dead_letter_limits import DeadLetterLimits
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.rejections import Concluded, Conclusion, Rejections
from captchad.broker.tasks import Idempotency, NewTask, QueueLimits, TaskStore
from captchad.config.settings import SchedulerSection
from captchad.domain.errors import TaskErrorCode
from captchad.domain.identifier import make_task_id
from captchad.domain.recognition import CaptchaKind
from captchad.domain.target import Target
from captchad.domain.task import Priority, TaskError, TaskRequest, TaskResult

TARGET = "captcha.example"
LIMITS = QueueLimits(tasks=100, bytes=1_000_000, callbacks=20, callback_bytes=100_000)
CALLBACK_URL = "https://hooks.example/done"
DEAD_LETTER_LIMITS = DeadLetterLimits(letters=100, bytes=1_000_000)
NAVIGATION_FAILED = TaskError(TaskErrorCode.NAVIGATION_FAILED, "the site did not answer", is_retryable=True)
NOT_ALLOWED = TaskError(TaskErrorCode.TARGET_NOT_ALLOWED, "out of scope", is_retryable=False)


def make_result(text: str = "abcd") -> TaskResult:
    return TaskResult(captcha_text=text, confidence=0.5, kind=CaptchaKind.TEXT, recogniser="test")


def completed(delivery: Delivery, text: str = "abcd") -> Settlement:
    return Settlement(delivery, AttemptOutcome.COMPLETED, result=make_result(text))


def retryable(delivery: Delivery) -> Settlement:
    return Settlement(delivery, AttemptOutcome.RETRYABLE, error=NAVIGATION_FAILED)


def failed_for_good(delivery: Delivery) -> Settlement:
    return Settlement(delivery, AttemptOutcome.FAILED, error=NOT_ALLOWED)


def deferred(
    delivery: Delivery, delay_ms: int = 30_000, pace_ms: int = 1_000, reason: LimitReason = "rate"
) -> Settlement:
    return Settlement(delivery, AttemptOutcome.DEFERRED, deferral=Deferral(delay_ms, pace_ms, reason))


def handed_back(delivery: Delivery) -> Settlement:
    return Settlement(delivery, AttemptOutcome.HANDED_BACK)


async def close_fill(broker: Broker, host: str) -> None:
    """Have a target reject so much that no form is filled there."""
    delivery = Delivery("task_rejected", 0, "token", 1, TaskRequest(host), queued_ms=0.0, remaining_seconds=60.0)
    concluded = Concluded(delivery, Target(host, max_rejections_per_hour=1), Conclusion.REJECTED)
    assert await Rejections(broker).conclude(concluded)


def make_callback_queue(broker: Broker, **settings: float) -> CallbackQueue:
    return CallbackQueue(broker, broker.partitions[0], SchedulerSection.model_validate(settings))


@dataclass
class Partition:
    """Partition 0 of a test's Redis."""

    broker: Broker
    store: TaskStore
    housekeeping: Housekeeping

    def make_consumer(
        self, name: str = "worker", incarnation: str = "1", dead_letter_limits: DeadLetterLimits = DEAD_LETTER_LIMITS
    ) -> Consumer:
        return Consumer(self.broker, self.broker.partitions[0], name, f"{name}.{incarnation}", dead_letter_limits)

    async def submit(
        self,
        *,
        retry_count: int = 3,
        priority: Priority = Priority.NORMAL,
        deadline_seconds: float = 3600.0,
        picture: bytes | None = None,
        idempotency: Idempotency | None = None,
        target: str = TARGET,
        callback_url: str | None = None,
    ) -> str:
        request = TaskRequest(
            target=target,
            url=None if picture else f"http://{target}/",
            picture=picture,
            retry_count=retry_count,
            priority=priority,
            task_deadline_seconds=deadline_seconds,
            callback_url=callback_url,
        )
        return (await self.store.submit([NewTask(make_task_id(0), request, idempotency)]))[0]

    async def lose_workers(self, away_until_ms: int = 0) -> None:
        """Reclaim everything that is owned, as if its lease had run out."""
        await self.housekeeping.reclaim_stalled(lease_seconds=0, away_until_ms=away_until_ms)

    async def count_entries(self) -> int:
        """Return how many entries all streams hold."""
        return sum([await self.broker.client.xlen(stream) for stream in self.broker.partitions[0].streams])

    async def read_time_ms(self) -> float:
        """Return Redis' own time."""
        seconds, microseconds = await self.broker.client.time()
        return float(seconds * 1000 + microseconds / 1000)

    async def make_callbacks_due(self) -> None:
        """Let every callback be due now, also those of tasks that still run."""
        prefix = self.broker.partitions[0].prefix
        for key in await self.broker.client.keys(f"{prefix}:callbacks_due:*"):
            for member in await self.broker.client.zrange(key, 0, -1):
                await self.broker.client.zadd(key, {member: 0})

    async def age_callbacks(self, milliseconds: int) -> None:
        """Let every callback have waited longer."""
        for key in await self.broker.client.keys(f"{self.broker.partitions[0].prefix}:callbacks:*"):
            await self.broker.client.hincrby(key, "since_ms", -milliseconds)

    async def make_delayed_due(self) -> None:
        """Let every delayed task and every deferred queue be due now."""
        keys = self.broker.partitions[0]
        for key in (keys.delayed, f"{keys.prefix}:deferred"):
            for member in await self.broker.client.zrange(key, 0, -1):
                await self.broker.client.zadd(key, {member: 0})
