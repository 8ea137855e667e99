"""Which connections a server keeps when there are too many: decisions alone, the server carries them out."""

import resource
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from captchad.web.middleware.addresses import name_caller

CONNECTIONS_LIMIT = 10_000
"""Whatever the operating system allows: each connection takes memory."""
RESERVED_FILES = 128
"""Descriptors kept for logs, /proc, subscriptions and whatever else a role opens, besides its pools for Redis."""
SHARE_OF_ONE_ADDRESS = 0.75

Connection = TypeVar("Connection")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The most connections at once, of all callers and of one; whoever `is_exempt` is bound by the first alone."""

    total: int = CONNECTIONS_LIMIT
    per_address: int = CONNECTIONS_LIMIT
    is_exempt: Callable[[str], bool] = lambda _: False


def find_connection_limits(
    pool_size: int, per_address: int | None, is_exempt: Callable[[str], bool]
) -> ConnectionLimits:
    """Return what the process's file descriptors allow, `pool_size` of them left for each of the two pools to Redis."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        files = CONNECTIONS_LIMIT + RESERVED_FILES + 2 * pool_size
    # At least half of them: a small limit is no reason to answer nobody.
    total = min(CONNECTIONS_LIMIT, max(files // 2, files - RESERVED_FILES - 2 * pool_size))
    return ConnectionLimits(total, per_address or max(1, int(total * SHARE_OF_ONE_ADDRESS)), is_exempt)


class ConnectionTable(Generic[Connection]):
    """All open connections of a server; those whose request has not come yet, the longest waiting first.

    Where a limit is exceeded, the connection that has waited longest for its request makes room, so that callers who
    send none can't keep others out. One that is being served is never given up.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._callers: dict[Connection, str] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._waiting: dict[Connection, None] = {}
        self._waiting_of: defaultdict[str, dict[Connection, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._callers)

    def enter(self, connection: Connection, peer: str | None) -> Connection | None:
        """Add a connection; return the one to close for it, which may be itself, or None."""
        caller = name_caller(peer or "")
        self._callers[connection] = caller
        self._counts[caller] += 1
        self.note_waiting(connection)
        if self._counts[caller] > self._limits.per_address and not self._limits.is_exempt(peer or ""):
            return next(iter(self._waiting_of[caller]))
        return next(iter(self._waiting)) if len(self._callers) > self._limits.total else None

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self.note_served(connection)
        caller = self._callers.pop(connection, None)
        if caller is None:
            return
        self._counts[caller] -= 1
        if not self._counts[caller]:
            del self._counts[caller]

    def note_served(self, connection: Connection) -> None:
        """A connection's request is here, whole, and is being answered."""
        if connection not in self._waiting:
            return
        del self._waiting[connection]
        caller = self._callers[connection]
        del self._waiting_of[caller][connection]
        if not self._waiting_of[caller]:
            del self._waiting_of[caller]

    def note_waiting(self, connection: Connection) -> None:
        """A connection waits for its first request, or for the next one."""
        caller = self._callers.get(connection)
        if caller is not None:
            self._waiting[connection] = None
            self._waiting_of[caller][connection] = None
