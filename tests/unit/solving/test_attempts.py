"""An attempt's slot is free again however the attempt ends."""

import pytest

from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.solving.attempts import Abandonment, Attempts


async def never_solve(delivery: Delivery) -> Settlement:
    raise AssertionError(delivery)


@pytest.mark.parametrize(
    ("abandonment", "settled"),
    [(Abandonment.TAKEN_AWAY, []), (Abandonment.HANDED_BACK, [AttemptOutcome.HANDED_BACK])],
)
async def test_one_that_is_abandoned_before_its_first_step_frees_its_slot(
    abandonment: Abandonment, settled: list[AttemptOutcome]
) -> None:
    settlements: list[Settlement] = []
    attempts = Attempts(1, never_solve, settlements.append, Clock())
    delivery = Delivery("id", 0, "token", 1, TaskRequest("localhost"), queued_ms=0.0, remaining_seconds=60.0)
    assert await attempts.reserve_free() == 1
    attempts.begin(delivery, 0.0)
    attempts.abandon("id", abandonment)
    await attempts.wait_all()
    assert await attempts.reserve_free() == 1
    assert [settlement.outcome for settlement in settlements] == settled
    for settlement in settlements:
        attempts.forget(settlement.delivery)
    assert attempts.unsettled == ()
