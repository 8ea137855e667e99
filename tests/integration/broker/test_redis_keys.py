"""Every key that Redis ever holds is listed in broker/redis_keys.py, with its type."""

import re
from dataclasses import replace

import pytest

from captchad.broker import redis_keys as keys
from captchad.broker.api_keys import ApiKeys
from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.housekeeping import LeaderLease, note_lost_workers
from captchad.broker.learned_models import LearnedModels
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rate_limits import RateLimiter
from captchad.broker.target_limits import TargetLimits
from captchad.broker.tasks import Idempotency, TaskStore
from captchad.config.settings import RedisSection
from captchad.domain.api_key import Scope
from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.identifier import make_task_id
from captchad.domain.label import CollectedAnswers, JudgedAnswer, Verdict
from captchad.domain.learned_model import PACKAGED
from captchad.domain.node import NodeReport, Role
from captchad.domain.page import Evidence
from captchad.domain.target import Target
from captchad.runtime.spawn import TaskSet
from tests.integration.protocol import LIMITS, Partition, completed, deferred, retryable
from tests.patience import until

ENTRY = re.compile(r"^    (PREFIX|captchad):(\S+)\s+(stream|hash|zset|set|string|channel)\s", re.MULTILINE)


def read_listed() -> dict[str, str]:
    """Return each listed key as a regular expression, and its type."""
    listed = {}
    for start, rest, kind in ENTRY.findall(keys.__doc__ or ""):
        text = re.escape("captchad:{pNN}:" + rest if start == "PREFIX" else f"captchad:{rest}")
        text = text.replace(r"\{pNN\}", r"\{p[0-9a-f]{2}\}")
        text = re.sub(r"recovered\\\|high\\\|normal\\\|low", "(recovered|high|normal|low)", text)
        listed[re.sub(r"[A-Z]{2,}", "[^:]+", text)] = kind
    return listed


async def write_unacknowledged(redis_url: str) -> None:
    """Write what a replica should acknowledge, where there is none."""
    broker = Broker(RedisSection(min_replicas_acknowledged=1), "test", url_override=redis_url)
    await broker.start()
    with pytest.raises(BrokerUnavailable, match="0 of 1 replicas"):
        await TaskStore(broker, LIMITS).cancel(make_task_id(0))
    await broker.close()


async def test_every_key_in_use_is_listed_with_its_type_and_life(partition: Partition, redis_url: str) -> None:
    broker = partition.broker
    await write_unacknowledged(redis_url)
    await partition.submit(idempotency=Idempotency("a" * 64, "b" * 64))
    await partition.submit(retry_count=0)
    await partition.submit(picture=b"\x89PNG")
    await partition.submit()
    worker = partition.make_consumer()
    first, second, third = await worker.take(3)
    answers = CollectedAnswers("captcha.example", (JudgedAnswer("abcd", Verdict.RIGHT, b"picture"),))
    with_evidence = replace(completed(first), evidence=Evidence(b"picture", b"screenshot"), answers=answers)
    await worker.settle([with_evidence, retryable(second), retryable(third)])
    [fourth] = await worker.take(3)
    limits, target = TargetLimits(broker, "w.1", 5), Target("captcha.example", max_concurrent=1)
    assert await limits.begin(first, target) is None
    assert await limits.begin(fourth, target) is not None
    await limits.close(target.host, 60)
    await LearnedModels(broker).install(target.host, b"model", PACKAGED)
    await worker.settle([deferred(fourth)])
    await RateLimiter(broker).take("caller", 1, 60, 5)
    await ApiKeys(broker).create("robot", frozenset({Scope.READ}), ())
    await NodeRegistry(broker).write(NodeReport("w", "1", Role.WORKER, "host", 1, "127.0.0.1:1", "0", False))
    await LeaderLease(broker, "s.1", 3).hold()
    await note_lost_workers(broker, ["w.1"])
    watch = CaptchaWatch(broker)
    await watch.add([CaptchaObservation("captcha.example", 160, 60, 0.9, "model")])
    changed = {"captcha.example": CaptchaState(changes=1)}
    await watch.fold("s.1", await watch.read_observed(), changed, set(changed))
    feed = EventFeed(broker, partition.store)
    work = TaskSet("test")
    work.spawn(feed.run(), "feed")
    await until(lambda: broker.client.exists(keys.EPOCH))
    await work.cancel_all()
    listed = read_listed()
    met = set()
    for key in await broker.client.keys("*"):
        matching = [pattern for pattern in listed if re.fullmatch(pattern, key.decode())]
        assert matching, f"{key.decode()} is not listed in broker/redis_keys.py"
        assert (await broker.client.type(key)).decode() == listed[matching[0]]
        met |= set(matching)
    channels = {pattern for pattern, kind in listed.items() if kind == "channel"}
    assert set(listed) - channels == met
