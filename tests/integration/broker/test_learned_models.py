"""Learned models in Redis: the present and the former one of a target, and what becomes of those before."""

import asyncio

import pytest

from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.learned_models import EXPIRY_MS, LearnedModels
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.tasks import TaskStore
from captchad.domain.learned_model import MODEL_LIMIT_BYTES, PACKAGED, find_digest
from captchad.runtime.spawn import TaskSet
from tests.integration.protocol import LIMITS
from tests.patience import until_true

HOST = "*.example.com"
FIRST, SECOND, THIRD = b"first", b"second", b"third"


async def install(models: LearnedModels, *files: bytes) -> None:
    present = PACKAGED
    for file in files:
        digest = await models.install(HOST, file, present)
        assert digest == find_digest(file)
        present = digest


async def test_the_present_and_the_former_model_stay_and_older_ones_expire(broker: Broker) -> None:
    models = LearnedModels(broker)
    assert await models.read([HOST]) == {}
    await install(models, FIRST, SECOND, THIRD)
    assert set(await models.read([HOST, "other"])) == {HOST}
    choice = (await models.read([HOST]))[HOST]
    assert (choice.present, choice.former) == (find_digest(THIRD), find_digest(SECOND))
    assert choice.installed_at.endswith("Z")
    lives = [await broker.client.pttl(TargetKeys(HOST).models + find_digest(one)) for one in (FIRST, SECOND, THIRD)]
    assert 0 < lives[0] <= EXPIRY_MS
    assert lives[1:] == [-1, -1]
    assert await models.fetch(HOST, find_digest(THIRD)) == THIRD
    assert await models.fetch(HOST, find_digest(b"unknown")) is None


async def test_a_model_that_comes_back_no_longer_expires(broker: Broker) -> None:
    models = LearnedModels(broker)
    await install(models, FIRST, SECOND, THIRD, FIRST)
    assert await broker.client.pttl(TargetKeys(HOST).models + find_digest(FIRST)) == -1


async def test_whoever_was_overtaken_installs_nothing(broker: Broker) -> None:
    models = LearnedModels(broker)
    await install(models, FIRST)
    assert await models.install(HOST, SECOND, PACKAGED) is None
    assert (await models.read([HOST]))[HOST].present == find_digest(FIRST)
    assert await models.fetch(HOST, find_digest(SECOND)) is None


async def test_a_rollback_puts_the_former_back_and_a_second_one_undoes_it(broker: Broker) -> None:
    models = LearnedModels(broker)
    assert await models.roll_back(HOST) is None
    await install(models, FIRST)
    back = await models.roll_back(HOST)
    assert back is not None
    assert (back.present, back.former) == (PACKAGED, find_digest(FIRST))
    again = await models.roll_back(HOST)
    assert again is not None
    assert (again.present, again.former) == (find_digest(FIRST), PACKAGED)


async def test_too_large_a_model_is_not_handed_on(broker: Broker) -> None:
    with pytest.raises(ValueError, match="larger than"):
        await LearnedModels(broker).install(HOST, bytes(MODEL_LIMIT_BYTES + 1), PACKAGED)


async def test_each_change_is_an_event_of_the_target(broker: Broker) -> None:
    models, feed, work = LearnedModels(broker), EventFeed(broker, TaskStore(broker, LIMITS)), TaskSet("test")
    work.spawn(feed.run(), "feed")
    await until_true(lambda: feed.health().is_ready)
    async with feed.subscription() as events:
        await install(models, FIRST)
        await models.roll_back(HOST)
        async with asyncio.timeout(10):
            changes = [await anext(events), await anext(events)]
    await work.cancel_all()
    assert [event.kind for event in changes] == ["target", "target"]
    assert [(event.payload["change"], event.payload["model"]) for event in changes] == [
        ("model_installed", find_digest(FIRST)),
        ("model_rolled_back", PACKAGED),
    ]
    assert {event.payload["target"] for event in changes} == {HOST}
