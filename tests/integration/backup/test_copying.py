"""An installation that is copied through a backup is the same one: same tasks, same states, same answers."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from captchad.broker.api_keys import FIRST_KEY, ApiKeys
from captchad.broker.audit_log import AuditLog
from captchad.broker.backup import restore_mark
from captchad.broker.backup.emptying import empty, is_empty
from captchad.broker.backup.fates import FATES, Fate
from captchad.broker.backup.restore_mark import LOCK_MS, RestoreState, find_restore_state, locked_for_restore
from captchad.broker.connection import Broker
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.idempotency_keys import choose_partition, derive_digest
from captchad.broker.redis_keys import API_KEYS, AUDIT_LOG, COUNTERS, EPOCH, RESTORE_LOCK, RESTORING, api_key
from captchad.broker.tasks import Idempotency, NewTask, TaskStore
from captchad.config.settings import AuditLogSection, SchedulerSection
from captchad.domain.api_key import Scope
from captchad.domain.audit import Act, find_faults
from captchad.domain.errors import BackupRefused
from captchad.domain.identifier import make_task_id
from captchad.domain.task import Priority, TaskRequest, TaskStatus
from captchad.runtime.spawn import TaskSet
from tests.integration.backup.copying import back_up, dump, open_broker, restore
from tests.integration.every_key import HOST, fill_every_key
from tests.integration.protocol import LIMITS, Partition, completed, deferred, failed_for_good, retryable
from tests.patience import until
from tests.redis_server import RedisServer

QUEUEING = {b"stream", b"entry", b"queued_ms", b"owner", b"token"}


@pytest.fixture
async def target(own_redis: RedisServer) -> AsyncIterator[Broker]:
    """Another Redis, empty, with the same layout."""
    broker = await open_broker(own_redis.url)
    yield broker
    await broker.close()


def open_partition(broker: Broker) -> Partition:
    housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
    return Partition(broker, TaskStore(broker, LIMITS), housekeeping)


def find_fate(key: str) -> Fate:
    for name, fate in FATES.items():
        text = re.escape(name.replace("PREFIX", "captchad:{p00}"))
        text = re.sub(r"recovered\\\|high\\\|normal\\\|low", "(recovered|high|normal|low)", text)
        if re.fullmatch(re.sub(r"[A-Z]{2,}", "[^:]+", text), key):
            return fate
    raise AssertionError(f"{key} has no fate")


def leave_out_queueing(value: Any) -> Any:
    return {name: one for name, one in value.items() if name not in QUEUEING} if isinstance(value, dict) else value


async def test_every_key_has_become_what_its_fate_says(partition: Partition, redis_url: str, target: Broker) -> None:
    await fill_every_key(partition, redis_url)
    restored = await restore(target, await back_up(partition.broker, (HOST,)))
    before, after = await dump(partition.broker), await dump(target)
    for key, (value, life) in before.items():
        if find_fate(key) in (Fate.KEPT, Fate.OPTIONAL) and not key.endswith((":labels", ":audit_log")):
            assert leave_out_queueing(after[key][0]) == leave_out_queueing(value), key
            assert abs(after[key][1] - life) <= 1, key
    for stream in ("captchad:{p00}:labels", "captchad:{fleet}:audit_log"):
        assert [one for _, one in after[stream][0]] == [one for _, one in before[stream][0]]
    left_out = {key for key in after if find_fate(key) is Fate.LEFT_OUT}
    assert left_out == set()
    assert restored.expired.total() == 0


async def test_tasks_in_every_state_are_there_in_it(partition: Partition, target: Broker) -> None:
    worker = partition.make_consumer()
    ended = await partition.submit(priority=Priority.HIGH)
    failing = await partition.submit(priority=Priority.HIGH)
    retried = await partition.submit(priority=Priority.HIGH)
    waiting = await partition.submit(priority=Priority.HIGH, target="limited.example")
    settled = await worker.take(4)
    await worker.settle(
        [completed(settled[0]), failed_for_good(settled[1]), retryable(settled[2]), deferred(settled[3])]
    )
    running = await partition.submit(priority=Priority.HIGH)
    await worker.take(1)
    low, high = await partition.submit(priority=Priority.LOW), await partition.submit(priority=Priority.HIGH)
    ids = (ended, failing, retried, waiting, running, low, high)
    before = {task_id: await partition.store.read(task_id) for task_id in ids}
    await restore(target, await back_up(partition.broker))
    there = open_partition(target)
    for task_id, record in before.items():
        found = await there.store.read(task_id)
        assert found.status == (TaskStatus.PENDING if task_id == running else record.status)
        assert (found.result, found.error, found.waiting_for) == (record.result, record.error, record.waiting_for)
    # What ran is run first, at the same attempt; then by priority.
    taken = await there.make_consumer("other").take(10)
    assert [(one.task_id, one.attempt) for one in taken] == [(running, 1), (high, 1), (low, 1)]
    await there.make_delayed_due()
    await there.housekeeping.promote_due()
    again = await there.make_consumer("third").take(10)
    assert sorted((one.task_id, one.attempt) for one in again) == sorted([(retried, 2), (waiting, 1)])
    assert await there.make_consumer("fourth").take(10) == []


async def test_counters_are_those_of_what_is_there(partition: Partition, target: Broker) -> None:
    worker = partition.make_consumer()
    for _ in range(4):
        await partition.submit()
    taken = await worker.take(2)
    await worker.settle([completed(taken[0])])
    name = partition.broker.partitions[0].counters
    before = await partition.broker.client.hgetall(name)
    await restore(target, await back_up(partition.broker))
    after = await target.client.hgetall(name)
    running = {b"processing", b"processing:captcha.example"}
    assert after == {key: value for key, value in before.items() if key not in running}


async def test_an_api_key_is_still_valid(partition: Partition, target: Broker) -> None:
    text, key = await ApiKeys(partition.broker).create("robot", frozenset(), ())
    await restore(target, await back_up(partition.broker))
    assert await ApiKeys(target).authenticate(text) == key


async def test_the_audit_log_goes_on_and_is_still_whole(partition: Partition, target: Broker) -> None:
    section = AuditLogSection(limit=1500)
    here, there = AuditLog(partition.broker, section), AuditLog(target, section)
    for index in range(4):
        await here.append([Act(f"a{index}", object={"number": number}).encode() for number in range(500)])
    work = TaskSet("test")

    async def go_on() -> None:
        while True:
            await here.append([Act("meanwhile").encode()])

    work.spawn(go_on(), "writer")
    archive = await back_up(partition.broker)
    await work.cancel_all()
    await restore(target, archive)
    for _ in range(2):
        entries, chain = await there.read_whole()
        assert chain is not None
        assert list(find_faults(entries, chain)) == []
        assert len(entries) == chain.head.sequence - chain.anchor.sequence > 1000
        before = {entry.sequence: entry for entry in (await here.read_whole())[0]}
        assert all(entry == before[entry.sequence] for entry in entries if entry.sequence in before)
        await there.append([])


async def test_a_log_that_was_tampered_with_is_restored_as_it_was(partition: Partition, target: Broker) -> None:
    here, there = AuditLog(partition.broker, AuditLogSection()), AuditLog(target, AuditLogSection())
    await here.append([Act(name).encode() for name in "abcd"])
    [_, second, *_] = await partition.broker.client.xrange(AUDIT_LOG)
    await partition.broker.client.xdel(AUDIT_LOG, second[0])
    await restore(target, await back_up(partition.broker))
    entries, chain = await there.read_whole()
    assert chain is not None
    assert [(fault.kind, fault.sequence) for fault in find_faults(entries, chain)] == [("removed", 2)]


async def test_repeated_keys_find_their_tasks_in_more_partitions(partition: Partition, own_redis: RedisServer) -> None:
    wide = await open_broker(own_redis.url, partitions=4)
    digests = [f"{number:064x}" for number in range(8)]
    ids = {digest: await partition.submit(idempotency=Idempotency(digest, "b" * 64)) for digest in digests}
    batch = [
        NewTask(
            make_task_id(0),
            TaskRequest(target=HOST, url=f"http://{HOST}/"),
            Idempotency(derive_digest("f" * 64, index), "b" * 64),
        )
        for index in range(5)
    ]
    await partition.store.submit(batch)
    await restore(wide, await back_up(partition.broker))
    store = TaskStore(wide, LIMITS)
    for digest, task_id in ids.items():
        assert await resubmit(store, [digest], choose_partition(digest, 4)) == [task_id]
    repeated = [derive_digest("f" * 64, index) for index in range(5)]
    assert await resubmit(store, repeated, choose_partition("f" * 64, 4)) == [task.task_id for task in batch]
    assert [(await store.read(task_id)).status for task_id in ids.values()] == [TaskStatus.PENDING] * 8
    # And once more: what lives in another partition than its key is kept, too.
    await restore(partition.broker, await back_up(wide))
    assert await resubmit(partition.store, digests, 0) == list(ids.values())
    await wide.close()


async def resubmit(store: TaskStore, digests: list[str], partition: int) -> list[str]:
    request = TaskRequest(target=HOST, url=f"http://{HOST}/")
    tasks = [NewTask(make_task_id(partition), request, Idempotency(digest, "b" * 64)) for digest in digests]
    return await store.submit(tasks)


async def test_fewer_partitions_are_refused(partition: Partition, own_redis: RedisServer) -> None:
    wide = await open_broker(own_redis.url, partitions=2)
    store = TaskStore(wide, LIMITS)
    await store.submit([NewTask(make_task_id(1), TaskRequest(target=HOST, url=f"http://{HOST}/"))])
    with pytest.raises(BackupRefused, match=r"redis\.partitions"):
        await restore(partition.broker, await back_up(wide))
    await wide.close()


async def test_what_has_expired_meanwhile_stays_away(partition: Partition, target: Broker) -> None:
    task_id = await partition.submit(idempotency=Idempotency("a" * 64, "b" * 64))
    worker = partition.make_consumer()
    await worker.settle([completed(one) for one in await worker.take(1)])
    client, name = partition.broker.client, partition.broker.partitions[0].task(task_id)
    await client.pexpire(name, 500)
    archive = await back_up(partition.broker)
    await until(lambda: _is_gone(client, name))
    restored = await restore(target, archive)
    assert (restored.kept["task"], restored.expired["task"]) == (0, 1)
    assert not any("task:" in key or "idempotency" in key for key in await dump(target))


async def _is_gone(client: Any, name: str) -> bool:
    return not await client.exists(name)


async def test_the_one_key_that_a_deploy_makes_is_no_installation(target: Broker) -> None:
    keys = ApiKeys(target)
    _, limited = await keys.create(FIRST_KEY, frozenset({Scope.READ}), ())
    assert not await is_empty(target)
    await target.client.delete(API_KEYS, api_key(limited.key_id))
    await keys.create(FIRST_KEY, frozenset(Scope), ())
    # A worker that was lost meanwhile is bookkeeping.
    await target.client.hset(COUNTERS, "workers_lost", 1)
    assert await is_empty(target)
    await keys.create("another", frozenset(Scope), ())
    assert not await is_empty(target)


async def test_a_broken_off_restore_is_begun_anew_until_somebody_uses_what_it_left(
    partition: Partition, target: Broker
) -> None:
    assert await is_empty(target)
    await partition.submit()
    await ApiKeys(partition.broker).create("robot", frozenset(), ())
    archive = await back_up(partition.broker)
    assert not await is_empty(partition.broker)
    await restore(target, archive)
    assert not await is_empty(target)
    assert await find_restore_state(target) is None
    await target.client.set(RESTORING, await target.time_ms())
    assert await find_restore_state(target) is RestoreState.BROKEN_OFF
    assert await is_empty(target)
    _, key = await ApiKeys(target).create("later", frozenset(), ())
    assert not await is_empty(target)
    await target.client.delete(api_key(key.key_id))
    assert await is_empty(target)
    await open_partition(target).submit()
    assert not await is_empty(target)
    await target.client.delete(target.partitions[0].recent)
    assert await is_empty(target)
    # Roles that have run may have solved what was there.
    await target.client.set(EPOCH, "of a role")
    assert not await is_empty(target)


async def test_there_is_one_restore_at_a_time(target: Broker) -> None:
    async with locked_for_restore(target):
        await target.client.set(RESTORING, 1)
        assert await find_restore_state(target) is RestoreState.UNDER_WAY
        # Emptying Redis takes the lock from nobody.
        await empty(target)
        with pytest.raises(BackupRefused, match="another restore into this Redis is at work"):
            async with locked_for_restore(target):
                pass
    async with locked_for_restore(target):
        assert 0 < await target.client.pttl(RESTORE_LOCK) <= LOCK_MS


async def test_a_restore_that_has_lost_its_lock_gives_up(target: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore_mark, "RENEWAL_SECONDS", 0.01)

    async def restore_for_ever() -> None:
        async with locked_for_restore(target):
            await target.client.set(RESTORE_LOCK, "of another")
            await asyncio.Event().wait()

    with pytest.raises(BackupRefused, match="this one is given up"):
        await restore_for_ever()
    assert await target.client.get(RESTORE_LOCK) == b"of another"
