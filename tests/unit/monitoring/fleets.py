"""Snapshots made by hand, for rules that must not need a Redis."""

from dataclasses import replace

from captchad.broker.captcha_watch import WatchedCaptcha
from captchad.broker.statistics import MinuteFigures, QueueStatus, RecentHour, Totals
from captchad.domain.node import Node, NodeReport, NodeState, Role, SystemLoad
from captchad.domain.proof import TargetStanding
from captchad.monitoring.fleet import FleetSnapshot
from captchad.monitoring.hosts import list_host_loads
from captchad.monitoring.target_states import TargetStates

CALM = SystemLoad(10.0, 20.0, 30.0)


def make_node(
    role: Role,
    *,
    name: str = "",
    state: NodeState = NodeState.UP,
    host: str = "host-a",
    load: SystemLoad | None = CALM,
    age_seconds: float = 0.5,
    version: str = "1.0",
) -> Node:
    report = NodeReport(name or f"{role}-1", "a1", role, host, 1, "", version, False, load)
    return Node(report, state, age_seconds)


def make_snapshot(
    *nodes: Node,
    failed: int = 0,
    completed: int = 0,
    queue: QueueStatus | None = None,
    captchas: dict[str, WatchedCaptcha] | None = None,
    fill_closed_ms: dict[str, int] | None = None,
    standings: dict[str, TargetStanding] | None = None,
) -> FleetSnapshot:
    """A healthy fleet unless told otherwise; `failed` and `completed` ended in the present minute."""
    members = nodes or tuple(make_node(role) for role in Role)
    minutes = tuple(MinuteFigures(60_000 * number) for number in range(59))
    return FleetSnapshot(
        nodes=members,
        hosts=list_host_loads(members),
        queue=queue or QueueStatus(),
        totals=Totals(),
        recent_hour=RecentHour((*minutes, MinuteFigures(60_000 * 59, completed, failed))),
        captchas=captchas or {},
        targets=TargetStates(fill_closed_ms or {}, standings or {}),
    )


def without(role: Role) -> FleetSnapshot:
    snapshot = make_snapshot()
    return replace(snapshot, nodes=tuple(node for node in snapshot.nodes if node.report.role is not role))
