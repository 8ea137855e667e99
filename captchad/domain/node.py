"""A running role as the fleet sees it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """The four roles one binary can start as."""

    GATEWAY = "gateway"
    SCHEDULER = "scheduler"
    WORKER = "worker"
    MONITOR = "monitor"


class NodeState(StrEnum):
    """Up and serving, finishing before it ends, or not heard of for a lease."""

    UP = "up"
    DRAINING = "draining"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class SystemLoad:
    """Load of one host in percent (0..100)."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a running role writes about itself at every heartbeat; `details` are its own statistics."""

    name: str
    incarnation: str
    role: Role
    host: str
    pid: int
    address: str
    version: str
    is_draining: bool
    load: SystemLoad | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def consumer(self) -> str:
        """The name this life of the role has in consumer groups and fences."""
        return f"{self.name}.{self.incarnation}"


@dataclass(frozen=True, slots=True)
class Node:
    """A role as the fleet sees it: its last report, how old that is and what follows from it."""

    report: NodeReport
    state: NodeState
    heartbeat_age_seconds: float
