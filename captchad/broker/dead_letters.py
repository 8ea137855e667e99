"""Dead letters: listed, shown, and replayed as new tasks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from captchad.broker.connection import Broker
from captchad.broker.decoding import UnreadableRecord
from captchad.broker.messages import UNCONFIRMED, decode_error, decode_request, read_request
from captchad.broker.sealed_sessions import NOT_KEPT
from captchad.broker.tasks import NewTask, TaskStore
from captchad.domain.errors import InvalidRequest, TaskNotFound
from captchad.domain.identifier import make_task_id, read_partition
from captchad.domain.task import TaskError, TaskRequest

PAGE = 200


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A task as it was when it was dead-lettered; times are Redis TIME in milliseconds.

    Of a request that this release can't read it has the target alone.
    """

    task_id: str
    request: TaskRequest
    error: TaskError
    attempts: int
    created_ms: int
    died_ms: int
    worker: str | None


class DeadLetters:
    """The dead letters of all partitions."""

    def __init__(self, broker: Broker, store: TaskStore) -> None:
        self._broker = broker
        self._store = store

    async def list_ids(self, limit: int | None = None) -> list[str]:
        """Return the ids of dead letters, the newest first in each partition."""
        ids: list[str] = []
        for keys in self._broker.partitions:
            async with self._broker.guard():
                members = await self._broker.client.zrevrange(keys.dead, 0, (limit or 0) - 1)
            ids += [member.decode() for member in members]
        return ids[:limit]

    async def list_letters(self, limit: int) -> list[DeadLetter]:
        """Return dead letters, the newest first in each partition."""
        letters = []
        for task_id in await self.list_ids(limit):
            try:
                letters.append(await self.show(task_id))
            except TaskNotFound:
                continue
        return letters

    async def show(self, task_id: str) -> DeadLetter:
        """Return one dead letter; TaskNotFound where there is none."""
        fields = await self._read(task_id)
        return DeadLetter(
            task_id=task_id,
            request=read_request(fields[b"request"], fields.get(b"picture"), fields.get(b"target")),
            error=decode_error(fields[b"error"]),
            attempts=int(fields[b"attempts"]),
            created_ms=int(fields[b"created_ms"]),
            died_ms=int(fields[b"died_ms"]),
            worker=fields[b"worker"].decode() or None,
        )

    async def replay(self, task_id: str) -> str:
        """Make a new task from a dead letter; return its id. The dead letter stays as it is.

        InvalidRequest where this release can't read it, or it typed something that is not kept.
        """
        fields = await self._read(task_id)
        try:
            request = decode_request(fields[b"request"], fields.get(b"picture"))
            if b"callback" in fields:
                request = replace(request, callback_url=fields[b"callback"].decode().partition(" ")[2])
        except UnreadableRecord as error:
            raise InvalidRequest(f"the dead letter {task_id} can't be replayed: {error}") from None
        if request.typed_values:
            raise InvalidRequest(f"the dead letter {task_id} can't be replayed: {NOT_KEPT}")
        partition = read_partition(task_id)
        assert partition is not None
        task = NewTask(make_task_id(partition), request, replay_of=task_id)
        return (await self._store.submit([task]))[0]

    async def _read(self, task_id: str) -> dict[bytes, bytes]:
        partition = read_partition(task_id)
        fields: dict[bytes, bytes] = {}
        status: bytes | None = None
        if partition is not None and partition < len(self._broker.partitions):
            keys = self._broker.partitions[partition]
            async with self._broker.guard():
                pipeline = self._broker.client.pipeline(transaction=False)
                pipeline.hgetall(keys.dead_letter(task_id))
                pipeline.hget(keys.task(task_id), "status")
                fields, status = await pipeline.execute()
        if not fields or status == UNCONFIRMED:
            raise TaskNotFound(f"there is no dead letter {task_id}")
        return fields

    async def replay_all(self) -> AsyncIterator[tuple[str, str | InvalidRequest]]:
        """Replay every dead letter there is now; yield the id of each with the new one, or with why there is none."""
        for task_id in await self.list_ids():
            try:
                yield task_id, await self.replay(task_id)
            except TaskNotFound:
                continue
            except InvalidRequest as refused:
                yield task_id, refused
