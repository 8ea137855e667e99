"""What visits showed reaches Redis also after it was away, and when the worker ends."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.config.settings import RedisSection
from captchad.domain.captcha_drift import CaptchaObservation
from captchad.domain.task import TaskRequest
from captchad.runtime.spawn import TaskSet
from captchad.solving.captcha_notes import WAITING_LIMIT, CaptchaNotes
from tests.patience import until
from tests.redis_server import RedisServer

SEEN = CaptchaObservation("localhost", 160, 60, 0.9, "model")
DELIVERY = Delivery("id", 0, "token", 1, TaskRequest("localhost"), queued_ms=0.0, remaining_seconds=60.0)


def settle(seen: CaptchaObservation | None) -> Settlement:
    return Settlement(DELIVERY, AttemptOutcome.COMPLETED, observation=seen)


@pytest.fixture
async def watch(own_redis: RedisServer) -> AsyncIterator[CaptchaWatch]:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    yield CaptchaWatch(broker)
    await broker.close()


async def test_observations_are_written_as_they_come_and_at_the_end(watch: CaptchaWatch) -> None:
    notes, work = CaptchaNotes(watch), TaskSet("test")
    work.spawn(notes.run(), "notes")
    notes.note(settle(None))
    notes.note(settle(SEEN))

    async def is_written() -> bool:
        return (await watch.read_observed()).observations == (SEEN,)

    await until(is_written)
    await work.cancel_all()
    notes.note(settle(replace(SEEN, verified=True)))
    await notes.drain()
    assert (await watch.read_observed()).observations == (SEEN, replace(SEEN, verified=True))


async def test_after_redis_was_away_observations_are_written_again(watch: CaptchaWatch, own_redis: RedisServer) -> None:
    notes, work = CaptchaNotes(watch), TaskSet("test")
    own_redis.kill()
    work.spawn(notes.run(), "notes")
    for width in range(1, 2 * WAITING_LIMIT):
        notes.note(settle(replace(SEEN, width=width)))
    own_redis.start()
    await watch.broker.wait_until_back()

    async def is_written() -> bool:
        notes.note(settle(SEEN))
        return SEEN in (await watch.read_observed()).observations

    await until(is_written)
    await work.cancel_all()
