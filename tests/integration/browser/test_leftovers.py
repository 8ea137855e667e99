"""What browsers keep on the disk goes with them, also when their driver is killed and can't remove it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from captchad.browser.launch.process import LaunchedBrowsers
from captchad.browser.launch.process_tree import find_driver, list_children
from captchad.config.settings import BrowserSection
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lo-"))
    # A browser that runs as somebody else passes through it.
    folder.chmod(0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def count_profiles(temporary: Path) -> int:
    return len(list(temporary.glob("*/playwright_*profile*")))


def list_names(temporary: Path) -> list[str]:
    return [path.name for path in temporary.iterdir()]


async def test_a_killed_driver_leaves_no_profile_once_it_is_replaced(temporary: Path) -> None:
    clock = Clock()
    source = LaunchedBrowsers(BrowserSection(), FilteringProxy(ScopePolicy(()), clock), clock)
    known = list_children()
    try:
        for _ in range(2):
            browser = await source.open()
            assert count_profiles(temporary) == 1
            driver = find_driver(known)
            assert driver is not None
            os.kill(driver, signal.SIGKILL)
            browser.kill()
            await browser.close()
    finally:
        await source.stop()
    assert list_names(temporary) == []
