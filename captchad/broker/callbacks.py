"""Callbacks: taken when they are due, settled after each try; those given up are listed, shown and replayed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from captchad.broker.connection import Argument, Broker
from captchad.broker.dead_letter_limits import find_dead_letter_limits
from captchad.broker.messages import RECORD_FIELDS, RETURNED_SESSION, decode_record
from captchad.broker.redis_keys import PartitionKeys
from captchad.broker.sealed_sessions import add_returned_session
from captchad.broker.session_cipher import SessionCipher
from captchad.config.settings import SchedulerSection
from captchad.domain.errors import TaskNotFound
from captchad.domain.identifier import read_partition
from captchad.domain.task import TaskRecord

MS = 1000
FIRST_PAUSE_SECONDS = 1.0
FAILURE_LENGTH_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Callback:
    """What is sent where; `record` is the task as it ended. Times are Redis TIME in milliseconds.

    `tries` counts this one too; `failure` says why the last one failed. Of a task that still runs there is no record.
    """

    task_id: str
    host: str
    url: str
    tries: int
    record: TaskRecord | None
    since_ms: int | None = None
    failure: str = ""
    failed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """Callbacks that are due, at what time they were taken, and the seconds until the next one is due (None: none)."""

    callbacks: tuple[Callback, ...]
    now_ms: int
    next_due_seconds: float | None


class CallbackQueue:
    """The scheduler's side of one partition's callbacks."""

    def __init__(
        self, broker: Broker, keys: PartitionKeys, config: SchedulerSection, cipher: SessionCipher | None = None
    ) -> None:
        self._broker = broker
        self._keys = keys
        self._config = config
        self._cipher = cipher

    async def claim(self, lease_seconds: float, usual_room: int, rooms: Mapping[str, int]) -> Claimed:
        """Take what is due for a lease: at most so many of each host, `rooms` says how many of those that are busy."""
        arguments: list[Argument] = [int(lease_seconds * MS), usual_room]
        for host, room in rooms.items():
            arguments += [host, room]
        now, next_ms, *rows = await self._broker.run_script("claim_callbacks", self._keys, arguments)
        found = tuple(
            _read(task_id.decode(), dict(zip(flat[::2], flat[1::2], strict=True)), self._cipher)
            for task_id, flat in rows
        )
        return Claimed(found, int(now), None if next_ms < 0 else next_ms / MS)

    async def settle(self, callback: Callback, failure: str | None, jitter: float) -> str:
        """Write what became of a try; return `delivered`, `retried`, `dead`, or `stale` where another has begun."""
        config = self._config
        arguments: list[Argument] = [
            callback.task_id,
            callback.tries,
            # Never empty: that means that it was delivered.
            "" if failure is None else failure[:FAILURE_LENGTH_LIMIT] or "failed",
            int(FIRST_PAUSE_SECONDS * MS),
            int(config.callback_longest_pause_seconds * MS),
            jitter,
            config.callback_retry_seconds * MS,
            find_dead_letter_limits(config).argument,
        ]
        outcome: bytes = await self._broker.run_script("settle_callback", self._keys, arguments)
        return outcome.decode()


class DeadCallbacks:
    """The callbacks that were given up, of all partitions."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def list_callbacks(self, limit: int) -> list[Callback]:
        """Return them, the newest first in each partition."""
        found = []
        for task_id in await self._list_ids(limit):
            try:
                found.append(await self.show(task_id))
            except TaskNotFound:
                continue
        return found

    async def show(self, task_id: str) -> Callback:
        """Return one; TaskNotFound where there is none."""
        keys = self._keys_of(task_id)
        async with self._broker.guard():
            fields = await self._broker.client.hgetall(keys.dead_callback(task_id))
        if not fields:
            raise _not_found(task_id)
        return _read(task_id, fields)

    async def replay(self, task_id: str) -> None:
        """Let one be sent again, as if its task had just ended; TaskNotFound where there is none."""
        if not await self._broker.run_script("replay_callback", self._keys_of(task_id), [task_id]):
            raise _not_found(task_id)

    async def replay_all(self) -> AsyncIterator[str]:
        """Replay every one there is now; yield the ids."""
        for task_id in await self._list_ids(None):
            try:
                await self.replay(task_id)
            except TaskNotFound:
                continue
            yield task_id

    async def _list_ids(self, limit: int | None) -> list[str]:
        ids: list[str] = []
        for keys in self._broker.partitions:
            async with self._broker.guard():
                members = await self._broker.client.zrevrange(keys.dead_callbacks, 0, (limit or 0) - 1)
            ids += [member.decode() for member in members]
        return ids[:limit]

    def _keys_of(self, task_id: str) -> PartitionKeys:
        partition = read_partition(task_id)
        if partition is None or partition >= len(self._broker.partitions):
            raise _not_found(task_id)
        return self._broker.partitions[partition]


def _not_found(task_id: str) -> TaskNotFound:
    return TaskNotFound(f"there is no callback of {task_id} that was given up")


def _read(task_id: str, fields: Mapping[bytes, bytes], cipher: SessionCipher | None = None) -> Callback:
    record = decode_record(task_id, [fields.get(name.encode()) for name in RECORD_FIELDS])
    sealed = fields.get(RETURNED_SESSION.encode())
    if record is not None and sealed:
        record = add_returned_session(record, sealed, cipher)
    since, failed = fields.get(b"since_ms"), fields.get(b"failed_ms")
    return Callback(
        task_id,
        fields[b"host"].decode(),
        fields[b"url"].decode(),
        int(fields[b"tries"]),
        record,
        None if since is None else int(since),
        fields.get(b"failure", b"").decode(errors="replace"),
        None if failed is None else int(failed),
    )
