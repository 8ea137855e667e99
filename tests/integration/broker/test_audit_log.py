"""The audit log in Redis: one chain whoever writes, bounded, and nobody tampers with it unseen."""

import asyncio

import pytest

from captchad.broker.audit_log import AuditLog
from captchad.broker.audit_trail import WAITING_LIMIT, AuditTrail
from captchad.broker.connection import Broker
from captchad.broker.redis_keys import AUDIT_CHAIN, AUDIT_LOG
from captchad.config.settings import AuditLogSection
from captchad.domain.audit import Act, AuditEntry, find_faults
from captchad.runtime.spawn import TaskSet
from tests.patience import until, until_true


def make_log(broker: Broker, limit: int = 1000, retention_seconds: int = 3600) -> AuditLog:
    return AuditLog(broker, AuditLogSection(limit=limit, retention_seconds=retention_seconds))


def encode(*actions: str) -> list[bytes]:
    return [Act(action).encode() for action in actions]


async def find(log: AuditLog) -> tuple[list[AuditEntry], list[tuple[str, int]]]:
    """Return the entries, and the faults of their chain."""
    entries, chain = await log.read_whole()
    assert chain is not None
    return entries, [(fault.kind, fault.sequence) for fault in find_faults(entries, chain)]


async def test_many_writers_make_one_chain(broker: Broker) -> None:
    logs = [make_log(broker) for _ in range(4)]
    await asyncio.gather(*(logs[index % 4].append(encode(f"a{index}", f"b{index}")) for index in range(50)))
    entries, faults = await find(logs[0])
    assert [entry.sequence for entry in entries] == list(range(1, 101))
    assert faults == []
    now_ms = await broker.time_ms()
    assert all(now_ms - 300_000 < entry.at_ms <= now_ms for entry in entries)


@pytest.mark.parametrize("batch", [1, 7, 300])
async def test_the_log_is_bounded_by_number_and_stays_verifiable(broker: Broker, batch: int) -> None:
    log, written = make_log(broker, limit=20), 0
    while written < 3 * max(batch, 20):
        await log.append(encode(*("a" for _ in range(batch))))
        written += batch
        entries, faults = await find(log)
        assert len(entries) == min(20, written)
        assert faults == []
    assert entries[-1].sequence == written


async def test_what_is_too_old_goes_also_when_nothing_comes(broker: Broker) -> None:
    log = make_log(broker, retention_seconds=1)
    await log.append([])
    assert await log.read_whole() == ([], None)
    await log.append(encode("a", "b"))

    async def is_empty() -> bool:
        await log.append([])
        return bool(await broker.client.xlen(AUDIT_LOG) == 0)

    await until(is_empty)
    assert await find(log) == ([], [])
    await log.append(encode("c"))
    entries, faults = await find(log)
    assert ([entry.sequence for entry in entries], faults) == ([3], [])


async def test_tampering_in_redis_is_found(broker: Broker) -> None:
    log = make_log(broker, limit=5)
    await log.append(encode(*"abcdef"))
    ids = [entry_id for entry_id, _ in await broker.client.xrange(AUDIT_LOG)]
    await broker.client.xdel(AUDIT_LOG, ids[2])
    assert (await find(log))[1] == [("removed", 4)]
    # Trimmed away, the gap is still known.
    await log.append(encode(*"ghijk"))
    assert (await find(log))[1] == [("removed", 5)]


async def test_an_entry_from_elsewhere_stops_nobody_and_is_found(broker: Broker) -> None:
    log = make_log(broker)
    await log.append(encode("a"))
    await broker.client.xadd(AUDIT_LOG, {"n": "2", "at_ms": "1", "act": "{}", "link": "0" * 40})
    await log.append(encode("b", "c"))
    _, faults = await find(log)
    assert ("added", 2) in faults
    await broker.client.delete(AUDIT_CHAIN)
    await log.append(encode("d"))
    assert (await find(log))[1] != []


async def test_the_same_refusal_many_times_is_one_entry(broker: Broker) -> None:
    log = make_log(broker)
    trail = AuditTrail(broker, log)
    for _ in range(500):
        trail.note(Act("submit_task", "unauthorized", address="192.0.2.1"))
    trail.note(Act("submit_task", object={"task_ids": ["task_1"]}))
    await trail.close()
    entries, faults = await find(log)
    assert faults == []
    assert [b'"count":500' in entry.act for entry in entries] == [True, False]


async def test_what_does_not_fit_into_memory_is_counted(broker: Broker) -> None:
    log = make_log(broker, limit=2 * WAITING_LIMIT)
    trail = AuditTrail(broker, log)
    for index in range(WAITING_LIMIT + 3):
        trail.note(Act("submit_task", object={"index": index}))
    work = TaskSet("test")
    work.spawn(trail.run(), "trail")
    await until_true(lambda: trail.health().details["waiting"] == 0)
    await work.cancel_all()
    await trail.close()
    entries, faults = await find(log)
    assert (len(entries), faults) == (WAITING_LIMIT + 1, [])
    assert [entry.act for entry in entries if b"overflow" in entry.act] == [b'{"action":"audit_overflow","count":3}']


async def test_acts_come_through_in_the_background(broker: Broker) -> None:
    log, work = make_log(broker), TaskSet("test")
    trail = AuditTrail(broker, log)
    work.spawn(trail.run(), "trail")
    for index in range(3):
        trail.note(Act("cancel_task", object={"index": index}))

        async def has(count: int = index + 1) -> bool:
            return bool(await broker.client.xlen(AUDIT_LOG) == count)

        await until(has)
    await work.cancel_all()
    assert (await find(log))[1] == []


async def test_what_is_being_written_as_a_role_ends_is_there_once(broker: Broker) -> None:
    log, work = make_log(broker), TaskSet("test")
    for index in range(40):
        trail = AuditTrail(broker, log)
        work.spawn(trail.run(), "trail")
        trail.note(Act("cancel_task", object={"index": index}))
        # One turn of the loop after the other: somewhere among them the write is under way.
        for _ in range(index):
            await asyncio.sleep(0)
        await work.cancel_all()
        await trail.close()
    entries, faults = await find(log)
    assert ([entry.sequence for entry in entries], faults) == (list(range(1, 41)), [])


async def test_without_a_limit_there_is_no_log(broker: Broker) -> None:
    log = make_log(broker, limit=0)
    trail = AuditTrail(broker, log)
    trail.note(Act("submit_task"))
    await trail.close()
    await log.append(encode("a"))
    assert await log.read_whole() == ([], None)
