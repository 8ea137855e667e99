"""Labels on their way from the workers and callers, which find them out, to the one host that keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from captchad.broker.address import BLOCK_SECONDS
from captchad.broker.connection import Argument, Broker
from captchad.broker.redis_keys import PartitionKeys
from captchad.domain.identifier import read_partition
from captchad.domain.label import Label, LabelOrigin, Verdict, write_time

MS = 1000
_START = "0-0"
"""What the learner has is deleted, so all that is there is still to be read."""
_TEXTS = ("id", "host", "text", "verdict", "origin", "task_id", "who")


@dataclass(frozen=True, slots=True)
class WaitingLabel:
    """A label in Redis; `entry` is its place in the stream, and `label` None where it can't be read."""

    entry: bytes
    label: Label | None
    picture: bytes = field(default=b"", repr=False)


class ReportFate(StrEnum):
    """What became of a report: a label, or none for want of room in Redis or of the picture."""

    KEPT = "kept"
    DROPPED = "dropped"
    GONE = "gone"


class LabelStream:
    """The labels of one partition that wait for the learner."""

    def __init__(self, broker: Broker, keys: PartitionKeys) -> None:
        self._broker = broker
        self._keys = keys

    @property
    def partition(self) -> int:
        """The partition's number."""
        return self._keys.partition

    async def wait(self, most: int) -> list[WaitingLabel]:
        """Return the oldest labels as soon as there are any; none after a while without."""
        async with self._broker.guard():
            found = await self._broker.blocking_client.xread(
                {self._keys.labels: _START}, count=most, block=int(BLOCK_SECONDS * MS)
            )
        return [_read_entry(entry, fields) for _, entries in found or () for entry, fields in entries]

    async def forget(self, labels: Sequence[WaitingLabel]) -> None:
        """Delete labels that need not come again."""
        await self._broker.run_script("forget_labels", self._keys, [label.entry for label in labels])


class AnswerReports:
    """Reports of callers on the answers they got."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def report(self, task_id: str, text: str, verdict: Verdict, who: str) -> ReportFate:
        """Make a label of the picture that was kept for the answer; a later one for the same answer replaces it."""
        keys = self._broker.partitions[read_partition(task_id) or 0]
        arguments: list[Argument] = [task_id, text, str(verdict), who, self._broker.label_limit_bytes]
        return ReportFate((await self._broker.run_script("report", keys, arguments)).decode())


def _read_entry(entry: bytes, fields: dict[bytes, bytes]) -> WaitingLabel:
    try:
        return WaitingLabel(entry, _read_label(fields), fields[b"picture"])
    except (KeyError, ValueError):
        return WaitingLabel(entry, None)


def _read_label(fields: dict[bytes, bytes]) -> Label:
    texts: dict[str, Any] = {name: fields[name.encode()].decode() for name in _TEXTS}
    if not texts["id"] or not texts["host"]:
        raise ValueError("a label without an id or a target")
    return Label(
        label_id=texts["id"],
        host=texts["host"],
        text=texts["text"],
        verdict=Verdict(texts["verdict"]),
        origin=LabelOrigin(texts["origin"]),
        task_id=texts["task_id"] or None,
        at=write_time(int(fields[b"at_ms"])),
        who=texts["who"],
    )
