"""Where an Idempotency-Key is remembered, and what each task of a batch is remembered by."""

import hashlib
from collections.abc import Collection

from captchad.domain.task_limits import BATCH_LIMIT


def choose_partition(key_digest: str, partitions: int) -> int:
    """Return the one partition an Idempotency-Key belongs to; never another, even if that one is down."""
    return int(key_digest, 16) % partitions


def derive_digest(key_digest: str, index: int) -> str:
    """Return what the `index`-th task of a submit is remembered by; the first bears the key's own digest."""
    return hashlib.sha256(f"{key_digest}\n{index}".encode()).hexdigest() if index else key_digest


def find_homes(digests: Collection[str], partitions: int) -> dict[str, int]:
    """Return the partition of each digest among so many; `digests` are those of tasks that were stored together.

    The tasks of a batch are all remembered where its first is; where that has expired, nobody can tell, and nobody asks
    for the others any more.
    """
    homes = {digest: choose_partition(digest, partitions) for digest in digests}
    for first in digests if len(digests) > 1 else ():
        for index in range(1, BATCH_LIMIT):
            derived = derive_digest(first, index)
            if derived in homes:
                homes[derived] = choose_partition(first, partitions)
    return homes
