"""Pages and sites that attack: attempts end in time with the right code, nothing else is reached, all stays well."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from ipaddress import ip_address

import psutil
import pytest
import pytest_asyncio

from captchad.browser.engine import BrowserEngine
from captchad.config.settings import BrowserSection
from captchad.domain.address import IpAddress
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.target import Target
from captchad.egress.proxy import FilteringProxy
from captchad.egress.resolver import Resolver
from captchad.runtime.spawn import TaskSet
from tests.integration.browser.downloads import list_downloads
from tests.integration.browser.hostile_pages import (
    CAPTCHA,
    FLOODS,
    FRUITLESS,
    JUMPING,
    KEPT_LOADING,
    LEAVING,
    LIES,
    MEMORY_BOMBS,
    SOLVABLE,
)
from tests.integration.browser.hostile_site import HostileSite
from tests.integration.browser.stage import CAPTCHA_PNG, Stage
from tests.integration.egress.goal import Goal
from tests.patience import PATIENCE_SECONDS
from tests.processes import list_descendants

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

GRACE_SECONDS = 10.0
"""What ending an attempt may take beyond its time: ten times the second at most of a quiet machine."""

SHORT_SECONDS = 2.0
BOMB_SECONDS = 6.0
PROCESS_LIMIT_BYTES = 1 << 30
HOARDERS = 5
HOARD = f"<script>const k = []; while (k.length < 15) k.push(new Uint8Array(1 << 25).fill(1))</script>{KEPT_LOADING}"
"""Takes less than one process may have; five of them take more than a browser may."""

HOARD_SECONDS = 12.0
MAPPED_FILES_BYTES = 400 << 20
"""What a process shows as resident beside its data: the program itself, and memory shared with others."""

TIMED_OUT = {TaskErrorCode.ATTEMPT_TIMEOUT}
NOT_OPENED = {TaskErrorCode.NAVIGATION_FAILED}
NOTHING_FOUND = {TaskErrorCode.ATTEMPT_TIMEOUT, TaskErrorCode.CAPTCHA_NOT_FOUND}
CUT_OFF = {*NOTHING_FOUND, TaskErrorCode.NAVIGATION_FAILED}
LOST = {*NOTHING_FOUND, TaskErrorCode.BROWSER_CRASHED}

ENDS = {
    "/drip-head": TIMED_OUT,
    "/drip-page": TIMED_OUT,
    "/drip-picture": NOTHING_FOUND,
    "/endless-head": NOT_OPENED,
    "/endless-line": NOT_OPENED,
    "/endless-hints": NOT_OPENED,
    "/endless-page": CUT_OFF,
    "/endless-comment": CUT_OFF,
    "/endless-chunks": CUT_OFF,
    "/endless-picture": CUT_OFF,
    "/large-picture": NOT_OPENED,
    "/download": NOT_OPENED,
    "/endless-download": NOT_OPENED,
    "/nothing": NOT_OPENED,
    "/no-http": NOT_OPENED,
    "/hang-up": NOT_OPENED,
    "/broken-chunks": CUT_OFF,
    "/login": {TaskErrorCode.HTTP_ERROR},
    "/false-proxy": {TaskErrorCode.HTTP_ERROR},
    "/loop": NOT_OPENED,
    "/growing-loop": NOT_OPENED,
}


class ScriptedResolver(Resolver):
    """Answers names as the test says, each time with the next answer, the last one for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[tuple[str, ...]]] = {}

    async def resolve(self, host: str, port: int) -> tuple[IpAddress, ...]:
        if host not in self.answers:
            return await super().resolve(host, port)
        answers = self.answers[host]
        return tuple(ip_address(text) for text in (answers.pop(0) if len(answers) > 1 else answers[0]))


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: its code, None where the captcha was captured, and after how long."""

    code: TaskErrorCode | None
    seconds: float


class Siege(Stage):
    """A stage with one hostile site, which alone is declared, and a goal that nobody may reach."""

    def __init__(self, config: BrowserSection | None = None) -> None:
        super().__init__(config)
        self.resolver = ScriptedResolver()
        self.proxy = FilteringProxy(self.policy, self.clock, self.resolver)
        self.engine = BrowserEngine(config or BrowserSection(), self.proxy, self.clock)
        self.site = HostileSite()
        self.goal = Goal()

    def put(self, html: str, path: str = "/") -> None:
        """Put a page on the site, with the goal's address filled in."""
        place = f"127.0.0.1:{self.goal.port}"
        aimed = html.replace("GOALHOST", place).replace("GOALPORT", str(self.goal.port))
        self.site.put_page(path, aimed.replace("GOAL", f"http://{place}/"))

    async def attempt(
        self, timeout_seconds: float = PATIENCE_SECONDS, path: str = "/", host: str = "127.0.0.1"
    ) -> Ending:
        url = self.site.url(path).replace("127.0.0.1", host)
        began_seconds = self.clock.monotonic_seconds()
        try:
            assert (await self.capture(url, timeout_seconds=timeout_seconds)).picture == CAPTCHA_PNG
            code = None
        except AttemptFailed as failure:
            code = failure.task_error_code
        return Ending(code, self.clock.monotonic_seconds() - began_seconds)

    async def check_ends(
        self, codes: Collection[TaskErrorCode | None], timeout_seconds: float = SHORT_SECONDS, path: str = "/"
    ) -> None:
        """Attempt, and see that it ends as it should, that nobody got anywhere, and that the next page is solved.

        Where running out of time is no fit end, the attempt has all the time it needs.
        """
        if TaskErrorCode.ATTEMPT_TIMEOUT not in codes:
            timeout_seconds = PATIENCE_SECONDS
        ending = await self.attempt(timeout_seconds, path)
        assert ending.code in codes
        assert ending.seconds < timeout_seconds + GRACE_SECONDS
        await self.check_well()

    async def check_well(self) -> None:
        assert (await self.attempt(path="/honest")).code is None
        assert self.goal.visits == 0
        assert self.engine.health().is_ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_siege() -> AsyncIterator[Siege]:
    siege = Siege()
    await siege.start()
    yield siege
    await siege.close()


@pytest_asyncio.fixture(loop_scope="module")
async def siege(shared_siege: Siege) -> AsyncIterator[Siege]:
    await occupy(shared_siege)
    async with shared_siege.site.serving():
        shared_siege.declare(shared_siege.site.port)
        yield shared_siege
    await shared_siege.goal.stop()
    await shared_siege.clear()


async def occupy(siege: Siege) -> None:
    """Return the siege a new site and goal."""
    siege.site, siege.goal = HostileSite(), Goal()
    await siege.goal.start()
    siege.put(CAPTCHA, "/honest")
    siege.put("<p>small", "/small")
    siege.put("<script>alert(1)</script>", "/popup")
    siege.put("<script>open('/breeder'); open('/breeder')</script>", "/breeder")
    siege.put("<iframe src=/frames></iframe>" * 2, "/frames")


@pytest.mark.parametrize("path", ENDS)
async def test_a_site_that_answers_badly_ends_the_attempt(path: str, siege: Siege) -> None:
    await siege.check_ends(ENDS[path], path=path)


@pytest.mark.parametrize("path", ["/login", "/false-proxy"])
async def test_no_password_is_given_to_a_site_that_asks_for_one(path: str, siege: Siege) -> None:
    await siege.attempt(SHORT_SECONDS, path)
    assert not [head for head in siege.site.heads if b"authorization" in head.lower()]


@pytest.mark.parametrize("html", SOLVABLE.values(), ids=SOLVABLE.keys())
async def test_an_honest_captcha_is_read_beside(html: str, siege: Siege) -> None:
    siege.put(html)
    assert (await siege.attempt()).code is None
    await siege.check_well()
    assert siege.site.hits["/worker.js"] == 0


@pytest.mark.parametrize("html", FRUITLESS.values(), ids=FRUITLESS.keys())
async def test_time_is_kept_on_a_page_with(html: str, siege: Siege) -> None:
    siege.put(html)
    await siege.check_ends(NOTHING_FOUND)


async def test_a_captcha_that_jumps_is_caught_or_given_up_in_time(siege: Siege) -> None:
    siege.put(JUMPING)
    await siege.check_ends({*NOTHING_FOUND, None})


@pytest.mark.parametrize("html", FLOODS.values(), ids=FLOODS.keys())
async def test_a_flood_costs_an_attempt_at_most(html: str, siege: Siege) -> None:
    """The browser may be lost with it, and so may a page that another task has in that browser; its retry is well."""
    siege.put(html)
    ending = await siege.attempt(SHORT_SECONDS)
    assert ending.code in {None, *LOST}
    assert ending.seconds < SHORT_SECONDS + GRACE_SECONDS
    assert (await siege.attempt(path="/honest")).code in {None, TaskErrorCode.BROWSER_CRASHED}
    await siege.check_well()


@pytest.mark.parametrize("script", LIES.values(), ids=LIES.keys())
async def test_a_page_may_lie_by(script: str, siege: Siege) -> None:
    siege.put(f"<script>{script}</script>{CAPTCHA}")
    await siege.check_ends({None, *LOST})


@pytest.mark.parametrize("html", LEAVING.values(), ids=LEAVING.keys())
async def test_the_page_may_not_leave_for(html: str, siege: Siege) -> None:
    siege.put(html)
    await siege.check_ends({TaskErrorCode.TARGET_NOT_ALLOWED})


async def test_schemes_that_pages_may_not_have_are_counted(siege: Siege) -> None:
    before = siege.proxy.refusal_counts["forbidden_scheme"]
    siege.put(LEAVING["blob"])
    await siege.attempt()
    assert siege.proxy.refusal_counts["forbidden_scheme"] == before + 1


@pytest.mark.parametrize("path", ["/padded-picture", "/padded-chunks"])
async def test_a_picture_too_large_to_be_a_captcha_is_not_fetched(path: str, siege: Siege) -> None:
    siege.put(f"<img id=captcha src={path}>")
    await siege.check_ends({TaskErrorCode.CAPTCHA_UNREADABLE})


async def test_downloads_leave_nothing_on_disk(siege: Siege) -> None:
    siege.put(SOLVABLE["downloads of every kind"])
    await siege.attempt()
    assert not await asyncio.to_thread(list_downloads)


async def test_a_name_that_turns_to_the_metadata_address_is_refused(siege: Siege) -> None:
    siege.policy.replace_targets([Target("turning.example", (siege.site.port,), allow_private_addresses=True)])
    siege.resolver.answers["turning.example"] = [("127.0.0.1",), ("169.254.169.254",)]
    siege.put(CAPTCHA)
    before = siege.proxy.refusal_counts["metadata_address"]
    assert (await siege.attempt(host="turning.example")).code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert siege.proxy.refusal_counts["metadata_address"] > before
    assert siege.site.hits["/picture"] == 0


@pytest.mark.parametrize(
    "answer", [("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("::ffff:127.0.0.1",), ("64:ff9b::7f00:1",)]
)
async def test_a_public_name_that_leads_here_is_refused(answer: tuple[str, ...], siege: Siege) -> None:
    siege.policy.replace_targets([*siege.policy.targets, Target("public.example", (siege.goal.port,))])
    siege.resolver.answers["public.example"] = [answer]
    inside = f"'http://public.example:{siege.goal.port}/'"
    siege.put(
        f"{CAPTCHA}<img src={inside}><script>new WebSocket({inside.replace('http', 'ws')}); fetch({inside})</script>"
    )
    assert (await siege.attempt()).code is None
    siege.put(f"<script>location = {inside}</script>")
    await siege.check_ends({TaskErrorCode.TARGET_NOT_ALLOWED})


async def test_many_attacks_at_once_leave_the_honest_page_alone(siege: Siege) -> None:
    attacks = [FRUITLESS["a loop after loading"], FRUITLESS["dialogs without pause"], FRUITLESS["popups without pause"]]
    for number, html in enumerate(attacks):
        siege.put(html, f"/{number}")
    work = TaskSet("attacks")
    under_way = [work.spawn(siege.attempt(SHORT_SECONDS, f"/{number}"), "attack") for number in range(len(attacks))]
    honest = await siege.attempt(path="/honest")
    endings = await asyncio.gather(*under_way)
    assert honest.code is None
    assert {ending.code for ending in endings} <= NOTHING_FOUND
    assert all(ending.seconds < SHORT_SECONDS + GRACE_SECONDS for ending in endings)
    await siege.check_well()


class MemoryWatch:
    """Notices the most that one process under this one had at a time."""

    def __init__(self) -> None:
        self.peak_bytes = 0

    async def run(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, await asyncio.to_thread(measure_largest_bytes))
            await asyncio.sleep(0.2)


def measure_largest_bytes() -> int:
    sizes = [0]
    for process in list_descendants():
        try:
            sizes.append(process.memory_info().rss)
        except psutil.Error:
            continue
    return max(sizes)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tight_siege() -> AsyncIterator[Siege]:
    """A siege whose browser may take little memory."""
    siege = Siege(BrowserSection(recycle_memory_bytes=PROCESS_LIMIT_BYTES))
    await siege.start()
    await occupy(siege)
    async with siege.site.serving():
        siege.declare(siege.site.port)
        yield siege
    await siege.goal.stop()
    await siege.close()


@pytest.mark.parametrize("html", MEMORY_BOMBS.values(), ids=MEMORY_BOMBS.keys())
async def test_memory_is_bounded_on_a_page_that_hoards(html: str, tight_siege: Siege) -> None:
    watch = MemoryWatch()
    watching = TaskSet("memory").spawn(watch.run(), "watch")
    tight_siege.put(html + KEPT_LOADING)
    try:
        await tight_siege.check_ends(LOST, BOMB_SECONDS)
    finally:
        watching.cancel()
    assert watch.peak_bytes < PROCESS_LIMIT_BYTES + MAPPED_FILES_BYTES


async def test_a_page_that_fills_its_memory_loses_its_process_alone(tight_siege: Siege) -> None:
    crashes_before = tight_siege.engine.figures().crashes
    tight_siege.put("<script>const kept = []; for (;;) kept.push({ a: [kept.length], b: `${kept.length}` })</script>")
    await tight_siege.check_ends({TaskErrorCode.BROWSER_CRASHED})
    assert tight_siege.engine.figures().crashes == crashes_before


async def test_pages_that_together_fill_a_browser_lose_their_processes_alone(tight_siege: Siege) -> None:
    tight_siege.put(HOARD, "/hoard")
    tight_siege.put(CAPTCHA)
    crashes_before = tight_siege.engine.figures().crashes
    tasks = TaskSet("hoards")
    maintaining = tasks.spawn(tight_siege.engine.run(), "engine")
    hoarding = [tasks.spawn(tight_siege.attempt(HOARD_SECONDS, path="/hoard"), "hoard") for _ in range(HOARDERS)]
    while not all(hoard.done() for hoard in hoarding):
        assert (await tight_siege.attempt()).code is None
    maintaining.cancel()
    assert TaskErrorCode.BROWSER_CRASHED in {(await hoard).code for hoard in hoarding}
    assert tight_siege.engine.figures().crashes == crashes_before
