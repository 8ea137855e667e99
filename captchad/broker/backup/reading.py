"""Reads all that a backup keeps out of a running Redis, in bounded pieces.

Each task is copied together with its place by one script, so that it is never seen on its way from one state to the
next. Tasks that are accepted while the copy is made may be missing from it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence

from captchad.broker.backup.audit_copy import read_audit_log
from captchad.broker.backup.entries import (
    Entry,
    Head,
    Listed,
    PlainKey,
    PlainType,
    Room,
    StreamedLabel,
    pair_up,
)
from captchad.broker.backup.plain_keys import flatten_value, read_plain_key
from captchad.broker.connection import Argument, Broker
from captchad.broker.redis_keys import (
    API_KEYS,
    CAPTCHA_CHANGES,
    CAPTCHA_STATES,
    CAPTCHAS_SEEN,
    COUNTERS,
    PROOF,
    PartitionKeys,
    TargetKeys,
    api_key,
    key_quota,
)

PAGE_ENTRIES = 200
PAGE_BYTES = 1_048_576
LABELS_PAGE = 50
_FLEET_HASHES = (COUNTERS, CAPTCHA_STATES, CAPTCHA_CHANGES, PROOF)


class InstallationReader:
    """Everything of an installation that is worth keeping; `hosts` are the declared targets."""

    def __init__(self, broker: Broker, hosts: Iterable[str], with_evidence: bool) -> None:
        self._broker = broker
        self._hosts = frozenset(hosts)
        self._rooms = tuple(room for room in Room if with_evidence or room is not Room.EVIDENCE)

    async def now_ms(self) -> int:
        """Return Redis TIME."""
        return await self._broker.time_ms()

    async def count(self) -> int:
        """Return about how many entries there are, for showing how far a backup is."""
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            for keys in self._broker.partitions:
                pipeline.zcard(keys.recent)
                pipeline.zcard(keys.dead)
            return sum(await pipeline.execute())

    async def read(self) -> AsyncIterator[Entry]:
        """Yield every entry: what belongs to the fleet, then one partition after the other."""
        async for key in self._read_fleet():
            yield key
        async for entry in read_audit_log(self._broker):
            yield entry
        for keys in self._broker.partitions:
            async for entry in self._read_partition(keys):
                yield entry

    async def _read_fleet(self) -> AsyncIterator[PlainKey]:
        client = self._broker.client
        async with self._broker.guard():
            ids = [key_id.decode() for key_id in await client.smembers(API_KEYS)]
            seen = [host.decode() for host in await client.zrange(CAPTCHAS_SEEN, 0, -1)]
        names = [(API_KEYS, PlainType.SET), (CAPTCHAS_SEEN, PlainType.ZSET)]
        names += [(name, PlainType.HASH) for name in (*_FLEET_HASHES, *map(api_key, ids), *map(key_quota, ids))]
        for host in sorted(self._hosts.union(seen)):
            keys = TargetKeys(host)
            names += [(keys.closed, PlainType.STRING), (keys.fill_closed, PlainType.STRING)]
            # What a site has rejected counts on: a restore gives nobody more attempts.
            names += [(keys.rejections, PlainType.ZSET), (keys.model, PlainType.HASH)]
            names += [(keys.proof, PlainType.HASH), (keys.narrowing, PlainType.HASH)]
            names += [(name, PlainType.STRING) for name in await self._list_models(host)]
        for name, type_ in names:
            found = await read_plain_key(self._broker, name, type_)
            if found is not None:
                yield found

    async def _list_models(self, host: str) -> list[str]:
        keys = TargetKeys(host)
        async with self._broker.guard():
            digests = await self._broker.client.hmget(keys.model, "present", "former")
        return [keys.models + digest.decode() for digest in dict.fromkeys(digests) if digest]

    async def _read_partition(self, keys: PartitionKeys) -> AsyncIterator[Entry]:
        now, counters, *minutes = await self._broker.run_script("backup_head", keys, [])
        yield Head(keys.partition, int(now), pair_up(counters))
        for minute, figures in zip(minutes[::2], minutes[1::2], strict=True):
            name = keys.history(int(minute))
            found = await read_plain_key(self._broker, name, PlainType.HASH)
            if found is not None:
                # As they were together with the counters.
                yield PlainKey(name, PlainType.HASH, found.expires_ms, flatten_value(PlainType.HASH, pair_up(figures)))
        for room in self._rooms:
            async for listed in self._read_room(keys, room):
                yield listed
        async for label in self._read_labels(keys):
            yield label

    async def _read_room(self, keys: PartitionKeys, room: Room) -> AsyncIterator[Listed]:
        after: list[Argument] = ["", ""]
        while True:
            page, is_last = await read_page(self._broker, keys, room, ["after", *after, PAGE_ENTRIES])
            for listed in page:
                if listed.fields:
                    yield listed
            if is_last or not page:
                return
            after = [page[-1].score, page[-1].member]

    async def _read_labels(self, keys: PartitionKeys) -> AsyncIterator[StreamedLabel]:
        last = "-"
        while True:
            async with self._broker.guard():
                found = await self._broker.client.xrange(keys.labels, last, "+", LABELS_PAGE)
            for _, fields in found:
                yield StreamedLabel(keys.partition, fields)
            if len(found) < LABELS_PAGE:
                return
            last = f"({found[-1][0].decode()}"


async def read_page(
    broker: Broker, keys: PartitionKeys, room: Room, which: Sequence[Argument]
) -> tuple[list[Listed], bool]:
    """Return a page of a room, and whether it is the last; what is gone has no fields."""
    now, is_last, *rows = await broker.run_script("backup_page", keys, [room, PAGE_BYTES, *which])
    return [_read_listed(keys.partition, room, int(now), row) for row in rows], bool(is_last)


def _read_listed(partition: int, room: Room, now_ms: int, row: list[object]) -> Listed:
    member, score, left_ms, fields, place, idempotency = row
    assert isinstance(member, bytes)
    assert isinstance(left_ms, int)
    assert isinstance(fields, list)
    assert isinstance(place, list)
    return Listed(
        partition,
        room,
        member.decode(),
        score if isinstance(score, bytes) else b"",
        None if left_ms < 0 else now_ms + left_ms,
        pair_up(fields),
        tuple(part or b"" for part in place),
        split_idempotency(idempotency, member.decode()),
    )


def split_idempotency(value: object, task_id: str) -> str:
    """Return the body's digest of what an Idempotency-Key remembers, if it is this task."""
    found_id, _, body_digest = value.decode().partition(" ") if isinstance(value, bytes) else ("", "", "")
    return body_digest if found_id == task_id else ""
