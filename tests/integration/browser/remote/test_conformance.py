"""What a browser elsewhere must do as one launched here does, whatever kind it is; and how its end is noticed."""

import asyncio
import signal

import psutil
import pytest

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.spawn import TaskSet
from tests.integration.browser.remote.places import Place
from tests.integration.browser.remote.relay import Relay
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage
from tests.patience import PATIENCE_SECONDS, until_true
from tests.processes import read_command, signal_all

pytestmark = pytest.mark.long

NOTICED_SECONDS = 250
"""Ten times the heartbeat's second and its limit, which is eight to twenty."""


async def read_a_page(stage: Stage, site: LocalSite) -> None:
    site.put_page("/", '<img id="captcha" src="/picture">')
    site.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url(), timeout_seconds=PATIENCE_SECONDS)).picture == CAPTCHA_PNG


async def read_when_back(stage: Stage, site: LocalSite) -> None:
    """Read a page as soon as the place has recovered, as the tasks' retries would."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await read_a_page(stage, site)
            except AttemptFailed as error:
                if not error.is_retryable:
                    raise
                await asyncio.sleep(0.5)


async def begin_endless_visit(stage: Stage, site: LocalSite) -> "asyncio.Task[object]":
    """Begin a visit to a page that never answers; give it once the page is being waited for."""
    site.put_silence("/silence")
    site.arrived.clear()
    visit = TaskSet("test").spawn(stage.capture(site.url("/silence"), timeout_seconds=60), "visit")
    await asyncio.wait_for(site.arrived.wait(), 30)
    return visit


async def expect_crash(visit: "asyncio.Task[object]") -> None:
    with pytest.raises(AttemptFailed) as failed:
        await asyncio.wait_for(visit, NOTICED_SECONDS)
    assert failed.value.task_error_code is TaskErrorCode.BROWSER_CRASHED
    assert failed.value.is_retryable


async def test_a_page_is_read_there_and_named_after_us(stage: Stage, site: LocalSite) -> None:
    await read_a_page(stage, site)
    assert "captchad/" in site.headers["/"]["User-Agent"]
    assert stage.engine.figures().browser_version


async def test_pages_go_through_the_workers_proxy_alone(stage: Stage, site: LocalSite) -> None:
    undeclared = await stage.add_site(is_declared=False)
    site.put_page("/", f'<img id="captcha" src="/picture"><img src="{undeclared.url("/spy")}">')
    site.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(undeclared.url("/spy"))
    assert failed.value.task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert not undeclared.hits
    assert stage.proxy.refusal_counts["undeclared_port"] >= 2


async def test_what_one_task_leaves_the_next_does_not_find(stage: Stage, site: LocalSite) -> None:
    plant = "document.cookie = 'left=1'; localStorage.setItem('left', '1')"
    site.put_page("/plant", f'<img id="captcha" src="/picture"><script>{plant}</script>')
    report = "fetch('/report?' + document.cookie + (localStorage.getItem('left') ?? ''))"
    site.put_page("/look", f'<img id="captcha" src="/picture"><script>{report}</script>')
    site.put_picture("/picture", CAPTCHA_PNG)
    await stage.capture(site.url("/plant"))
    await stage.capture(site.url("/look"))
    assert "Cookie" not in site.headers["/look"]


async def test_several_pages_are_read_at_once(stage: Stage, site: LocalSite) -> None:
    await asyncio.gather(*(read_a_page(stage, site) for _ in range(4)))


async def test_a_browser_that_is_killed_costs_the_visit_and_is_replaced(
    place: Place, stage: Stage, site: LocalSite
) -> None:
    visit = await begin_endless_visit(stage, site)
    signal_all(place.browser_processes(), signal.SIGKILL)
    await expect_crash(visit)
    await asyncio.to_thread(place.revive)
    await read_when_back(stage, site)


async def test_a_browser_that_stands_still_is_noticed(place: Place, stage: Stage, site: LocalSite) -> None:
    visit = await begin_endless_visit(stage, site)
    stopped = place.browser_processes()
    try:
        signal_all(stopped, signal.SIGSTOP)
        await expect_crash(visit)
    finally:
        signal_all(stopped, signal.SIGCONT)


async def test_a_network_that_falls_silent_is_noticed(stage: Stage, site: LocalSite, relay: Relay) -> None:
    visit = await begin_endless_visit(stage, site)
    relay.fall_silent()
    await expect_crash(visit)
    await until_true(lambda: not stage.engine.figures().open_pages)


async def test_closing_leaves_nothing_behind(place: Place, stage: Stage, site: LocalSite) -> None:
    await read_a_page(stage, site)
    await stage.engine.close()
    assert not [child for child in psutil.Process().children() if "run-driver" in read_command(child)]
    await asyncio.to_thread(place.wait_until_left)
