"""Playwright's driver runs with a heap that is kept small, its files where they are removed, and no secret of ours."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from captchad.browser.launch.driver import FRUGAL_HEAP, PlaywrightDriver
from captchad.browser.launch.node_starter import NODE_PASSED_ON


@pytest_asyncio.fixture
async def driver() -> AsyncIterator[PlaywrightDriver]:
    made = PlaywrightDriver()
    yield made
    await made.stop()


def read_environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


@pytest.mark.parametrize(("own", "found"), [(None, FRUGAL_HEAP), ("--no-warnings", f"{FRUGAL_HEAP} --no-warnings")])
async def test_the_drivers_heap_is_small_unless_told_otherwise(
    own: str | None, found: str, driver: PlaywrightDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if own is None:
        monkeypatch.delenv("NODE_OPTIONS", raising=False)
    else:
        monkeypatch.setenv("NODE_OPTIONS", own)
    monkeypatch.setenv("TMPDIR", "/tmp")
    await driver.start(tmp_path)
    environment = read_environment(driver.pid)
    assert environment["NODE_OPTIONS"] == found
    assert environment["TMPDIR"] == str(tmp_path)
    assert (os.environ.get("NODE_OPTIONS"), os.environ["TMPDIR"]) == (own, "/tmp")


async def test_the_driver_knows_nothing_of_ours_but_what_it_needs(
    driver: PlaywrightDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "a secret")
    monkeypatch.setenv("SSL_CERT_DIR", "/a folder of 'two words' & $more")
    await driver.start(tmp_path)
    environment = read_environment(driver.pid)
    environment.pop("", None)
    assert set(environment) <= set(NODE_PASSED_ON)
    assert environment["SSL_CERT_DIR"] == os.environ["SSL_CERT_DIR"]
    assert os.environ["REDIS_PASSWORD"] == "a secret"
    assert "PLAYWRIGHT_NODEJS_PATH" not in os.environ


async def test_a_driver_that_dies_leaves_no_error_that_nobody_asked_for(
    driver: PlaywrightDriver, tmp_path: Path
) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    await driver.start(tmp_path)
    driver.kill()
    await driver.stop()
    # What was never asked for is complained of when it is collected.
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []
