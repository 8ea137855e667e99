"""What a page leaves to be sent or answered later never reaches the next visit, in a tab used again or a fresh one."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from captchad.domain.page import PageOrder
from tests.benchmarks.browser.configuration import REUSE_MODES, browser_section
from tests.benchmarks.browser.contestants import SHELLS, find_program
from tests.integration.browser.late_site import PLANTS, LateSite, Plant
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage
from tests.patience import PATIENCE_SECONDS, until_true

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=REUSE_MODES)
async def shared_stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    executable = find_program(SHELLS)
    assert executable is not None
    stage = Stage(browser_section(request.param, executable))
    await stage.start()
    yield stage
    await stage.close()


async def visit(stage: Stage, site: LocalSite, path: str) -> None:
    """Read a page, in a tab of this site's own, and wait until it is cleaned or closed."""
    order = PageOrder(site.url(path), f"site-{site.port}", key_id="key")
    assert (await stage.read_page(order)).picture == CAPTCHA_PNG
    await until_true(lambda: not stage.engine.figures().open_pages)


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
async def test_no_cookie_comes_late_by(plant: Plant, stage: Stage, site: LocalSite) -> None:
    late = LateSite(site)
    late.plant(plant)
    reused_before = stage.engine.figures().reused_tabs or 0
    await visit(stage, site, "/plant")
    await visit(stage, site, "/look")
    await visit(stage, site, "/look")
    assert late.cookies == []
    # A tab that is clean serves again, the planted one as well.
    reused = (stage.engine.figures().reused_tabs or 0) - reused_before
    assert reused == (1 + plant.is_kept if stage.reuse == "same_target" else 0)


async def test_what_is_under_way_is_cut_off_when_the_visit_ends(stage: Stage, site: LocalSite) -> None:
    late = LateSite(site)
    late.plant(PLANTS["a keepalive fetch"])
    await visit(stage, site, "/plant")
    await asyncio.wait_for(late.cut_off.wait(), PATIENCE_SECONDS)
