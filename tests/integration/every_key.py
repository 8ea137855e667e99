"""A Redis in which every key that captchad ever writes is there."""

from dataclasses import replace

import pytest

from captchad.broker import redis_keys as keys
from captchad.broker.api_keys import ApiKeys
from captchad.broker.audit_log import AuditLog
from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.housekeeping import LeaderLease, note_lost_workers
from captchad.broker.key_quotas import KeyQuotas
from captchad.broker.learned_models import LearnedModels
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rate_limits import RateLimiter
from captchad.broker.rejections import Concluded, Conclusion, Rejections
from captchad.broker.target_limits import TargetLimits
from captchad.broker.target_narrowings import TargetNarrowings
from captchad.broker.target_proofs import TargetProofs
from captchad.broker.tasks import Idempotency, TaskStore
from captchad.config.settings import AuditLogSection, RedisSection
from captchad.domain.api_key import Scope
from captchad.domain.audit import Act
from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.identifier import make_task_id
from captchad.domain.label import CollectedAnswers, JudgedAnswer, Verdict
from captchad.domain.learned_model import PACKAGED
from captchad.domain.node import NodeReport, Role
from captchad.domain.page import Evidence
from captchad.domain.target import Target
from captchad.runtime.spawn import TaskSet
from tests.integration.protocol import (
    CALLBACK_URL,
    LIMITS,
    Partition,
    completed,
    deferred,
    make_callback_queue,
    retryable,
)
from tests.patience import until

HOST = "captcha.example"
LONG_SECONDS = 300
"""Leases of keys that expire: longer than a starved machine takes to look at all of them."""


async def write_unacknowledged(redis_url: str) -> None:
    """Write what a replica should acknowledge, where there is none."""
    broker = Broker(RedisSection(min_replicas_acknowledged=1), "test", url_override=redis_url)
    await broker.start()
    with pytest.raises(BrokerUnavailable, match="0 of 1 replicas"):
        await TaskStore(broker, LIMITS).cancel(make_task_id(0))
    await broker.close()


async def give_up_a_callback(partition: Partition) -> None:
    """Leave a callback that waits, and one that was given up."""
    for _ in range(2):
        await partition.store.cancel(await partition.submit(callback_url=CALLBACK_URL))
    queue = make_callback_queue(partition.broker, callback_retry_seconds=1)
    await partition.age_callbacks(2000)
    [callback] = (await queue.claim(60, 1, {})).callbacks
    assert await queue.settle(callback, "it answered 500", 1.0) == "dead"


async def fill_every_key(partition: Partition, redis_url: str) -> None:
    """Write every key."""
    broker = partition.broker
    await write_unacknowledged(redis_url)
    await partition.submit(idempotency=Idempotency("a" * 64, "b" * 64))
    await partition.submit(retry_count=0)
    await partition.submit(picture=b"\x89PNG")
    await partition.submit()
    worker = partition.make_consumer()
    first, second, third = await worker.take(3)
    await give_up_a_callback(partition)
    answers = CollectedAnswers(HOST, (JudgedAnswer("abcd", Verdict.RIGHT, b"picture"),))
    with_evidence = replace(completed(first), evidence=Evidence(b"picture", b"screenshot"), answers=answers)
    await worker.settle([with_evidence, retryable(second), retryable(third)])
    [fourth] = await worker.take(3)
    limits, target = TargetLimits(broker, "w.1", LONG_SECONDS), Target(HOST, max_concurrent=1)
    assert await limits.begin(first, target) is None
    assert await limits.begin(fourth, target) is not None
    await limits.close(target.host, 60)
    strict, rejections = replace(target, max_rejections_per_hour=1), Rejections(broker)
    assert await rejections.reserve(first, strict, 60) == "reserved"
    assert await rejections.conclude(Concluded(first, strict, Conclusion.REJECTED))
    await LearnedModels(broker).install(target.host, b"model", PACKAGED)
    proofs = TargetProofs(broker)
    await proofs.write(HOST, (await proofs.read([HOST])).begin_record(), is_news=True)
    await TargetNarrowings(broker).pause(HOST)
    await worker.settle([deferred(fourth)])
    await RateLimiter(broker).take("caller", 1, 1, 5)
    _, key = await ApiKeys(broker).create("robot", frozenset({Scope.READ}), ())
    await AuditLog(broker, AuditLogSection()).append([Act("test").encode()])
    await KeyQuotas(broker).take(key.key_id, 1, 5)
    await NodeRegistry(broker).write(NodeReport("w", "1", Role.WORKER, "host", 1, "127.0.0.1:1", "0", False))
    await LeaderLease(broker, "s.1", LONG_SECONDS).hold()
    await note_lost_workers(broker, ["w.1"])
    watch = CaptchaWatch(broker)
    await watch.add([CaptchaObservation(HOST, 160, 60, 0.9, "model")])
    changed = {HOST: CaptchaState(changes=1)}
    await watch.fold("s.1", await watch.read_observed(), changed, set(changed))
    feed = EventFeed(broker, partition.store)
    work = TaskSet("test")
    work.spawn(feed.run(), "feed")
    await until(lambda: broker.client.exists(keys.EPOCH))
    await work.cancel_all()
    await broker.client.set(keys.RESTORING, 1)
    await broker.client.set(keys.RESTORE_LOCK, 1, px=60_000)
