"""A declared page must not be able to make the browser connect to anything undeclared."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.egress.known_browsers import NETWORK_SERVICE
from captchad.runtime.spawn import TaskSet
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage
from tests.integration.egress.goal import Goal
from tests.integration.egress.tricks import NAVIGATION_TRICKS, SCRIPT_TRICKS, SILENT_TRICKS
from tests.processes import list_descendants, read_command

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = """<!doctype html><body><script>
  function done() { if (!window.isDone) { window.isDone = true; document.body.insertAdjacentHTML('beforeend',
    '<img id="captcha" src="/picture">') } }
  TRICK
</script></body>"""


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
    site = await stage.add_site()
    site.put_picture("/picture", CAPTCHA_PNG)
    return site


@pytest_asyncio.fixture(loop_scope="module")
async def goal() -> AsyncIterator[Goal]:
    goal = Goal()
    await goal.start()
    yield goal
    await goal.stop()


def aim(text: str, goal: Goal) -> str:
    """Fill the goal's address into a trick."""
    place = f"127.0.0.1:{goal.port}"
    text = text.replace("HTTPS", f"https://{place}/").replace("WS'", f"ws://{place}/'").replace("HOST", place)
    return (
        text.replace("'URL'", f"'http://{place}/'")
        .replace('"URL"', f'"http://{place}/"')
        .replace("url=URL", f"url=http://{place}/")
        .replace("url(URL)", f"url(http://{place}/)")
    )


async def play(trick: str, stage: Stage, site: LocalSite, goal: Goal) -> None:
    """Visit a page that tries a trick, until it has been tried."""
    site.put_redirect("/redirect", f"http://127.0.0.1:{goal.port}/")
    site.put_page("/", aim(PAGE.replace("TRICK", trick), goal))
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


@pytest.mark.parametrize("trick", (SCRIPT_TRICKS | SILENT_TRICKS).values(), ids=(SCRIPT_TRICKS | SILENT_TRICKS).keys())
async def test_reaches_nothing_undeclared_by(trick: str, stage: Stage, site: LocalSite, goal: Goal) -> None:
    await play(trick, stage, site, goal)
    assert goal.visits == 0


@pytest.mark.parametrize("trick", SCRIPT_TRICKS.values(), ids=SCRIPT_TRICKS.keys())
async def test_the_trick_would_reach_a_declared_port_by(trick: str, stage: Stage, site: LocalSite, goal: Goal) -> None:
    stage.declare(goal.port)
    await play(trick, stage, site, goal)
    assert goal.visits >= 1


@pytest.mark.parametrize("html", NAVIGATION_TRICKS.values(), ids=NAVIGATION_TRICKS.keys())
async def test_is_not_taken_away_by(html: str, stage: Stage, site: LocalSite, goal: Goal) -> None:
    site.put_redirect("/redirect", f"http://127.0.0.1:{goal.port}/")
    site.put_page("/", aim(html, goal))
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(site.url(), timeout_seconds=10)
    assert failed.value.task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert goal.visits == 0


@pytest.mark.parametrize("html", NAVIGATION_TRICKS.values(), ids=NAVIGATION_TRICKS.keys())
async def test_would_be_taken_to_a_declared_port_by(html: str, stage: Stage, site: LocalSite, goal: Goal) -> None:
    stage.declare(goal.port)
    site.put_redirect("/redirect", f"http://127.0.0.1:{goal.port}/")
    site.put_page("/", aim(html, goal))
    with pytest.raises(AttemptFailed):
        await stage.capture(site.url(), timeout_seconds=1.5)
    assert goal.visits >= 1


MULTICAST_DNS_PORT = 5353
WITH_A_LOCAL_NAME = (
    "(async () => { const a = new RTCPeerConnection(), b = new RTCPeerConnection(); a.createDataChannel('x'); "
    "await a.setLocalDescription(await a.createOffer()); await b.setRemoteDescription(a.localDescription); "
    "await b.setLocalDescription(await b.createAnswer()); await b.addIceCandidate({sdpMid: '0', candidate: "
    "'candidate:4 1 udp 2122260223 said-by-the-page.local 9999 typ host'}); setTimeout(done, 1000) })()"
)


async def test_no_local_name_is_asked_for_by_multicast(stage: Stage, site: LocalSite, goal: Goal) -> None:
    used: set[int] = set()

    async def watch() -> None:
        while True:
            used.update(await asyncio.to_thread(list_udp_ports))
            await asyncio.sleep(0.05)

    watching = TaskSet("test").spawn(watch(), "watch")
    await play(WITH_A_LOCAL_NAME, stage, site, goal)
    watching.cancel()
    assert MULTICAST_DNS_PORT not in used


def list_udp_ports() -> set[int]:
    """Return the ports of every UDP socket that a browser's network process has."""
    ports: set[int] = set()
    for process in list_descendants():
        if any(NETWORK_SERVICE in argument for argument in read_command(process)):
            with contextlib.suppress(psutil.Error):
                ports |= {
                    connection.laddr.port for connection in process.net_connections(kind="udp") if connection.laddr
                }
    return ports


async def test_refusals_are_counted_by_reason(stage: Stage, site: LocalSite, goal: Goal) -> None:
    before = dict(stage.proxy.refusal_counts)
    await play(SCRIPT_TRICKS["image"], stage, site, goal)
    assert stage.proxy.refusal_counts["undeclared_port"] == before.get("undeclared_port", 0) + 1
