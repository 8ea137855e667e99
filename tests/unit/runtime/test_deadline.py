"""The one moment by which an attempt must have ended."""

import asyncio

import pytest

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline


class SetClock(Clock):
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic_seconds(self) -> float:
        return self.seconds


@pytest.mark.parametrize(("limit_seconds", "search_seconds"), [(10.0, 9.5), (2.0, 1.8), (0.0, 0.0), (-1.0, 0.0)])
def test_the_search_ends_a_little_before_the_attempt(limit_seconds: float, search_seconds: float) -> None:
    assert Deadline(limit_seconds, SetClock()).search_seconds == pytest.approx(1000.0 + search_seconds)


def test_a_shorter_wait_never_goes_past_the_search() -> None:
    clock = SetClock()
    deadline = Deadline(10.0, clock)
    assert deadline.until(3.0) == 1003.0
    clock.seconds = 1008.0
    assert deadline.until(3.0) == 1009.5
    assert not deadline.is_over
    clock.seconds = 1010.0
    assert deadline.is_over


async def test_what_takes_longer_is_cancelled_and_said_to_have_timed_out() -> None:
    deadline, was_over = Deadline(0.01, Clock()), []

    async def attempt() -> None:
        async with deadline.enforce():
            try:
                await asyncio.Event().wait()
            finally:
                was_over.append(deadline.is_over)

    with pytest.raises(AttemptFailed, match=r"took longer than 0\.01 s") as failed:
        await attempt()
    assert failed.value.task_error_code is TaskErrorCode.ATTEMPT_TIMEOUT
    assert was_over == [True]


async def test_time_that_is_over_lets_nothing_begin() -> None:
    with pytest.raises(AttemptFailed):
        async with Deadline(-5.0, Clock()).enforce():
            await asyncio.Event().wait()


async def test_a_timeout_of_something_inside_is_not_the_attempts() -> None:
    with pytest.raises(TimeoutError):
        async with Deadline(60.0, Clock()).enforce():
            raise TimeoutError


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    deadline = Deadline(60.0, Clock())

    async def attempt() -> None:
        async with deadline.enforce():
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(attempt())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not deadline.is_over
