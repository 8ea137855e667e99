"""Lists of tasks, a page at a time: each call looks at a bounded number of records, however few of them are wanted."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace

from captchad.broker.connection import Broker
from captchad.broker.messages import RECORD_FIELDS, decode_record, is_waiting
from captchad.broker.redis_keys import PartitionKeys
from captchad.broker.waits import read_waits
from captchad.domain.errors import InvalidRequest, Violation
from captchad.domain.task import TaskRecord, TaskStatus

LOOK_LIMIT = 1000
"""Records that one script call looks at: it holds up Redis for a millisecond or two."""
LOOKS_LIMIT = 10
"""Script calls for one page; then the page ends as it is, and the next one goes on from there."""

Position = tuple[int, str]
"""When a task was created (ms), and its id: the place of a task in lists."""


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks to list; `key_id` is the API key they came with, `cursor` the `next_cursor` of the page before."""

    status: TaskStatus | None = None
    target: str | None = None
    limit: int = 50
    cursor: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some tasks, newest first, and where the next page begins (None at the end).

    A page may have fewer tasks than were asked for, or none, and not be the last: so much was looked at, and no more.
    """

    tasks: tuple[TaskRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the partitions found, newest first; `end` is the last position looked at, None where all was."""

    found: tuple[tuple[Position, PartitionKeys], ...]
    end: Position | None


async def read_page(broker: Broker, query: TaskQuery) -> TaskPage:
    """Return one page of tasks; InvalidRequest for a cursor that is none of ours."""
    position = _decode_cursor(query.cursor) if query.cursor else None
    tasks: list[TaskRecord] = []
    for _ in range(LOOKS_LIMIT):
        look = await _look(broker, query, position, query.limit - len(tasks))
        tasks += await _read_records(broker, look.found)
        position = look.end
        if position is None or len(tasks) == query.limit:
            break
    return TaskPage(tuple(tasks), None if position is None else _encode_cursor(position))


async def _look(broker: Broker, query: TaskQuery, after: Position | None, most: int) -> Look:
    """Look at the next records of every partition; return at most `most` tasks that the query wants."""
    found: list[tuple[Position, PartitionKeys]] = []
    ends: list[Position] = []
    created_ms, task_id = after or ("", "")
    filters = [str(wanted) if wanted else "" for wanted in (query.status, query.target, query.key_id)]
    for keys in broker.partitions:
        arguments = [created_ms, task_id, LOOK_LIMIT, most, *filters]
        is_end, last_ms, last_id, *wanted = await broker.run_script("list", keys, arguments)
        found += [((int(ms), one.decode()), keys) for one, ms in zip(wanted[::2], wanted[1::2], strict=True)]
        if not is_end:
            ends.append((int(last_ms), last_id.decode()))
    # Of a partition that has more, nothing is known beyond its end: others' older tasks may come after its next ones.
    end = max(ends, default=None)
    found = [entry for entry in found if end is None or entry[0] >= end]
    found.sort(key=lambda entry: entry[0], reverse=True)
    if len(found) > most:
        return Look(tuple(found[:most]), found[most - 1][0])
    return Look(tuple(found), end)


async def _read_records(broker: Broker, found: Sequence[tuple[Position, PartitionKeys]]) -> list[TaskRecord]:
    if not found:
        return []
    async with broker.guard():
        pipeline = broker.client.pipeline(transaction=False)
        for (_, task_id), keys in found:
            pipeline.hmget(keys.task(task_id), RECORD_FIELDS)
        rows = await pipeline.execute()
    tasks = [(keys, task_id) for (_, task_id), keys in found]
    waits = await read_waits(broker, [task for task, row in zip(tasks, rows, strict=True) if is_waiting(row)])
    records = [decode_record(task_id, row) for (_, task_id), row in zip(tasks, rows, strict=True)]
    # One may have expired since it was looked at.
    return [replace(one, waiting_for=waits.get(one.task_id)) for one in records if one is not None]


def _encode_cursor(position: Position) -> str:
    return base64.urlsafe_b64encode(f"{position[0]} {position[1]}".encode()).decode()


def _decode_cursor(cursor: str) -> Position:
    try:
        created_ms, task_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return int(created_ms), task_id
    except (ValueError, binascii.Error):
        raise InvalidRequest(
            "the cursor is not valid", (Violation("?cursor", "use a next_cursor exactly as it was returned"),)
        ) from None
