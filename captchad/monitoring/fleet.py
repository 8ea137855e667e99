"""The fleet at one moment: what Redis knows of nodes, queues, figures and recent tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from captchad.broker.captcha_watch import WatchedCaptcha
from captchad.broker.nodes import NodeRegistry
from captchad.broker.statistics import QueueStatus, RecentHour, Statistics, Totals
from captchad.broker.task_pages import TaskQuery
from captchad.broker.tasks import TaskStore
from captchad.domain.node import Node, NodeState, Role
from captchad.domain.task import TaskRecord
from captchad.monitoring.hosts import HostLoad, list_host_loads
from captchad.monitoring.target_states import TargetStateReader, TargetStates

RECENT_TASKS_LIMIT = 25


@dataclass(frozen=True, slots=True)
class FleetSnapshot:
    """Everything that was read in one go; `tasks` is None where nobody asked for them."""

    nodes: tuple[Node, ...]
    hosts: tuple[HostLoad, ...]
    queue: QueueStatus
    totals: Totals
    recent_hour: RecentHour
    captchas: Mapping[str, WatchedCaptcha] = field(default_factory=dict)
    tasks: tuple[TaskRecord, ...] | None = None
    targets: TargetStates = field(default_factory=TargetStates)

    def count_up(self, role: Role) -> int:
        """How many nodes of a role serve: neither draining nor lost."""
        return sum(node.report.role is role and node.state is NodeState.UP for node in self.nodes)


class FleetReader:
    """Puts a snapshot together; `lease_seconds` decides which nodes count as lost."""

    def __init__(
        self,
        nodes: NodeRegistry,
        statistics: Statistics,
        tasks: TaskStore,
        lease_seconds: float,
        targets: TargetStateReader,
    ) -> None:
        self._nodes = nodes
        self._statistics = statistics
        self._tasks = tasks
        self._lease_seconds = lease_seconds
        self._targets = targets

    async def read(self, with_tasks: bool) -> FleetSnapshot:
        """Read the fleet now; BrokerUnavailable where Redis does not answer."""
        nodes = await self._nodes.read_all(self._lease_seconds)
        tasks = None
        if with_tasks:
            tasks = (await self._tasks.list_page(TaskQuery(limit=RECENT_TASKS_LIMIT))).tasks
        return FleetSnapshot(
            nodes=tuple(sorted(nodes, key=lambda node: (list(Role).index(node.report.role), node.report.consumer))),
            hosts=list_host_loads(nodes),
            queue=await self._statistics.queue_status(),
            totals=await self._statistics.totals(),
            recent_hour=await self._statistics.recent_hour(),
            captchas=await self._statistics.captchas(),
            tasks=tasks,
            targets=await self._targets.read(),
        )
