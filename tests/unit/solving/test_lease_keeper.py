"""Whether an attempt's lease surely still holds is known from the clock alone."""

import asyncio

from captchad.broker.consumer import Delivery, Settlement
from captchad.broker.leases import TASK_LEASE_SECONDS
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.solving.attempts import Abandonment, Attempts
from captchad.solving.lease_keeper import LeaseKeeper
from captchad.telemetry.metrics import Metrics


class SetClock(Clock):
    seconds = 100.0

    def monotonic_seconds(self) -> float:
        return self.seconds


def deliver(token: str = "token") -> Delivery:
    return Delivery("id", 0, token, 1, TaskRequest("localhost"), queued_ms=0.0, remaining_seconds=60.0)


async def begin(clock: SetClock) -> tuple[Attempts, LeaseKeeper]:
    async def solve(_: Delivery) -> Settlement:
        await asyncio.Event().wait()
        raise AssertionError

    attempts = Attempts(1, solve, lambda _: None, clock)
    attempts.begin(deliver(), clock.seconds)
    await asyncio.sleep(0)
    return attempts, LeaseKeeper([], attempts, clock, Metrics("worker", "test", "0"))


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
