"""What a worker counts of its settlements, also of those whose first answer was lost."""

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.config.settings import RedisSection
from captchad.domain.errors import TaskErrorCode
from captchad.domain.task import TaskError, TaskRequest
from captchad.runtime.spawn import TaskSet
from captchad.solving.settlement import Settler
from captchad.telemetry.metrics import Metrics

REQUEST = TaskRequest("localhost", url="http://localhost/", retry_count=1)
ERROR = TaskError(TaskErrorCode.NAVIGATION_FAILED, "the site did not answer", is_retryable=True)


class AnsweringConsumer:
    """Answers every settlement as the test says."""

    partition = 0

    def __init__(self, answer: str) -> None:
        self.answer = answer

    async def settle(self, settlements: list[Settlement]) -> list[str]:
        return [self.answer] * len(settlements)


@pytest.mark.parametrize(
    ("outcome", "attempt", "answer", "counted", "figures"),
    [
        (AttemptOutcome.COMPLETED, 1, "completed", "completed", (1, 0)),
        (AttemptOutcome.COMPLETED, 1, "failed", "failed", (0, 1)),
        (AttemptOutcome.COMPLETED, 1, "duplicate", "completed", (1, 0)),
        (AttemptOutcome.COMPLETED, 1, "refused", "refused", (0, 0)),
        (AttemptOutcome.FAILED, 1, "failed", "failed", (0, 1)),
        (AttemptOutcome.FAILED, 1, "duplicate", "failed", (0, 1)),
        (AttemptOutcome.EXHAUSTED, 1, "duplicate", "failed", (0, 1)),
        (AttemptOutcome.RETRYABLE, 1, "pending", "retried", (0, 0)),
        (AttemptOutcome.RETRYABLE, 1, "duplicate", "retried", (0, 0)),
        (AttemptOutcome.RETRYABLE, 2, "duplicate", "failed", (0, 1)),
        (AttemptOutcome.HANDED_BACK, 1, "pending", "handed_back", (0, 0)),
        (AttemptOutcome.HANDED_BACK, 1, "duplicate", "handed_back", (0, 0)),
    ],
)
async def test_a_settlement_counts_as_what_it_was(
    outcome: AttemptOutcome, attempt: int, answer: str, counted: str, figures: tuple[int, int]
) -> None:
    metrics = Metrics("worker", "test", "0")
    consumer = AnsweringConsumer(answer)
    settler = Settler(Broker(RedisSection(), "away"), [consumer], metrics)  # type: ignore[list-item]
    delivery = Delivery("id", 0, "token", attempt, REQUEST, queued_ms=0.0, remaining_seconds=60.0)
    error = None if outcome in (AttemptOutcome.COMPLETED, AttemptOutcome.HANDED_BACK) else ERROR
    work = TaskSet("test")
    work.spawn(settler.run(), "settle")
    settler.put(Settlement(delivery, outcome, error=error))
    await settler.wait_empty()
    await work.cancel_all()
    rendered = metrics.render()[0].decode().splitlines()
    assert [line for line in rendered if line.startswith("captchad_attempts_total{")] == [
        f'captchad_attempts_total{{outcome="{counted}"}} 1'
    ]
    assert (settler.tasks_done, settler.tasks_failed) == figures


@pytest.mark.parametrize(
    ("answer", "is_told"), [("completed", True), ("pending", True), ("refused", False), ("duplicate", False)]
)
async def test_what_came_too_late_or_twice_is_told_to_nobody(answer: str, is_told: bool) -> None:
    consumer = AnsweringConsumer(answer)
    settler = Settler(Broker(RedisSection(), "away"), [consumer], Metrics("worker", "test", "0"))  # type: ignore[list-item]
    told: list[Settlement] = []
    settler.on_written(told.append)
    delivery = Delivery("id", 0, "token", 1, REQUEST, queued_ms=0.0, remaining_seconds=60.0)
    settlement = Settlement(delivery, AttemptOutcome.COMPLETED)
    work = TaskSet("test")
    work.spawn(settler.run(), "settle")
    settler.put(settlement)
    await settler.wait_empty()
    await work.cancel_all()
    assert told == ([settlement] if is_told else [])
