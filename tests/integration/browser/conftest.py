"""One browser for all tests of a module, and fresh sites for each."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.browser.stage import LocalSite, Stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    stage = Stage()
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
