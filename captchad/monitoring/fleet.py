"""The fleet at one moment: what Redis knows of nodes, queues, figures and recent tasks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from captchad.broker.captcha_watch import WatchedCaptcha
from captchad.broker.nodes import NodeRegistry
from captchad.broker.statistics import QueueStatus, RecentHour, Statistics, Totals
from captchad.broker.target_closures import TargetClosures
from captchad.broker.task_pages import TaskQuery
from captchad.broker.tasks import TaskStore
from captchad.domain.node import Node, NodeState, Role
from captchad.domain.task import TaskRecord
from captchad.monitoring.hosts import HostLoad, list_host_loads

RECENT_TASKS_LIMIT = 25


@dataclass(frozen=True, slots=True)
class FleetSnapshot:
    """Everything that was read in one go; `tasks` is None where nobody asked for them.

    `fill_closed_ms` says of targets where no form is filled since when that is so.
    """

    nodes: tuple[Node, ...]
    hosts: tuple[HostLoad, ...]
    queue: QueueStatus
    totals: Totals
    recent_hour: RecentHour
    captchas: Mapping[str, WatchedCaptcha] = field(default_factory=dict)
    tasks: tuple[TaskRecord, ...] | None = None
    fill_closed_ms: Mapping[str, int] = field(default_factory=dict)

    def count_up(self, role: Role) -> int:
        """How many nodes of a role serve: neither draining nor lost."""
        return sum(node.report.role is role and node.state is NodeState.UP for node in self.nodes)


class FleetReader:
    """Puts a snapshot together; `lease_seconds` decides which nodes count as lost.

    `hosts` returns the declared targets.
    """

    def __init__(
        self,
        nodes: NodeRegistry,
        statistics: Statistics,
        tasks: TaskStore,
        lease_seconds: float,
        closures: TargetClosures,
        hosts: Callable[[], Iterable[str]],
    ) -> None:
        self._nodes = nodes
        self._statistics = statistics
        self._tasks = tasks
        self._lease_seconds = lease_seconds
        self._closures = closures
        self._hosts = hosts

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
            fill_closed_ms=await self._closures.read_fill_closed(self._hosts()),
        )
