"""A running role as the fleet sees it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from captchad.domain.role_figures import RoleFigures, WorkerFigures


class Role(StrEnum):
    """The four roles one binary can start as."""

    GATEWAY = "gateway"
    SCHEDULER = "scheduler"
    WORKER = "worker"
    MONITOR = "monitor"


class NodeState(StrEnum):
    """Up and serving, draining, or not heard of for a lease."""

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
    """What a running role reports at every heartbeat; gateways and monitors have no `figures`.

    `certificate_digest` is the SHA-256, in hex, of the certificate at its address; None where that speaks plain HTTP.
    """

    name: str
    incarnation: str
    role: Role
    host: str
    pid: int
    address: str
    version: str
    is_draining: bool
    load: SystemLoad | None = None
    figures: RoleFigures | None = None
    certificate_digest: str | None = None

    @property
    def consumer(self) -> str:
        """The name of this process in consumer groups and fences."""
        return f"{self.name}.{self.incarnation}"

    @property
    def worker(self) -> WorkerFigures:
        """A worker's figures; empty ones where it has reported none."""
        return self.figures if isinstance(self.figures, WorkerFigures) else WorkerFigures()


@dataclass(frozen=True, slots=True)
class Node:
    """A role as the fleet sees it: its last report, how old that is and what follows from it."""

    report: NodeReport
    state: NodeState
    heartbeat_age_seconds: float


def leave_out_replaced(nodes: Iterable[Node]) -> list[Node]:
    """Return the nodes without the lost ones that were started again.

    A living node replaces a lost one of the same role and name, or at the same address of the same host; of several
    lost ones of a name the last seen stands for all.
    """
    listed = sorted(nodes, key=lambda node: (node.state is NodeState.LOST, node.heartbeat_age_seconds))
    found: list[Node] = []
    names: set[tuple[Role, str]] = set()
    addresses: set[tuple[str, str]] = set()
    for node in listed:
        report = node.report
        name, address = (report.role, report.name), (report.host, report.address)
        is_replaced = name in names or (bool(report.address) and address in addresses)
        if node.state is NodeState.LOST and is_replaced:
            continue
        found.append(node)
        names.add(name)
        if node.state is not NodeState.LOST:
            addresses.add(address)
    return found


def list_active_workers(nodes: Iterable[Node]) -> list[Node]:
    """Return the workers that are up: neither draining nor lost."""
    return [node for node in nodes if node.report.role is Role.WORKER and node.state is NodeState.UP]


def count_slots(nodes: Iterable[Node]) -> int:
    """Return how many tasks the workers that are up may work on at once."""
    # None where a worker of another release does not report it.
    return sum(node.report.worker.slots or 0 for node in list_active_workers(nodes))
