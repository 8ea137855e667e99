"""Puts the entries of a backup into a Redis, and compares what is there then with what should be."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from captchad.broker.backup.emptying import empty
from captchad.broker.backup.entries import AuditRow, Entry, Head, Listed, PlainKey, PlainType, Room, StreamedLabel
from captchad.broker.backup.placing import PlacedTask, place_task
from captchad.broker.backup.plain_keys import check_plain_key, read_plain_key
from captchad.broker.backup.reading import PAGE_BYTES, PAGE_ENTRIES, read_page
from captchad.broker.connection import Argument, Broker, to_ms
from captchad.broker.idempotency_keys import find_homes
from captchad.broker.redis_keys import AUDIT_LOG, RESTORING, PartitionKeys
from captchad.domain.errors import BackupRefused

MS = 1000
EXPIRY_TOLERANCE_MS = 1000
"""By how much a key may expire sooner or later than in the backup: Redis is told what is left, a moment later."""
_LEVELS = (
    "processing",
    "open:",
    "queued_bytes",
    "dead_bytes",
    "evidence_bytes",
    "answer_bytes",
    "label_bytes",
    "callbacks:",
    "callback_bytes:",
    "dead_callback_bytes",
)
"""Counters of what is there now: each entry that is put back counts for them."""
_QUEUEING_FIELDS = frozenset({b"stream", b"entry", b"queued_ms"})
"""Fields that queueing a task writes."""
_KEY_FIELDS = (b"idempotency", b"deadline_ms", b"ttl_seconds")
"""What is needed of a task to remember its Idempotency-Key."""


@dataclass(slots=True)
class Restored:
    """How much was put back and found to be there, by kind, and how much had expired."""

    kept: Counter[str] = field(default_factory=Counter)
    expired: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Batch:
    """Entries of one partition and room on their way to Redis."""

    listed: list[Listed] = field(default_factory=list)
    bytes: int = 0


class Restoration:
    """One restore into an emptied Redis; entries come in the order of the backup."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._heads: dict[int, Head] = {}
        self._batch = _Batch()
        self._moment: list[Listed] = []
        self.restored = Restored()

    async def begin(self) -> int:
        """Mark Redis as being restored, empty it, and return how many keys there were."""
        now_ms = await self._broker.time_ms()
        async with self._broker.guard():
            await self._broker.client.set(RESTORING, now_ms)
        return await empty(self._broker)

    async def put(self, entry: Entry) -> None:
        """Take the next entry; BackupRefused where it isn't found in Redis as it was put there."""
        if isinstance(entry, Listed):
            await self._put_listed(entry)
            return
        await self._flush()
        match entry:
            case Head():
                await self._put_head(entry)
            case StreamedLabel():
                await self._put_label(entry)
            case AuditRow():
                await self._put_audit_row(entry)
            case PlainKey():
                await self._put_key(entry)

    async def finish(self) -> Restored:
        """Put the rest, take the mark away, and have replicas acknowledge all of it."""
        await self._flush()
        async with self._broker.guard():
            await self._broker.client.delete(RESTORING)
        # It covers all that was written before, of whatever partition.
        await self._broker.run_script("unconfirmed", self._broker.partitions[0], [1], acknowledge=True)
        return self.restored

    async def _put_head(self, head: Head) -> None:
        self._heads[head.partition] = head
        totals = {name: value for name, value in head.counters.items() if not name.decode().startswith(_LEVELS)}
        if totals:
            async with self._broker.guard():
                await self._broker.client.hset(self._keys(head.partition).counters, mapping=totals)

    async def _put_label(self, label: StreamedLabel) -> None:
        flat = [part for pair in label.fields.items() for part in pair]
        await self._run(label.partition, "label", [len(flat), *flat])
        self.restored.kept["label"] += 1

    async def _put_audit_row(self, row: AuditRow) -> None:
        async with self._broker.guard():
            await self._broker.client.xadd(AUDIT_LOG, row.fields)
        self.restored.kept["audit"] += 1

    async def _put_key(self, key: PlainKey) -> None:
        check_plain_key(key)
        client, values = self._broker.client, key.values
        async with self._broker.guard():
            left_ms = None if key.expires_ms is None else key.expires_ms - to_ms(await client.time())
            if left_ms is not None and left_ms <= 0:
                self.restored.expired["key"] += 1
                return
            pipeline = client.pipeline(transaction=False)
            match key.type:
                case PlainType.STRING:
                    pipeline.set(key.name, values[0])
                case PlainType.HASH:
                    pipeline.execute_command("HSET", key.name, *values)
                case PlainType.SET:
                    pipeline.sadd(key.name, *values)
                case PlainType.ZSET:
                    pairs = zip(values[::2], values[1::2], strict=True)
                    pipeline.execute_command(
                        "ZADD", key.name, *(part for name, score in pairs for part in (score, name))
                    )
            if left_ms is not None:
                pipeline.pexpire(key.name, left_ms)
            await pipeline.execute()
        found = await read_plain_key(self._broker, key.name, key.type)
        if found is None or found.values != key.values or not _is_near(found.expires_ms, key.expires_ms):
            raise _differs(key.name)
        self.restored.kept["key"] += 1

    async def _put_listed(self, listed: Listed) -> None:
        batch = self._batch
        if batch.listed and (batch.listed[0].partition, batch.listed[0].room) != (listed.partition, listed.room):
            await self._flush()
        if self._moment and self._moment[0].score != listed.score:
            await self._remember_keys()
        self._batch.listed.append(listed)
        self._batch.bytes += sum(map(len, listed.fields.values()))
        if listed.body_digest:
            self._moment.append(_keep_for_key(listed))
        if len(self._batch.listed) >= PAGE_ENTRIES or self._batch.bytes >= PAGE_BYTES:
            await self._flush_batch()

    async def _flush(self) -> None:
        await self._flush_batch()
        await self._remember_keys()

    async def _flush_batch(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if not batch.listed:
            return
        room, partition = batch.listed[0].room, batch.listed[0].partition
        placed = [place_task(one) if room is Room.TASK else PlacedTask(one) for one in batch.listed]
        arguments = [part for one in placed for part in _encode(one)]
        answers = await self._run(partition, room, arguments)
        found, _ = await read_page(
            self._broker, self._keys(partition), room, ["named", *(one.member for one in batch.listed)]
        )
        by_member = {one.member: one for one in found}
        for one, is_there in zip(placed, answers, strict=True):
            if not is_there:
                self.restored.expired[room] += 1
                continue
            self._compare(one, by_member.get(one.task.member))

    def _compare(self, wanted: PlacedTask, found: Listed | None) -> None:
        room = wanted.task.room
        if found is None or not found.fields:
            if wanted.task.expires_ms is None:
                raise _differs(wanted.task.member)
            self.restored.expired[room] += 1
            return
        is_same = _drop_written(found.fields) == _drop_written(wanted.task.fields)
        is_same = (
            is_same
            and _is_near(found.expires_ms, wanted.task.expires_ms)
            and float(found.score) == float(wanted.task.score)
        )
        is_queued = found.place[:1] == (b"queued",)
        if (
            not is_same
            or is_queued != bool(wanted.stream)
            or (room is Room.TASK and not _waits_as_before(wanted, found))
        ):
            raise _differs(wanted.task.member)
        self.restored.kept[room] += 1

    async def _remember_keys(self) -> None:
        """Write the Idempotency-Keys of one moment where their holders look for them now, and beside their tasks."""
        moment, self._moment = self._moment, []
        tasks = {task.fields[b"idempotency"].decode(): task for task in moment}
        if not tasks:
            return
        homes = find_homes(tasks, len(self._broker.partitions))
        async with self._broker.guard():
            now_ms = to_ms(await self._broker.client.time())
            pipeline = self._broker.client.pipeline(transaction=False)
            for digest, task in tasks.items():
                for partition in {task.partition, homes[digest]}:
                    expires_ms = _find_key_expiry_ms(task, partition)
                    if expires_ms is None or expires_ms > now_ms:
                        left_ms = None if expires_ms is None else expires_ms - now_ms
                        name = self._keys(partition).idempotency(digest)
                        pipeline.set(name, f"{task.member} {task.body_digest}", px=left_ms)
            await pipeline.execute()

    async def _run(self, partition: int, what: str, arguments: Sequence[Argument]) -> list[int]:
        head = self._heads.get(partition)
        if head is None:
            raise BackupRefused(f"the backup lacks the head of partition {partition}")
        answers: list[int] = await self._broker.run_script(
            "restore", self._keys(partition), [what, head.now_ms, *arguments]
        )
        return answers

    def _keys(self, partition: int) -> PartitionKeys:
        if not 0 <= partition < len(self._broker.partitions):
            raise BackupRefused(f"the backup has a partition {partition}; set redis.partitions to more")
        return self._broker.partitions[partition]


def _encode(placed: PlacedTask) -> list[Argument]:
    task = placed.task
    arguments: list[Argument] = [task.member, task.score, "" if task.expires_ms is None else task.expires_ms]
    if task.room is Room.TASK:
        arguments += [placed.stream or "", placed.open_score, *placed.waiting]
    return [*arguments, 2 * len(task.fields), *(part for pair in task.fields.items() for part in pair)]


def _keep_for_key(task: Listed) -> Listed:
    return replace(task, fields={name: task.fields.get(name, b"") for name in _KEY_FIELDS}, place=())


def _find_key_expiry_ms(task: Listed, partition: int) -> int | None:
    """Return when an Idempotency-Key expires: with its record; the end of a task sets that of its own partition."""
    if task.expires_ms is not None or partition == task.partition:
        return task.expires_ms
    deadline, ttl = (task.fields[name] for name in (b"deadline_ms", b"ttl_seconds"))
    return int(deadline or 0) + int(ttl or 0) * MS


def _drop_written(fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: value for name, value in fields.items() if name not in _QUEUEING_FIELDS}


def _is_near(one_ms: int | None, other_ms: int | None) -> bool:
    if one_ms is None or other_ms is None:
        return one_ms == other_ms
    return abs(one_ms - other_ms) <= EXPIRY_TOLERANCE_MS


def _waits_as_before(wanted: PlacedTask, found: Listed) -> bool:
    due, queue, rank, *_ = wanted.waiting
    place = found.place[:3]
    if due:
        return place[0] == b"delayed" and float(place[1]) == float(due)
    if queue:
        return place[:2] == (b"deferred", queue) and float(place[2]) == float(rank)
    return not place or place == (b"queued",)


def _differs(name: str) -> BackupRefused:
    return BackupRefused(f"{name} is not in Redis as it was put there; is something else at work in it?")
