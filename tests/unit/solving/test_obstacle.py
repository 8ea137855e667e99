"""An attempt at a task whose session can't be opened here."""

from captchad.broker.consumer import AttemptOutcome, Delivery
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.solving.reading import PictureReader
from captchad.solving.solver import Solver
from captchad.telemetry.metrics import Metrics
from tests.unit.solving.no_browser import NoBrowser


async def refuse(picture: bytes, hints: Hints, host: str) -> Recognition:
    raise AssertionError(host)


async def test_an_obstacle_fails_the_attempt_before_any_page_and_another_worker_may_try() -> None:
    obstacle = AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "security.session_key is another one here")
    request = TaskRequest("localhost", url="http://localhost/", return_session=True)
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=60.0, obstacle=obstacle)
    metrics = Metrics("worker", "test", "0")
    reader = PictureReader(refuse, lambda: 0.0)
    solver = Solver(NoBrowser(), reader, lambda _: True, metrics, Clock())
    settlement = await solver.solve(delivery, Target("localhost"))
    assert settlement.outcome is AttemptOutcome.RETRYABLE
    assert settlement.error is not None
    assert (settlement.error.code, settlement.error.message) == (obstacle.task_error_code, obstacle.message)
