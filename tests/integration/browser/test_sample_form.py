"""Each page of the bundled site can be answered as its own table says, also after a wrong answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from captchad.broker.consumer import Delivery, Settlement
from captchad.config.settings import WorkerSection
from captchad.domain.errors import TaskErrorCode
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.target import Target
from captchad.sample_site.kinds import KINDS, LOGIN, PageKind
from captchad.sample_site.site import OTHER_NAME, SampleSite
from captchad.solving.reading import PictureReader
from captchad.solving.solver import Solver
from captchad.solving.task_target import find_task_target
from captchad.telemetry.metrics import Metrics
from captchad.web.api.validation import read_task
from tests.integration.browser.stage import Stage
from tests.patience import PATIENCE_SECONDS
from tests.permits import make_permits

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = {"page-text", "sum", "sum-in-words", "chinese-sum"}
"""Nothing recognises these: they can't be misread."""


@pytest_asyncio.fixture(loop_scope="module")
async def sample(stage: Stage, tmp_path: Path) -> AsyncIterator[SampleSite]:
    sample = SampleSite()
    await sample.start()
    stage.declare(sample.port)
    authority = tmp_path / "authority.pem"
    authority.write_bytes(sample.authority_pem)
    secure = Target(
        OTHER_NAME, (sample.secure_port,), allow_private_addresses=True, certificate_authorities=str(authority)
    )
    stage.policy.replace_targets((*stage.policy.targets, secure))
    yield sample
    await sample.close()


async def settle(stage: Stage, sample: SampleSite, kind: PageKind, misread: int, retry_count: int = 3) -> Settlement:
    """Solve a page by its truth, the first answers wrong."""
    readings = 0

    async def recognise(picture: bytes, hints: Hints, host: str) -> Recognition:
        nonlocal readings
        readings += 1
        return Recognition("!!!!" if readings <= misread else str(sample.truth("try")), 1.0, "truth")

    reader = PictureReader(recognise, lambda: 0.0)
    metrics = Metrics("worker", "test", "0")
    solver = Solver(stage.engine, reader, make_permits(), metrics, stage.clock, lambda _: False)
    task = {**sample.make_task("try", kind), "retry_count": retry_count, "timeout": PATIENCE_SECONDS}
    host = OTHER_NAME if kind.is_secure else "127.0.0.1"
    request = read_task(task).complete(host, None, WorkerSection())
    delivery = Delivery("id", 0, "token", 1, request, queued_ms=0.0, remaining_seconds=PATIENCE_SECONDS)
    return await solver.solve(delivery, find_task_target(stage.policy.targets, request, stage.clock.today()))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name not in TEXTS], ids=lambda kind: kind.name)
async def test_a_wrong_answer_and_then_a_right_one(stage: Stage, sample: SampleSite, kind: PageKind) -> None:
    settlement = await settle(stage, sample, kind, misread=1)
    assert settlement.result is not None, settlement.error
    assert settlement.result.verified is True
    assert sample.verdict("try") is True


async def test_nothing_but_wrong_answers(stage: Stage, sample: SampleSite) -> None:
    settlement = await settle(stage, sample, LOGIN, misread=9, retry_count=1)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.WRONG_ANSWER
    assert sample.verdict("try") is False
