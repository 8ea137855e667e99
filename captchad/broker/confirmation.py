"""The second half of every end: once enough replicas have it, it is made final and readable.

docs/architecture.md has the protocol and its failure cases.
"""

from collections.abc import Sequence

from captchad.broker.connection import Argument, Broker
from captchad.broker.redis_keys import PartitionKeys

_PREFIX = b"unconfirmed "


def _find_ending(answer: bytes) -> bytes | None:
    """Return the end that a script wrote and left to be confirmed; None where its answer is the task's status."""
    return answer.removeprefix(_PREFIX) if answer.startswith(_PREFIX) else None


async def confirm_ends(
    broker: Broker, keys: PartitionKeys, task_ids: Sequence[str], answers: Sequence[bytes]
) -> list[str]:
    """Make final what an acknowledged script call has ended; return its answers with the status of each task now.

    A task whose end was replaced meanwhile, by another attempt after a failover, stays `unconfirmed` here.
    """
    endings = [_find_ending(answer) for answer in answers]
    arguments: list[Argument] = []
    for task_id, ending in zip(task_ids, endings, strict=True):
        arguments += [task_id, ending] if ending is not None else []
    confirmed = iter(await broker.run_script("confirm", keys, arguments) if arguments else ())
    return [
        (answer if ending is None else next(confirmed)).decode()
        for answer, ending in zip(answers, endings, strict=True)
    ]
