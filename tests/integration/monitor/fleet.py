"""A monitor's services and a small fleet that works, for tests of the page."""

from dataclasses import dataclass

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Settlement
from captchad.broker.nodes import NodeRegistry
from captchad.broker.statistics import Statistics
from captchad.broker.target_closures import TargetClosures
from captchad.broker.target_proofs import TargetProofs
from captchad.broker.tasks import NewTask, QueueLimits, TaskStore
from captchad.config.settings import Configuration, SecuritySection
from captchad.domain.errors import TaskErrorCode
from captchad.domain.identifier import make_task_id
from captchad.domain.node import NodeReport, Role, SystemLoad
from captchad.domain.recognition import CaptchaKind
from captchad.domain.role_figures import BrowserFigures, RoleFigures, SchedulerFigures, WorkerFigures
from captchad.domain.target import Target
from captchad.domain.task import Priority, TaskError, TaskRequest, TaskResult
from captchad.monitoring.alerts import AlertThresholds
from captchad.monitoring.exposition import FleetExposition
from captchad.monitoring.fleet import FleetReader
from captchad.monitoring.fleet_monitor import FleetMonitor
from captchad.monitoring.target_states import TargetStateReader
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.runtime.supervisor import Supervisor
from captchad.telemetry.metrics import Metrics
from captchad.web.application import build_application
from captchad.web.dashboard.routes import add_dashboard_routes
from captchad.web.middleware.access import AccessPolicy, Authenticate
from captchad.web.middleware.gate import Gate
from captchad.web.ops.routes import NodeIdentity, OpsRoutes, add_ops_routes
from captchad.web.server import Bind, WebServer
from tests.integration.protocol import DEAD_LETTER_LIMITS

LEASE_SECONDS = 60.0
CLOSED = "closed.example"
"""A declared target."""

LIMITS = QueueLimits(tasks=1000, bytes=10_000_000)
MODERATE_LOAD = SystemLoad(31.0, 42.5, 63.0)
ROLE_FIGURES: dict[Role, RoleFigures] = {
    Role.SCHEDULER: SchedulerFigures(is_active=True),
    Role.WORKER: WorkerFigures(
        slots=4,
        busy=2,
        tasks_done=1200,
        tasks_failed=34,
        browser=BrowserFigures("Chromium 131", pages_served=1234, rss_bytes=412_000_000, recycled=3),
    ),
}


class MonitorUnderTest:
    """The monitor's page and metrics on a free port, on top of a real broker."""

    def __init__(
        self,
        broker: Broker,
        authenticate: Authenticate | None = None,
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        self.metrics = Metrics("monitor", "monitor-1", "1.2.3")
        store, closures = TaskStore(broker, LIMITS), TargetClosures(broker)
        targets = TargetStateReader(closures, TargetProofs(broker), lambda: [Target(CLOSED)])
        reader = FleetReader(NodeRegistry(broker), Statistics(broker), store, LEASE_SECONDS, targets)
        thresholds = AlertThresholds(expected_workers=1, queue_limit=LIMITS.tasks)
        self.monitor = FleetMonitor(reader, lambda: thresholds, clock)
        self.exposition = FleetExposition(self.metrics, self.monitor)
        security = SecuritySection(api_key_required=authenticate is not None)
        self.application = application = build_application(
            Gate(AccessPolicy(security, authenticate), self.metrics, clock)
        )
        identity = NodeIdentity("monitor", "monitor-1", "1.2.3")
        supervisor = Supervisor("monitor", drain_seconds=1.0)
        add_ops_routes(application, OpsRoutes(identity, supervisor, self.exposition.render_fresh, Configuration))
        add_dashboard_routes(application, self.monitor, security.api_key_required)
        self._server = WebServer(Bind(port=port), application)
        self._work = TaskSet("monitor")

    @property
    def port(self) -> int:
        return self._server.bound_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        await self._server.start()
        self._work.spawn(self.monitor.run(), "fleet")

    async def stop(self) -> None:
        await self._server.drain()
        await self.monitor.drain()
        await self._server.close()
        await self._work.cancel_all()


@dataclass
class SmallFleet:
    """One node of each role as Redis knows them, and a worker's hand to end tasks with."""

    broker: Broker
    store: TaskStore
    consumer: Consumer
    registry: NodeRegistry

    async def report_all(
        self, host: str = "host-a", load: SystemLoad = MODERATE_LOAD, is_draining: bool = False
    ) -> None:
        for role in Role:
            await self.registry.write(
                NodeReport(
                    name=f"{role}-1",
                    incarnation="ab12",
                    role=role,
                    host=host,
                    pid=4711,
                    address="http://127.0.0.1:8001",
                    version="1.2.3",
                    is_draining=is_draining,
                    load=load,
                    figures=ROLE_FIGURES.get(role),
                )
            )

    async def submit(
        self,
        target: str = "captcha.example",
        priority: Priority = Priority.NORMAL,
        key_id: str | None = None,
        retry_count: int = 0,
    ) -> str:
        url = f"http://{target}/login"
        request = TaskRequest(target, url, priority=priority, retry_count=retry_count, key_id=key_id)
        return (await self.store.submit([NewTask(make_task_id(0), request)]))[0]

    async def complete(self, text: str, confidence: float = 0.93) -> None:
        """Take the next task and end it with `text`."""
        (delivery,) = await self.consumer.take(1)
        result = TaskResult(text, confidence, CaptchaKind.TEXT, "test", timings_ms={"open": 210.0, "total": 412.0})
        await self.consumer.settle([Settlement(delivery, AttemptOutcome.COMPLETED, result=result)])

    async def fail(self, message: str, code: TaskErrorCode = TaskErrorCode.CAPTCHA_NOT_FOUND) -> None:
        """Take the next task and let it fail for good."""
        (delivery,) = await self.consumer.take(1)
        error = TaskError(code, message, is_retryable=False)
        await self.consumer.settle([Settlement(delivery, AttemptOutcome.FAILED, error=error)])


def make_small_fleet(broker: Broker) -> SmallFleet:
    consumer = Consumer(broker, broker.partitions[0], "worker-1", "worker-1.ab12", DEAD_LETTER_LIMITS)
    return SmallFleet(broker, TaskStore(broker, LIMITS), consumer, NodeRegistry(broker))
