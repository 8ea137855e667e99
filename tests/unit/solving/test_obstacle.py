"""An attempt at a task whose session can't be opened here."""

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.broker.target_limits import TargetLimits
from captchad.config.settings import RedisSection
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.proof import NOTHING_KNOWN
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.solving.target_gate import TargetGate
from captchad.telemetry.metrics import Metrics


async def refuse(delivery: Delivery, _: Target) -> Settlement:
    raise AssertionError(delivery)


async def test_an_obstacle_fails_the_attempt_before_any_visit_and_another_worker_may_try() -> None:
    obstacle = AttemptFailed(TaskErrorCode.UNREADABLE_RECORD, "security.session_key is another one here")
    request = TaskRequest("localhost", url="http://localhost/", return_session=True)
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=60.0, obstacle=obstacle)
    # Not connected: whoever asks the target's limits hands the task back.
    limits = TargetLimits(Broker(RedisSection(), "away"), "worker.1", 5.0)
    gate = TargetGate(
        limits, refuse, lambda: [Target("localhost")], lambda: NOTHING_KNOWN, Metrics("worker", "test", "0"), Clock()
    )
    settlement = await gate.solve(delivery)
    assert settlement.outcome is AttemptOutcome.RETRYABLE
    assert settlement.error is not None
    assert (settlement.error.code, settlement.error.message) == (obstacle.task_error_code, obstacle.message)
