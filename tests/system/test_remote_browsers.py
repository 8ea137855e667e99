"""A whole worker on browsers elsewhere: one that is killed under a task costs it that visit, and nothing more."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.engines import load_engine
from captchad.recognition.service import read_pictures
from tests.integration.browser.remote.places import CdpPlace, GridPlace, Place, PlaywrightPlace
from tests.patience import PATIENCE_SECONDS, until
from tests.processes import signal_all
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, run_fleet

pytestmark = pytest.mark.long

ONE_RETRY = 1

SomePlace = TypeVar("SomePlace", bound=Place)
MakePlace = Callable[[type[Place]], Place]


@pytest.fixture
def make_place() -> Iterator[MakePlace]:
    """Start places where browsers are, for as long as the test lasts."""
    places: list[Place] = []

    def make(kind: type[Place]) -> Place:
        place = kind()
        places.append(place)
        place.start()
        return place

    try:
        yield make
    finally:
        for place in places:
            place.stop()


def run_worker(folder: Path, redis: RedisServer, **settings: Any) -> Any:
    return run_fleet(folder, redis.url, "gateway", "scheduler", "worker", settings=settings)


async def read_one(fleet: Fleet, visit: str) -> None:
    """See a task through on the browser that the worker has now."""
    fleet.site.gate.set()
    [answer] = await fleet.wait_final([await fleet.submit(visit, retry_count=0)])
    assert (answer["status"], answer["result"]["captcha_text"]) == ("completed", read_bare(fleet.site.pictures[visit]))


def read_bare(picture: bytes) -> str:
    """Read the picture as the worker does, which is wrong once in a while."""
    [reading] = read_pictures(load_engine(), [(picture, Hints())])
    assert isinstance(reading, Recognition)
    return reading.text


async def begin_one(fleet: Fleet, visit: str) -> str:
    """Submit a task that may be tried twice; return its id once its page is being waited for."""
    fleet.site.gate.clear()
    task_id = await fleet.submit(visit, retry_count=ONE_RETRY, timeout=PATIENCE_SECONDS)
    await fleet.wait_visited(visit)
    return task_id


async def check_completed(fleet: Fleet, task_id: str, visit: str) -> None:
    """See that the visit that was cut off is all that the task has lost."""

    async def is_final() -> dict[str, Any] | None:
        answer = await fleet.status(task_id, 10)
        return answer if answer["status"] != "pending" and answer["status"] != "processing" else None

    fleet.site.gate.set()
    answer = await until(is_final)
    assert (answer["status"], answer["attempts"]) == ("completed", 1 + ONE_RETRY), answer
    assert fleet.site.visits.count(visit) == 1 + ONE_RETRY
    assert await fleet.list_stream_entries() == 0


async def test_another_node_steps_in_for_one_that_is_killed(
    tmp_path: Path, own_redis: RedisServer, make_place: MakePlace
) -> None:
    first, second = await asyncio.gather(*(asyncio.to_thread(make_place, PlaywrightPlace) for _ in range(2)))
    browser = {"backend": "playwright", "urls": [first.url, second.url]}
    async with run_worker(tmp_path, own_redis, browser=browser) as fleet:
        worker = fleet.roles[-1]
        await read_one(fleet, "before")
        task_id = await begin_one(fleet, "cut-off")
        assert f":{second.port} " not in worker.log
        await asyncio.to_thread(first.kill)
        await check_completed(fleet, task_id, "cut-off")
        assert f":{second.port} " in worker.log


async def test_a_browser_whose_port_comes_back_is_joined_again(
    tmp_path: Path, own_redis: RedisServer, make_place: MakePlace
) -> None:
    place = await asyncio.to_thread(make_place, CdpPlace)
    async with run_worker(tmp_path, own_redis, browser={"backend": "cdp", "urls": [place.url]}) as fleet:
        worker = fleet.roles[-1]
        await read_one(fleet, "before")
        task_id = await begin_one(fleet, "cut-off")
        await asyncio.to_thread(place.kill)

        async def misses_it() -> bool:
            return "no browser at" in worker.log

        # The second attempt has begun, and waits: it must not be lost to a browser that is away for a while.
        await fleet.wait_processing([task_id], attempt=1 + ONE_RETRY)
        await until(misses_it)
        await asyncio.to_thread(place.revive)
        await check_completed(fleet, task_id, "cut-off")


async def test_a_session_is_opened_anew_where_its_browser_is_killed(
    tmp_path: Path, own_redis: RedisServer, make_place: MakePlace
) -> None:
    grid = await asyncio.to_thread(make_place, GridPlace)
    assert isinstance(grid, GridPlace)
    selenium = {"hub_url": grid.url, "max_sessions": 1}
    async with run_worker(tmp_path, own_redis, browser={"backend": "selenium"}, selenium=selenium) as fleet:
        worker = fleet.roles[-1]
        await read_one(fleet, "before")
        task_id = await begin_one(fleet, "cut-off")
        signal_all(grid.browser_processes())
        await check_completed(fleet, task_id, "cut-off")
        # The one place at the hub is held by whoever was killed, until somebody on this machine wants it.
        worker.kill()
        assert grid.count_leftovers() == 1
        [successor] = await fleet.start_ready("worker")
        await read_one(fleet, "after")
        successor.signal(signal.SIGTERM)
        assert await successor.wait() == 0
        await asyncio.to_thread(grid.wait_until_left)
