"""The load of every host, from what the roles on it report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from captchad.domain.node import Node, NodeState, Role, SystemLoad


@dataclass(frozen=True, slots=True)
class HostLoad:
    """One host: its load as the freshest report of a role on it says, and which roles those are."""

    host: str
    load: SystemLoad
    roles: tuple[Role, ...]


def list_host_loads(nodes: Iterable[Node]) -> tuple[HostLoad, ...]:
    """Return every host with a role that is not lost and has reported its load, by name."""
    by_host: dict[str, list[Node]] = {}
    for node in nodes:
        if node.state is not NodeState.LOST:
            by_host.setdefault(node.report.host, []).append(node)
    found = []
    for host, members in sorted(by_host.items()):
        loads = [
            (node.heartbeat_age_seconds, node.report.consumer, node.report.load)
            for node in members
            if node.report.load is not None
        ]
        if loads:
            roles = tuple(sorted(node.report.role for node in members))
            found.append(HostLoad(host, min(loads, key=lambda entry: entry[:2])[2], roles))
    return tuple(found)


def mean_load(hosts: Sequence[HostLoad]) -> SystemLoad:
    """Return the mean over all hosts; all zero where none is known."""
    if not hosts:
        return SystemLoad(0.0, 0.0, 0.0)
    return SystemLoad(
        cpu_percent=round(fmean(host.load.cpu_percent for host in hosts), 1),
        memory_percent=round(fmean(host.load.memory_percent for host in hosts), 1),
        disk_percent=round(fmean(host.load.disk_percent for host in hosts), 1),
    )
