"""The browser this machine runs: without privileges, in its sandbox, with nothing of ours in its environment."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from captchad.browser.launch.executable import PATH_NAMES
from captchad.browser.launch.process import BrowserProcess, LaunchedBrowsers
from captchad.browser.launch.profile_folder import PREFIX, ProfileFolder
from captchad.config.settings import BrowserSection
from captchad.domain.errors import DependencyMissing
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock

SECCOMP_FILTER = "2"
WITHOUT_NAMESPACES = """#!/bin/sh
case " $* " in *" --no-sandbox "*) exec {real} "$@" ;; esac
echo "[1:1:0101/000000.000000:FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox!" >&2
exit 1
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may read, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def program_without_namespaces(public_folder: Path) -> str:
    """A Chromium that behaves as on a system where its sandbox can't work."""
    real = next(found for found in map(shutil.which, PATH_NAMES) if found)
    program = public_folder / "chromium"
    program.write_text(WITHOUT_NAMESPACES.format(real=real))
    program.chmod(0o755)
    return str(program)


def make_source(config: BrowserSection | None = None, *, must_have_sandbox: bool = True) -> LaunchedBrowsers:
    clock = Clock()
    proxy = FilteringProxy(ScopePolicy(()), clock)
    return LaunchedBrowsers(config or BrowserSection(), proxy, clock, must_have_sandbox=must_have_sandbox)


def list_browser(browser: BrowserProcess) -> list[psutil.Process]:
    top = psutil.Process(browser.pid)
    return [top, *top.children(recursive=True)]


def read_status(process: psutil.Process, name: str) -> str:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def network_of(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


async def test_no_process_of_the_browser_has_privileges_and_pages_are_in_the_sandbox() -> None:
    source = make_source()
    try:
        browser = await source.open()
        page = await browser.browser.new_page()
        await page.set_content("<p>hello")
        processes = list_browser(browser)
        assert all(process.uids().real != 0 and process.gids().real != 0 for process in processes)
        # The sandbox's own processes have some again, in a user namespace where they are worth nothing.
        assert read_status(processes[0], "CapBnd") == "0" * 16 or os.geteuid() != 0
        renderers = [process for process in processes if "--type=renderer" in process.cmdline()]
        assert {read_status(process, "Seccomp") for process in renderers} == {SECCOMP_FILTER}
        assert all(network_of(process.pid) != network_of(os.getpid()) for process in renderers)
    finally:
        await source.stop()


async def test_the_browser_learns_no_password_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "a secret")
    source = make_source()
    try:
        browser = await source.open()
        assert all("REDIS_PASSWORD" not in process.environ() for process in list_browser(browser))
        assert Path(psutil.Process(browser.pid).environ()["HOME"]).parent.name.startswith(PREFIX)
    finally:
        await source.stop()


async def test_nothing_is_left_on_disk() -> None:
    source = make_source()
    browser = await source.open()
    folder = str(Path(psutil.Process(browser.pid).environ()["HOME"]).parent)
    assert folder in list_profile_folders()
    await source.stop()
    assert folder not in list_profile_folders()


def test_what_a_killed_process_left_the_next_one_removes() -> None:
    left, next_one = (make_profile_folder_and_die(), make_profile_folder_and_die())
    assert left not in list_profile_folders()
    assert next_one in list_profile_folders()
    shutil.rmtree(next_one)


def list_profile_folders() -> list[str]:
    return [str(folder) for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")]


def make_profile_folder_and_die() -> str:
    lines = (
        "import os",
        f"from {ProfileFolder.__module__} import ProfileFolder",
        "print(ProfileFolder().path, flush=True)",
    )
    program = "\n".join((*lines, "os._exit(9)"))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stdout.strip()


async def test_where_the_sandbox_cant_work_development_goes_on_and_says_so(
    program_without_namespaces: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_source(BrowserSection(executable=program_without_namespaces), must_have_sandbox=False)
    try:
        browser = await source.open()
        assert browser.is_alive
        assert all(process.uids().real != 0 for process in list_browser(browser))
        assert source.sandbox is not None
        assert not source.sandbox.has_sandbox
        assert "WITHOUT Chromium's sandbox" in caplog.text
    finally:
        await source.stop()


async def test_where_the_sandbox_cant_work_production_refuses(program_without_namespaces: str) -> None:
    source = make_source(BrowserSection(executable=program_without_namespaces))
    try:
        with pytest.raises(DependencyMissing, match="production does not run a browser without its sandbox"):
            await source.open()
    finally:
        await source.stop()
