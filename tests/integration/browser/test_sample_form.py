"""The bundled site's login can be tried with `fill`, as the documentation shows it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from captchad.broker.consumer import Delivery, Settlement
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Fill
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.task import TaskRequest
from captchad.sample_site.site import SHAPES, SampleSite
from captchad.solving.reading import PictureReader
from captchad.solving.solver import Solver
from captchad.solving.task_target import find_task_target
from captchad.telemetry.metrics import Metrics
from tests.integration.browser.stage import Stage
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOGIN = Fill("#captcha", "#submit", success="#welcome", failure=".error", refresh="#refresh")
SHAPE = Fill("#captcha", "#submit", success="#welcome", failure=".error")


async def permit(_: Delivery) -> None:
    """Every answer may be sent."""


@pytest_asyncio.fixture(loop_scope="module")
async def sample(stage: Stage) -> AsyncIterator[SampleSite]:
    sample = SampleSite()
    await sample.start()
    stage.declare(sample.port)
    yield sample
    await sample.close()


async def settle(stage: Stage, sample: SampleSite, shape: str, misread: int, retry_count: int = 3) -> Settlement:
    """Solve the page of a shape by its truth, the first answers wrong."""
    readings = 0

    async def recognise(picture: bytes, hints: Hints, host: str) -> Recognition:
        nonlocal readings
        readings += 1
        return Recognition("!!!!" if readings <= misread else str(sample.truth("try")), 1.0, "truth")

    reader = PictureReader(recognise, lambda: 0.0)
    metrics = Metrics("worker", "test", "0")
    solver = Solver(stage.engine, reader, permit, metrics, stage.clock, lambda _: False)
    fill = LOGIN if shape == "login" else SHAPE
    request = TaskRequest(
        "127.0.0.1", url=sample.url("try", shape), fill=fill, retry_count=retry_count, timeout_seconds=PATIENCE_SECONDS
    )
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=PATIENCE_SECONDS)
    return await solver.solve(delivery, find_task_target(stage.policy.targets, request, stage.clock.today()))


@pytest.mark.parametrize("shape", ["login", *SHAPES])
async def test_a_wrong_answer_and_then_a_right_one(stage: Stage, sample: SampleSite, shape: str) -> None:
    settlement = await settle(stage, sample, shape, misread=1)
    assert settlement.result is not None, settlement.error
    assert settlement.result.verified is True
    assert sample.verdict("try") is True


async def test_nothing_but_wrong_answers(stage: Stage, sample: SampleSite) -> None:
    settlement = await settle(stage, sample, "login", misread=9, retry_count=1)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.WRONG_ANSWER
    assert sample.verdict("try") is False
