"""What a page leaves to be sent or answered later never reaches the next visit, in a tab used again or a fresh one."""

import asyncio

import pytest

from captchad.domain.page import PageOrder
from tests.benchmarks.browser.configuration import REUSE_MODES
from tests.integration.browser.late_site import PLANTS, LateSite, Plant
from tests.integration.browser.stage import LocalSite, Stage
from tests.patience import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("shared_stage", REUSE_MODES, indirect=True, scope="module"),
]


async def visit(stage: Stage, site: LocalSite, path: str) -> None:
    """Read a page, in a tab of this site's own, and wait until it is cleaned or closed."""
    await stage.visit(PageOrder(site.url(path), f"site-{site.port}", key_id="key"))


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
