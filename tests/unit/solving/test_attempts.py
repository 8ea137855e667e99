"""An attempt's slot is free again however the attempt ends."""

import asyncio

import pytest

from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.domain.errors import CaptchadError
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.solving.attempts import Abandonment, Attempts


def deliver(token: str = "token") -> Delivery:
    return Delivery("id", 0, token, 1, TaskRequest("localhost"), queued_ms=0.0, remaining_seconds=60.0)


async def complete(delivery: Delivery) -> Settlement:
    return Settlement(delivery, AttemptOutcome.COMPLETED)


async def wait_for_ever(delivery: Delivery) -> Settlement:
    await asyncio.Event().wait()
    raise AssertionError(delivery)


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
    delivery = deliver()
    assert await attempts.reserve_free() == 1
    attempts.begin(delivery, 0.0)
    attempts.abandon("id", abandonment)
    await attempts.wait_all()
    assert [settlement.outcome for settlement in settlements] == settled
    for settlement in settlements:
        attempts.forget(settlement.delivery)
    assert await attempts.reserve_free() == 1
    assert attempts.unsettled == ()


async def test_one_keeps_its_slot_until_its_outcome_is_written() -> None:
    settlements: list[Settlement] = []
    attempts = Attempts(2, complete, settlements.append, Clock())
    reserved = await attempts.reserve_free()
    delivery = deliver()
    attempts.begin(delivery, 0.0)
    attempts.give_back(reserved - 1)
    await attempts.wait_all()
    assert len(settlements) == 1
    assert await attempts.reserve_free() == 1
    attempts.forget(delivery)
    attempts.forget(delivery)
    assert await attempts.reserve_free() == 1


async def test_two_attempts_at_one_task_are_settled_each_for_itself() -> None:
    attempts = Attempts(2, wait_for_ever, lambda _: None, Clock())
    await attempts.reserve_free()
    first, second = deliver("first"), deliver("second")
    for delivery in (first, second):
        attempts.begin(delivery, 0.0)
    await asyncio.sleep(0)
    found = attempts.find(first)
    assert found is not None
    attempts.abandon_attempt(found, Abandonment.TAKEN_AWAY)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [attempt.delivery for attempt in attempts.unsettled] == [second]
    assert attempts.busy == 1
    attempts.abandon("id", Abandonment.TAKEN_AWAY)
    await attempts.wait_all()
    assert await attempts.reserve_free() == 2


async def test_one_that_fails_unexpectedly_frees_its_slot_and_is_renewed_no_more() -> None:
    async def fail(_: Delivery) -> Settlement:
        raise CaptchadError("not foreseen")

    attempts = Attempts(1, fail, lambda _: None, Clock())
    await attempts.reserve_free()
    attempts.begin(deliver(), 0.0)
    await attempts.wait_all()
    assert attempts.unsettled == ()
    assert await attempts.reserve_free() == 1
