"""Task ids: `task_`, the partition as 2 hex digits, then 26 random base32 characters."""

import re
import secrets

PARTITIONS_LIMIT = 256
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
# 26 base32 characters are 130 bits: an id can't be guessed.
_RANDOM_LENGTH = 26
TASK_ID_PATTERN = rf"task_([0-9a-f]{{2}})[a-z2-7]{{{_RANDOM_LENGTH}}}"
_PATTERN = re.compile(TASK_ID_PATTERN)


def make_task_id(partition: int) -> str:
    """Make a new id in `partition` (0..255) with 130 random bits."""
    return f"task_{partition:02x}" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))


def read_partition(task_id: str) -> int | None:
    """Return the partition an id names, or None where it isn't a task id at all."""
    match = _PATTERN.fullmatch(task_id)
    return int(match.group(1), 16) if match else None
