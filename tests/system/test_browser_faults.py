"""Browsers that stop, hang or crash under a real worker: tasks lose an attempt at most, and the browser is replaced."""

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from captchad.egress.known_browsers import NETWORK_SERVICE
from tests.patience import until
from tests.processes import is_alive, read_command, signal_all
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, list_tree, run_fleet

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASKS = 8
TASK = {"timeout": 8, "retry_count": 10}
"""A fault costs one attempt or two; the rest are for a machine so busy that a page takes longer than its time."""

BROWSER = "--remote-debugging-pipe"
DRIVER = "run-driver"
RENDERER = "--type=renderer"
ZYGOTE = "--type=zygote"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to which of a worker's processes, and whether that must cost it the browser.

    Without its zygotes a browser serves on in the renderers it has.
    """

    marker: str
    signal: signal.Signals
    replaces_browser: bool


FAULTS = {
    "stopped network process": Fault(NETWORK_SERVICE, signal.SIGSTOP, replaces_browser=True),
    "killed network process": Fault(NETWORK_SERVICE, signal.SIGKILL, replaces_browser=False),
    "stopped zygote": Fault(ZYGOTE, signal.SIGSTOP, replaces_browser=False),
    "stopped browser": Fault(BROWSER, signal.SIGSTOP, replaces_browser=True),
    "killed browser": Fault(BROWSER, signal.SIGKILL, replaces_browser=True),
    "stopped driver": Fault(DRIVER, signal.SIGSTOP, replaces_browser=True),
    "killed driver": Fault(DRIVER, signal.SIGKILL, replaces_browser=True),
    "hung page": Fault(RENDERER, signal.SIGSTOP, replaces_browser=False),
    "crashed tab": Fault(RENDERER, signal.SIGKILL, replaces_browser=False),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    """One gateway, scheduler and worker for all faults: each finds what the one before has left."""
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    folder: Path = tmp_path_factory.mktemp("fleet")
    try:
        async with run_fleet(folder, redis.url, "gateway", "scheduler", "worker") as fleet:
            fleet.site.gate.set()
            yield fleet
    finally:
        redis.kill()


def find_processes(fleet: Fleet, marker: str) -> list[psutil.Process]:
    """Return the worker's processes whose command line contains `marker`."""
    tree = list_tree(fleet.roles[-1].process)
    return [process for process in tree if any(marker in argument for argument in read_command(process))]


async def read_crashes(fleet: Fleet) -> float:
    """Return the worker's own count of browsers it has lost."""
    async with fleet.client.get(f"http://127.0.0.1:{fleet.roles[-1].port}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("captchad_browser_crashes_total"))


@pytest.mark.parametrize("name", FAULTS)
async def test_every_task_ends_completed_and_the_worker_goes_on(name: str, fleet: Fleet) -> None:
    fault, page = FAULTS[name], name.replace(" ", "-")
    [ready] = await fleet.wait_final([await fleet.submit(f"{page}-before", **TASK)])
    assert ready["status"] == "completed"
    crashes_before, log_before = await read_crashes(fleet), len(fleet.roles[-1].log)
    hit = find_processes(fleet, fault.marker)
    assert hit
    signal_all(hit, fault.signal)
    ids = [await fleet.submit(f"{page}-{number}", **TASK) for number in range(TASKS)]
    answers = await fleet.wait_final(ids)
    assert [answer["status"] for answer in answers] == ["completed"] * TASKS, answers

    async def are_gone() -> bool:
        return not any(is_alive(process) for process in hit)

    if not fault.replaces_browser:
        return
    await until(are_gone)
    # A browser that the fault before has made suspect may be there still, and be hit too.
    lost = await read_crashes(fleet) - crashes_before
    assert lost >= 1
    lines = [line for line in fleet.roles[-1].log[log_before:].splitlines() if "is replaced" in line]
    assert len(lines) == lost, lines
