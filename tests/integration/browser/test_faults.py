"""Browsers and pages that crash, hang or are given up: one attempt is lost, never the worker."""

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from captchad.browser.browsers.connection import BrowserSource, LaunchFailed
from captchad.browser.launch.process import BrowserProcess, LaunchedBrowsers
from captchad.config.settings import BrowserSection
from captchad.domain.errors import AttemptFailed, DependencyMissing, TaskErrorCode
from captchad.egress.known_browsers import NETWORK_SERVICE
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage
from tests.patience import PATIENCE_SECONDS, until_true
from tests.processes import await_ends, is_alive, list_descendants, read_command, signal_all

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPTCHA = '<img id="captcha" src="/picture">'
TIMER_SECONDS = 0.1
GRACE_SECONDS = 10.0
"""What letting go of a page may take: ten times the second at most of a quiet machine."""


def find_processes(name: str) -> list[psutil.Process]:
    """Return this process's descendants whose command line contains `name`."""
    return [child for child in list_descendants() if name in " ".join(read_command(child))]


async def check_works(stage: Stage, site: LocalSite) -> None:
    site.put_page("/works", CAPTCHA)
    site.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url("/works"))).picture == CAPTCHA_PNG


async def measure_enough_seconds(stage: Stage, site: LocalSite) -> float:
    """Return what is more than enough for a page where all is well, on this machine at this moment."""
    await check_works(stage, site)
    began_seconds = stage.clock.monotonic_seconds()
    await check_works(stage, site)
    return max(2.0, 10 * (stage.clock.monotonic_seconds() - began_seconds))


async def start_silent_capture(
    stage: Stage, site: LocalSite, timeout_seconds: float
) -> tuple["asyncio.Task[object]", asyncio.Event]:
    """Begin a capture of a page that never answers; give it once the site was asked, and when it let go."""
    gone = site.put_silence("/silence")
    site.arrived.clear()
    task = TaskSet("test").spawn(stage.capture(site.url("/silence"), None, timeout_seconds), "capture")
    await wait_until_asked(site, task)
    return task, gone


async def wait_until_asked(site: LocalSite, task: "asyncio.Task[object]") -> None:
    """Wait until the browser has asked the site, unless the attempt is over before."""
    await until_true(lambda: site.arrived.is_set() or task.done())
    assert site.arrived.is_set(), "the attempt ended before the site was asked"


async def test_a_page_that_hangs_ends_in_time_and_leaves_nothing_open(site: LocalSite, stage: Stage) -> None:
    hanging_seconds = await measure_enough_seconds(stage, site)
    started_seconds = stage.clock.monotonic_seconds()
    task, gone = await start_silent_capture(stage, site, hanging_seconds)
    with pytest.raises(AttemptFailed) as failed:
        await task
    assert failed.value.task_error_code is TaskErrorCode.ATTEMPT_TIMEOUT
    assert stage.clock.monotonic_seconds() - started_seconds > hanging_seconds - TIMER_SECONDS
    await asyncio.wait_for(gone.wait(), GRACE_SECONDS)
    await check_works(stage, site)


async def test_a_page_that_spins_ends_in_time(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", "<script>setTimeout(() => {for (;;);}, 50)</script>")
    with pytest.raises(AttemptFailed) as failed:
        async with asyncio.timeout(2 + GRACE_SECONDS):
            await stage.capture(site.url(), None, 2)
    assert failed.value.task_error_code is TaskErrorCode.ATTEMPT_TIMEOUT
    await check_works(stage, site)


async def lose(task: "asyncio.Task[object]", marker: str) -> AttemptFailed:
    """Kill every process with `marker` in its command line; return what the attempt ended with."""
    signal_all(find_processes(marker))
    with pytest.raises(AttemptFailed) as failed:
        await task
    return failed.value


async def test_cancelling_closes_the_page_at_once(site: LocalSite, stage: Stage) -> None:
    task, gone = await start_silent_capture(stage, site, PATIENCE_SECONDS)
    task.cancel()
    async with asyncio.timeout(GRACE_SECONDS):
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone.wait()
    # A page of the test before may still be being cleaned, beside this one.
    await until_true(lambda: not stage.engine.figures().open_pages)
    await check_works(stage, site)


async def test_a_browser_killed_under_a_task_costs_that_attempt_only(site: LocalSite, stage: Stage) -> None:
    crashes_before = stage.engine.figures().crashes
    task, _ = await start_silent_capture(stage, site, PATIENCE_SECONDS)
    failure = await lose(task, "--remote-debugging-pipe")
    assert failure.task_error_code is TaskErrorCode.BROWSER_CRASHED
    assert failure.is_retryable
    await check_works(stage, site)
    assert stage.engine.figures().crashes == crashes_before + 1


async def test_a_killed_renderer_costs_that_attempt_only(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", "<p>nothing here</p><script>fetch('/silence')</script>")
    site.put_silence("/silence")
    task = TaskSet("test").spawn(stage.capture(site.url()), "capture")
    await wait_until_asked(site, task)
    failure = await lose(task, "--type=renderer")
    assert failure.task_error_code is TaskErrorCode.BROWSER_CRASHED
    await check_works(stage, site)


def put_slow_pages(site: LocalSite) -> None:
    """Put pages whose navigation takes long: no answer, an answer without end, and one behind a redirect."""
    site.put_silence("/silence")
    site.put_redirect("/redirect", "/silence")

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/html"})
        await answer.prepare(request)
        site.arrived.set()
        while True:
            await answer.write(b"<p>slow</p>" * 100)
            await asyncio.sleep(0.05)

    site.put("/drip", drip)


@pytest.mark.parametrize("path", ["/silence", "/redirect", "/drip"])
@pytest.mark.parametrize("pause_seconds", [0.0, 0.1, 0.3])
async def test_a_renderer_killed_while_it_navigates_is_a_crash(
    path: str, pause_seconds: float, site: LocalSite, stage: Stage
) -> None:
    put_slow_pages(site)
    await check_works(stage, site)
    task = TaskSet("test").spawn(stage.capture(site.url(path)), "capture")
    await wait_until_asked(site, task)
    await asyncio.sleep(pause_seconds)
    failure = await lose(task, "--type=renderer")
    assert failure.task_error_code is TaskErrorCode.BROWSER_CRASHED
    assert failure.is_retryable
    await check_works(stage, site)


@pytest.mark.parametrize(
    "words", ["net::ERR_ABORTED at http://127.0.0.1/", "net::ERR_ABORTED; maybe frame was detached?"]
)
async def test_a_navigation_that_ends_before_its_page_is_known_to_have_crashed_is_a_crash(
    words: str, site: LocalSite, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver hears of both at once, in either order."""
    site.put_silence("/silence")

    async def fail(page: Page, url: str, **_: object) -> None:
        signal_all(find_processes("--type=renderer"))
        raise PlaywrightError(f"Page.goto: {words}")

    with monkeypatch.context() as losing:
        losing.setattr(Page, "goto", fail)
        with pytest.raises(AttemptFailed) as failed:
            await stage.capture(site.url("/silence"))
    assert failed.value.task_error_code is TaskErrorCode.BROWSER_CRASHED
    await check_works(stage, site)


@pytest.mark.parametrize("path", ["/silence", "/redirect"])
async def test_a_navigation_lost_with_the_browsers_network_process_may_be_tried_again(
    path: str, site: LocalSite, stage: Stage
) -> None:
    put_slow_pages(site)
    await check_works(stage, site)
    task = TaskSet("test").spawn(stage.capture(site.url(path)), "capture")
    await wait_until_asked(site, task)
    failure = await lose(task, NETWORK_SERVICE)
    assert failure.is_retryable
    await check_works(stage, site)


async def test_a_message_to_a_driver_that_has_ended_is_a_crash(
    site: LocalSite, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What uvloop says of a pipe whose other end is gone is no error of Playwright's."""

    async def fail(page: Page, url: str, **_: object) -> None:
        raise RuntimeError("unable to perform operation on <WriteUnixTransport closed=True>; the handler is closed")

    with monkeypatch.context() as losing:
        losing.setattr(Page, "goto", fail)
        with pytest.raises(AttemptFailed) as failed:
            await stage.capture(site.url("/works"))
    assert failed.value.task_error_code is TaskErrorCode.BROWSER_CRASHED
    await check_works(stage, site)


async def test_a_killed_driver_is_started_again(site: LocalSite, stage: Stage) -> None:
    task, _ = await start_silent_capture(stage, site, PATIENCE_SECONDS)
    browsers = find_processes("--remote-debugging-pipe")
    failure = await lose(task, "run-driver")
    assert failure.task_error_code is TaskErrorCode.BROWSER_CRASHED
    await check_works(stage, site)
    assert await asyncio.to_thread(await_ends, browsers) == []


async def test_a_browser_that_stands_still_is_killed_and_replaced(site: LocalSite, stage: Stage) -> None:
    await check_works(stage, site)
    stopped = find_processes("--remote-debugging-pipe")
    signal_all(stopped, signal.SIGSTOP)
    with pytest.raises(AttemptFailed) as failed:
        async with asyncio.timeout(1 + GRACE_SECONDS):
            await stage.capture(site.url("/works"), None, 1)
    assert failed.value.task_error_code is TaskErrorCode.ATTEMPT_TIMEOUT
    assert await asyncio.to_thread(await_ends, stopped) == []
    await check_works(stage, site)


@pytest.mark.parametrize("marker", [NETWORK_SERVICE, "--type=zygote", "--type=gpu-process"])
async def test_a_browser_of_which_a_part_stands_still_does_not_fail_page_after_page(
    marker: str, site: LocalSite, stage: Stage
) -> None:
    enough_seconds = await measure_enough_seconds(stage, site)
    stopped = find_processes(marker)
    signal_all(stopped, signal.SIGSTOP)
    lost: list[AttemptFailed] = []
    try:
        for _ in range(8):
            try:
                await stage.capture(site.url("/works"), None, enough_seconds)
            except AttemptFailed as failure:
                lost.append(failure)
    finally:
        # Where every page could do without that part, the browser is still there: the next test would meet the hang.
        signal_all(stopped, signal.SIGCONT)
    assert len(lost) <= 4
    assert all(failure.is_retryable for failure in lost)


async def test_a_browser_that_can_open_no_page_any_more_is_replaced(site: LocalSite, stage: Stage) -> None:
    await check_works(stage, site)
    crashes_before = stage.engine.figures().crashes or 0
    signal_all(find_processes("--type=zygote"), signal.SIGKILL)
    lost: list[AttemptFailed] = []
    for _ in range(20):
        try:
            await stage.capture(site.url("/works"), None, GRACE_SECONDS)
        except AttemptFailed as failure:
            lost.append(failure)
    assert all(failure.is_retryable for failure in lost)
    # The page that was open, a tab that waited, and one that could not be opened any more.
    assert len(lost) <= 4
    # Counted once its last page is closed, which no attempt waits for.
    await until_true(lambda: (stage.engine.figures().crashes or 0) > crashes_before)


async def test_a_browser_over_its_limits_is_replaced_between_pages() -> None:
    stage = Stage(BrowserSection(recycle_pages=2))
    await stage.start()
    try:
        site = await stage.add_site()
        for _ in range(5):
            await check_works(stage, site)
        figures = stage.engine.figures()
        assert (figures.recycled or 0) >= 1
        assert (figures.crashes, figures.pages_served) == (0, 5)
    finally:
        await stage.close()


async def test_closing_leaves_no_process_and_no_task(stage: Stage) -> None:
    before = list_descendants()
    other = Stage()
    await other.start()
    started = [child for child in list_descendants() if child not in before]
    assert started
    site = await other.add_site()
    await check_works(other, site)
    await other.close()
    assert not [child for child in started if is_alive(child)]
    assert stage.engine.health().is_ready
    assert not other.engine.health().is_ready


class AbsentBrowsers(LaunchedBrowsers):
    """None can be had the next few times."""

    refusals = 0

    async def open(self) -> BrowserProcess:
        if self.refusals > 0:
            self.refusals -= 1
            raise LaunchFailed("it is away")
        return await super().open()


@pytest_asyncio.fixture(loop_scope="module")
async def recycling_stage() -> AsyncIterator[tuple[Stage, LocalSite, AbsentBrowsers]]:
    """A stage that needs another browser for every page, with a site."""
    config = BrowserSection(recycle_pages=1)
    sources: list[AbsentBrowsers] = []

    def make_source(proxy: FilteringProxy, clock: Clock) -> BrowserSource:
        sources.append(AbsentBrowsers(config, proxy, clock))
        return sources[0]

    stage = Stage(config, make_source)
    await stage.start()
    yield stage, await stage.add_site(), sources[0]
    await stage.close()


async def test_an_attempt_waits_for_a_browser_that_is_away(
    recycling_stage: tuple[Stage, LocalSite, AbsentBrowsers],
) -> None:
    stage, site, source = recycling_stage
    await check_works(stage, site)
    source.refusals = 4
    await check_works(stage, site)
    assert source.refusals == 0


async def test_an_attempt_without_a_browser_ends_with_the_reason(
    recycling_stage: tuple[Stage, LocalSite, AbsentBrowsers],
) -> None:
    stage, site, source = recycling_stage
    await check_works(stage, site)
    source.refusals = 100
    with pytest.raises(AttemptFailed, match="it is away") as failed:
        await stage.capture(site.url("/works"), None, 4)
    assert failed.value.task_error_code is TaskErrorCode.BROWSER_CRASHED
    tasks = TaskSet("test")
    tasks.spawn(stage.engine.run(), "engine")
    waiting = tasks.spawn(stage.engine.wait_serving(), "wait")
    await asyncio.sleep(0.1)
    assert not waiting.done()
    source.refusals = 0
    await asyncio.wait_for(waiting, PATIENCE_SECONDS)
    await tasks.cancel_all()


async def test_a_browser_that_is_not_there_is_named_with_its_fix() -> None:
    stage = Stage(BrowserSection(executable="/nowhere/chromium"))
    try:
        with pytest.raises(DependencyMissing, match=r"browser\.executable"):
            await stage.start()
    finally:
        await stage.close()


async def test_nothing_survives_a_worker_killed_outright() -> None:
    program = textwrap.dedent(
        """
        import asyncio
        from tests.integration.browser.stage import Stage
        async def main():
            stage = Stage()
            await stage.start()
            print("up", flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
        """
    )
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE, cwd=Path.cwd())
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"up\n"
    children = list_descendants(worker.pid)
    assert len(children) > 2
    worker.kill()
    await worker.wait()
    assert await asyncio.to_thread(await_ends, children) == []
