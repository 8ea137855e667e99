"""One browser for all tests of a module, or one for each mode of reuse, and fresh sites for each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.benchmarks.browser.configuration import browser_section
from tests.benchmarks.browser.contestants import SHELLS, find_program
from tests.integration.browser.stage import LocalSite, Stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    section = None
    if reuse := getattr(request, "param", None):
        executable = find_program(SHELLS)
        assert executable is not None
        section = browser_section(reuse, executable)
    stage = Stage(section)
    await stage.start()
    yield stage
    await stage.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Stage) -> AsyncIterator[Stage]:
    yield shared_stage
    await shared_stage.clear()


@pytest_asyncio.fixture(loop_scope="module")
async def site(stage: Stage) -> LocalSite:
    return await stage.add_site()
