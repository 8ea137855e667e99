"""Names the process that opened a remote session, so that others on its machine can see when it has ended."""

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE_LINK = "/proc/self/ns/pid"
_PLACE_LENGTH = 12
_TOKEN_BYTES = 4
_SHAPE = re.compile(r"([0-9a-f]{12})-([0-9]{1,9})-([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Opener:
    """One process; `place` is where its process id is valid: one boot of a machine, and one container."""

    place: str
    pid: int
    token: str

    def __str__(self) -> str:
        return f"{self.place}-{self.pid}-{self.token}"

    def has_ended(self, here: str) -> bool:
        """Whether the process is known to be gone, as seen from the place `here`."""
        return self.place == here and _is_gone(self.pid)


def name_this_process() -> Opener:
    """Return a name that no other process has, nor this one after a restart."""
    return Opener(find_place(), os.getpid(), secrets.token_hex(_TOKEN_BYTES))


def read_opener(text: str) -> Opener | None:
    """Parse an Opener's text; None for anything else."""
    match = _SHAPE.fullmatch(text)
    return Opener(match[1], int(match[2]), match[3]) if match else None


def find_place() -> str:
    """Return a name for this boot of this machine and this container's processes."""
    try:
        known = _BOOT_FILE.read_text(encoding="ascii") + os.readlink(_NAMESPACE_LINK)  # noqa: PTH115 - no path
    except OSError:
        known = secrets.token_hex()  # a place of its own, from which no process is known to have ended
    return hashlib.sha256(known.encode()).hexdigest()[:_PLACE_LENGTH]


def _is_gone(pid: int) -> bool:
    """Ask the kernel itself: /proc may hide other users' processes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
