"""Playwright's driver runs with a heap that is kept small, and with its files where they are removed."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from captchad.browser.launch.driver import FRUGAL_HEAP, PlaywrightDriver


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
