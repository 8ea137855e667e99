"""Waiting for Redis: once for all, with pauses that grow as long as the trouble lasts."""

import asyncio
from collections.abc import Iterable

from captchad.broker.shared_wait import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, SharedWait
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet


class SetClock(Clock):
    """A clock that its sleepers move on."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.pauses: list[float] = []

    def monotonic_seconds(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


def make(clock: SetClock, answers: Iterable[bool]) -> SharedWait:
    coming = iter(answers)

    async def is_back() -> bool:
        clock.seconds += 0.001
        return next(coming)

    return SharedWait(is_back, clock)


async def test_pauses_double_up_to_the_longest() -> None:
    clock = SetClock()
    await make(clock, [*[False] * 8, True]).wait()
    assert clock.pauses[:3] == [FIRST_PAUSE_SECONDS, 2 * FIRST_PAUSE_SECONDS, 4 * FIRST_PAUSE_SECONDS]
    assert clock.pauses[-1] == LONGEST_PAUSE_SECONDS


async def test_a_call_that_fails_again_at_once_is_no_new_trouble() -> None:
    clock = SetClock()
    waiting = make(clock, [True] * 12)
    for _ in range(12):
        await waiting.wait()
    assert clock.pauses == sorted(clock.pauses)
    assert clock.pauses[-4:] == [LONGEST_PAUSE_SECONDS] * 4


async def test_after_a_while_without_failures_pauses_are_short_again() -> None:
    clock = SetClock()
    waiting = make(clock, [*[False] * 8, True, True])
    await waiting.wait()
    clock.seconds += LONGEST_PAUSE_SECONDS + 1
    await waiting.wait()
    assert clock.pauses[-1] == FIRST_PAUSE_SECONDS


async def test_all_who_wait_share_one_wait() -> None:
    clock, work = SetClock(), TaskSet("test")
    waiting = make(clock, [False, False, True])
    waits = [work.spawn(waiting.wait(), str(number)) for number in range(20)]
    await asyncio.gather(*waits)
    assert len(clock.pauses) == 3


async def test_a_wait_goes_on_for_the_others_when_the_one_who_began_it_is_cancelled() -> None:
    clock, work = SetClock(), TaskSet("test")
    waiting = make(clock, [*[False] * 50, True])
    first = work.spawn(waiting.wait(), "first")
    second = work.spawn(waiting.wait(), "second")
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()
    assert clock.pauses[-1] == LONGEST_PAUSE_SECONDS
