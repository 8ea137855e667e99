"""Whether an attempt's lease surely still holds is known from the clock alone."""

import asyncio

import pytest

from captchad.broker.consumer import AnswerCount, Delivery, Settlement
from captchad.broker.leases import TASK_LEASE_SECONDS
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.solving.attempts import Abandonment, Attempts
from captchad.solving.lease_keeper import LeaseKeeper
from captchad.solving.permission import LeaseLapsed, RetriesUsedUp
from captchad.telemetry.metrics import Metrics


class SetClock(Clock):
    seconds = 100.0

    def monotonic_seconds(self) -> float:
        return self.seconds


def deliver(token: str = "token") -> Delivery:
    return Delivery("id", 0, token, 1, TaskRequest("localhost"), queued_ms=0.0, remaining_seconds=60.0)


class CountingConsumer:
    """Counts answers as the test says; before it replies, so many seconds pass."""

    partition = 0

    def __init__(self, clock: SetClock, reply: AnswerCount | Exception, seconds: float = 0.0) -> None:
        self._clock = clock
        self._reply = reply
        self._seconds = seconds

    async def count_answer(self, _: Delivery) -> AnswerCount:
        self._clock.seconds += self._seconds
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply


async def begin(clock: SetClock, *consumers: CountingConsumer) -> tuple[Attempts, LeaseKeeper]:
    async def solve(_: Delivery) -> Settlement:
        await asyncio.Event().wait()
        raise AssertionError

    attempts = Attempts(1, solve, lambda _: None, clock)
    attempts.begin(deliver(), clock.seconds)
    await asyncio.sleep(0)
    keeper = LeaseKeeper(consumers, attempts, clock, Metrics("worker", "test", "0"))  # type: ignore[arg-type]
    return attempts, keeper


async def end(attempts: Attempts) -> None:
    attempts.abandon("id", Abandonment.HANDED_BACK)
    await attempts.wait_all()


async def test_a_lease_is_held_for_its_length_after_the_last_renewal() -> None:
    clock = SetClock()
    attempts, leases = await begin(clock)
    clock.seconds += TASK_LEASE_SECONDS
    assert leases.is_held(deliver())
    clock.seconds += 0.001
    assert not leases.is_held(deliver())
    await end(attempts)


async def test_a_lease_is_not_held_for_another_delivery_or_once_it_is_given_up() -> None:
    attempts, leases = await begin(SetClock())
    assert leases.is_held(deliver())
    assert not leases.is_held(deliver("another"))
    await end(attempts)
    assert not leases.is_held(deliver())


async def test_an_answer_that_was_counted_may_be_sent() -> None:
    clock = SetClock()
    attempts, leases = await begin(clock, CountingConsumer(clock, "counted"))
    await leases.permit_answer(deliver())
    with pytest.raises(LeaseLapsed):
        await leases.permit_answer(deliver("another"))
    await end(attempts)


@pytest.mark.parametrize("reply", ["lost", BrokerUnavailable("away")])
async def test_an_answer_that_can_not_be_counted_may_not_be_sent(reply: AnswerCount | Exception) -> None:
    clock = SetClock()
    attempts, leases = await begin(clock, CountingConsumer(clock, reply))
    with pytest.raises(LeaseLapsed):
        await leases.permit_answer(deliver())
    await end(attempts)


async def test_a_task_that_has_sent_all_its_answers_sends_no_other() -> None:
    clock = SetClock()
    attempts, leases = await begin(clock, CountingConsumer(clock, "used_up"))
    with pytest.raises(RetriesUsedUp, match="all 4 answers were sent"):
        await leases.permit_answer(deliver())
    await end(attempts)


async def test_an_answer_may_not_be_sent_where_counting_it_took_longer_than_the_lease() -> None:
    clock = SetClock()
    attempts, leases = await begin(clock, CountingConsumer(clock, "counted", TASK_LEASE_SECONDS + 1))
    with pytest.raises(LeaseLapsed):
        await leases.permit_answer(deliver())
    await end(attempts)
