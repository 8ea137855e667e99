"""Tasks as the gateway sees them: stored, read, listed, cancelled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from captchad.broker.confirmation import confirm_ends
from captchad.broker.connection import Argument, Broker
from captchad.broker.idempotency_keys import choose_partition
from captchad.broker.messages import RECORD_FIELDS, RETURNED_SESSION, decode_record, encode_request, is_waiting
from captchad.broker.redis_keys import RECOVERED, PartitionKeys
from captchad.broker.sealed_sessions import add_returned_session
from captchad.broker.session_cipher import Direction, SessionCipher
from captchad.broker.task_pages import TaskPage, TaskQuery, read_page
from captchad.broker.waits import read_waits
from captchad.config.settings import GatewaySection
from captchad.domain.errors import (
    AlreadyFinished,
    BrokerRefused,
    BrokerUnavailable,
    IdempotencyConflict,
    InvalidRequest,
    QueueFull,
    TaskNotFound,
    make_task_not_found,
)
from captchad.domain.identifier import read_partition
from captchad.domain.target import parse_origin
from captchad.domain.task import Priority, TaskRecord, TaskRequest, TaskStatus

STREAM_NUMBERS = {name: number for number, name in enumerate((RECOVERED, *Priority), start=1)}


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """When a partition's queue is full: open tasks, and bytes of their requests, pictures and sessions.

    And how many callbacks may wait for one host, with how many bytes; without limits there are none.
    """

    tasks: int
    bytes: int
    callbacks: int = 0
    callback_bytes: int = 0


def find_queue_limits(gateway: GatewaySection) -> QueueLimits:
    """Return the configured limits."""
    return QueueLimits(
        gateway.queue_limit, gateway.queue_limit_bytes, gateway.callback_limit, gateway.callback_limit_bytes
    )


@dataclass(frozen=True, slots=True)
class Idempotency:
    """SHA-256 (hex) of the caller's key, and of the body it came with."""

    key_digest: str
    body_digest: str


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task about to be stored, with the id it will have."""

    task_id: str
    request: TaskRequest
    idempotency: Idempotency | None = None
    replay_of: str | None = None


class TaskStore:
    """Records of all partitions; without a cipher, no session is stored and none is read."""

    def __init__(self, broker: Broker, limits: QueueLimits, cipher: SessionCipher | None = None) -> None:
        self._broker = broker
        self._limits = limits
        self._cipher = cipher

    @property
    def has_session_key(self) -> bool:
        """Whether sessions can be stored and read."""
        return self._cipher is not None

    def replace_limits(self, limits: QueueLimits) -> None:
        """Use other limits from now on."""
        self._limits = limits

    async def submit(self, tasks: Sequence[NewTask], *, only_repeated: bool = False) -> list[str]:
        """Store tasks of one partition, all or none; return their ids, the earlier ones where a key was repeated.

        With `only_repeated` nothing is stored: QueueFull, unless an earlier submit has stored them all.
        Raises QueueFull, IdempotencyConflict, BrokerRefused (nothing is stored), or BrokerUnavailable (which may come
        after the write: the same idempotency key, or the same id, then finds it).
        """
        keys = self._keys_of(tasks[0].task_id)
        arguments: list[Argument] = [
            0 if only_repeated else self._limits.tasks,
            self._limits.bytes,
            self._broker.result_ttl_seconds,
            self._limits.callbacks,
            self._limits.callback_bytes,
            len(tasks),
        ]
        for task in tasks:
            sealed = self._seal(task)
            arguments += _submit_arguments(task, sealed)
            if sealed:
                # A hundred large sessions take most of a second; others get their turn in between.
                await asyncio.sleep(0)
        try:
            answer, *details = await self._broker.run_script("submit", keys, arguments, acknowledge=True)
        except BrokerRefused:
            raise
        except BrokerUnavailable as error:
            raise BrokerUnavailable(error.message, tasks[0].task_id) from error
        if answer == b"full":
            if details == [b"callbacks"]:
                raise QueueFull("too many callbacks wait for this receiver already; try again once it takes them")
            raise QueueFull("the queue is full; try again later")
        if answer == b"conflict":
            raise IdempotencyConflict(f"this Idempotency-Key belongs to {details[0].decode()}, made from another body")
        return [task_id.decode() for task_id in details]

    async def read(self, task_id: str) -> TaskRecord:
        """Return the record of a task; TaskNotFound where there is none (any more)."""
        keys = self._keys_of(task_id)
        async with self._broker.guard():
            *values, sealed = await self._broker.client.hmget(keys.task(task_id), (*RECORD_FIELDS, RETURNED_SESSION))
        record = decode_record(task_id, values)
        if record is None:
            raise make_task_not_found(task_id)
        if is_waiting(values):
            waits = await read_waits(self._broker, [(keys, task_id)])
            record = replace(record, waiting_for=waits.get(task_id))
        return add_returned_session(record, sealed, self._cipher) if sealed else record

    async def find(self, key_digest: str) -> str:
        """Return the id of the task that an Idempotency-Key made; TaskNotFound where there is none (any more)."""
        keys = self._broker.partitions[choose_partition(key_digest, len(self._broker.partitions))]
        async with self._broker.guard():
            known = await self._broker.client.get(keys.idempotency(key_digest))
        if known is None:
            raise TaskNotFound("there is no such task; it may have expired")
        return str(known.decode().partition(" ")[0])

    async def cancel(self, task_id: str) -> TaskRecord:
        """Cancel a task that has not ended; the record as it is then."""
        keys = self._keys_of(task_id)
        answer = await self._broker.run_script("cancel", keys, [task_id], acknowledge=True)
        [status] = await confirm_ends(self._broker, keys, [task_id], [answer])
        if status == "missing":
            raise make_task_not_found(task_id)
        if status in (TaskStatus.COMPLETED, TaskStatus.FAILED):
            raise AlreadyFinished(f"the task is already {status}")
        if status != TaskStatus.CANCELLED:
            raise BrokerUnavailable("the master changed while the task was being cancelled; try again")
        return await self.read(task_id)

    async def list_page(self, query: TaskQuery) -> TaskPage:
        """List tasks newest first; InvalidRequest for a cursor that is none of ours."""
        return await read_page(self._broker, query)

    def _seal(self, task: NewTask) -> bytes:
        """Return the session and typed values of a new task, sealed; empty where it has nothing to do with them.

        One that only wants the page's session back gets a seal around nothing: a worker with another key then finds out
        before it opens the page.
        """
        request = task.request
        if self._cipher is None and (request.session is not None or request.typed_values):
            raise InvalidRequest("neither a session nor typed values can be stored without security.session_key")
        if self._cipher is None or not (request.session or request.return_session or request.typed_values):
            return b""
        return self._cipher.seal(request.session, task.task_id, Direction.GIVEN, request.typed_values)

    def _keys_of(self, task_id: str) -> PartitionKeys:
        partition = read_partition(task_id)
        if partition is None or partition >= len(self._broker.partitions):
            raise make_task_not_found(task_id)
        return self._broker.partitions[partition]


def _submit_arguments(task: NewTask, session: bytes) -> list[Argument]:
    request, encoded = task.request, encode_request(task.request)
    picture = request.picture or b""
    idempotency = task.idempotency
    return [
        task.task_id,
        encoded,
        picture,
        request.target,
        STREAM_NUMBERS[request.priority],
        int(request.task_deadline_seconds * 1000),
        request.retry_count,
        len(encoded) + len(picture) + len(session),
        idempotency.key_digest if idempotency else "",
        idempotency.body_digest if idempotency else "",
        task.replay_of or "",
        session,
        request.key_id or "",
        parse_origin(request.callback_url).host if request.callback_url else "",
        request.callback_url or "",
    ]
