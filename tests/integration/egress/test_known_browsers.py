"""Who is served without a password: the processes of an admitted browser, and no others of the same user."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from captchad.browser.browsers.connection import refuse_access
from captchad.domain.target import Target
from captchad.egress.known_browsers import NETWORK_SERVICE
from captchad.egress.proxy import FilteringProxy
from captchad.egress.proxy_access import ProxyAccess
from captchad.egress.scope import ScopePolicy
from captchad.egress.socket_owner import SocketOwner, can_find_socket_owners, find_socket_owner
from captchad.runtime.clock import Clock
from tests.integration.browser.stage import CAPTCHA_PNG, Stage

ASKER = """
import socket, sys
for line in sys.stdin:
    with socket.create_connection(("127.0.0.1", int(line))) as asking:
        asking.sendall(b"GET http://nowhere.example/ HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n")
        print(asking.recv(99).split()[1].decode(), flush=True)
"""
BROWSER = """
import subprocess, sys
children = [subprocess.Popen([sys.executable, "-c", sys.argv[1], name], stdin=-1, stdout=-1, text=True)
            for name in sys.argv[2:]]
for line in sys.stdin:
    which, port = line.split()
    children[int(which)].stdin.write(port + "\\n")
    children[int(which)].stdin.flush()
    print(children[int(which)].stdout.readline(), end="", flush=True)
"""
UNAUTHORISED, FORBIDDEN = "407", "403"


class PretendedBrowser:
    """A process with two children, the first of which is named as Chromium's network process is."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    async def ask(self, access: ProxyAccess, child: int = 0) -> str:
        """Return the status that a child gets from the proxy."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{child} {find_port(access)}\n".encode())
        return (await self._process.stdout.readline()).decode().strip()


@asynccontextmanager
async def pretend_browser() -> AsyncIterator[PretendedBrowser]:
    command = [sys.executable, "-c", BROWSER, ASKER, f"--utility-sub-type={NETWORK_SERVICE}", "--type=renderer"]
    process = await asyncio.create_subprocess_exec(*command, stdin=-1, stdout=-1)
    yield PretendedBrowser(process)
    await process.communicate(b"")


@pytest.fixture
async def proxy() -> AsyncIterator[FilteringProxy]:
    proxy = FilteringProxy(ScopePolicy((Target("somewhere.example", (80,)),)), Clock())
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
async def access(proxy: FilteringProxy) -> ProxyAccess:
    """A way in for one context, which a visit has begun in."""
    access = await proxy.open_port()
    access.open()
    return access


def find_port(access: ProxyAccess) -> int:
    return int(access.address.url.rpartition(":")[2])


async def test_an_admitted_browser_shows_no_password(proxy: FilteringProxy, access: ProxyAccess) -> None:
    async with pretend_browser() as browser:
        assert await browser.ask(access) == UNAUTHORISED
        assert await proxy.admit(browser.pid)
        assert await browser.ask(access) == FORBIDDEN


async def test_its_network_process_may_be_another_one_later(proxy: FilteringProxy, access: ProxyAccess) -> None:
    async with pretend_browser() as browser:
        assert await proxy.admit(browser.pid)
        assert [await browser.ask(access, 1), await browser.ask(access, 0)] == [FORBIDDEN, FORBIDDEN]


async def test_other_processes_of_the_same_user_do_not_get_in_beside_it(
    proxy: FilteringProxy, access: ProxyAccess
) -> None:
    async with pretend_browser() as browser, pretend_browser() as stranger:
        assert await proxy.admit(browser.pid)
        assert await stranger.ask(access) == UNAUTHORISED
        assert await browser.ask(access) == FORBIDDEN


async def test_nobody_gets_in_for_a_browser_that_is_gone(proxy: FilteringProxy, access: ProxyAccess) -> None:
    async with pretend_browser() as browser:
        assert await proxy.admit(browser.pid)
    async with pretend_browser() as browser:
        assert await browser.ask(access) == UNAUTHORISED


async def test_an_admitted_browser_shows_a_password_where_others_come_in_too(proxy: FilteringProxy) -> None:
    login = await proxy.open_login()
    login.open()
    async with pretend_browser() as browser:
        assert await proxy.admit(browser.pid)
        assert await browser.ask(login) == UNAUTHORISED


async def test_a_process_without_a_network_process_is_not_admitted(
    proxy: FilteringProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.egress.known_browsers.PAUSE_SECONDS", 0)
    assert not await proxy.admit(os.getpid())


async def test_where_the_system_shows_nothing_nobody_is_admitted(
    proxy: FilteringProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.egress.known_browsers.can_find_socket_owners", lambda: False)
    async with pretend_browser() as browser:
        assert not await proxy.admit(browser.pid)


def test_a_socket_is_its_users_until_he_closes_it() -> None:
    assert can_find_socket_owners()
    for host in ("127.0.0.1", "::1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, 0), family=family) as server:
            ours = socket.create_connection(server.getsockname()[:2])
            place, other = ours.getsockname()[:2], ours.getpeername()[:2]
            assert find_socket_owner(place, other) == SocketOwner(os.geteuid(), os.fstat(ours.fileno()).st_ino)
            ours.close()
            assert find_socket_owner(place, other) is None


async def check_reads_a_page() -> None:
    stage = Stage()
    await stage.start()
    try:
        site = await stage.add_site()
        site.put_picture("/picture", CAPTCHA_PNG)
        site.put_page("/", "<img id=captcha src=/picture>")
        assert (await stage.capture(site.url())).picture == CAPTCHA_PNG
    finally:
        await stage.close()


async def test_the_engines_browser_needs_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FilteringProxy, "open_login", refuse_access)
    await check_reads_a_page()


async def test_a_browser_that_is_not_admitted_shows_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.egress.known_browsers.can_find_socket_owners", lambda: False)
    await check_reads_a_page()
