"""Evidence of tasks: the captcha's picture and the page's screenshot, for as long as they are kept."""

from enum import StrEnum

from captchad.broker.connection import Broker
from captchad.broker.messages import UNCONFIRMED
from captchad.domain.errors import TaskNotFound
from captchad.domain.identifier import read_partition


class EvidencePart(StrEnum):
    """Which of a task's pictures; the value is the field it is stored in."""

    PICTURE = "picture"
    SCREENSHOT = "screenshot"


class EvidenceStore:
    """Reads evidence; workers write it together with the outcome of their attempt."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def read(self, task_id: str, part: EvidencePart) -> bytes:
        """Return a picture's bytes; TaskNotFound where it was not kept, or is not any more."""
        partition = read_partition(task_id)
        found: bytes | None = None
        if partition is not None and partition < len(self._broker.partitions):
            keys = self._broker.partitions[partition]
            async with self._broker.guard():
                pipeline = self._broker.client.pipeline(transaction=False)
                pipeline.hget(keys.evidence(task_id), part)
                pipeline.hget(keys.task(task_id), "status")
                found, status = await pipeline.execute()
            # It comes with the end, and is as little to be read before.
            found = None if status == UNCONFIRMED else found
        if not found:
            raise TaskNotFound(f"there is no {part} of {task_id}: it was not kept, or made room for newer evidence")
        return found
