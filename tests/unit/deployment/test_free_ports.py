"""Finding ports, and naming who holds one."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator

import pytest

from captchad.deployment.free_ports import PortClaims, is_free
from captchad.domain.errors import ConfigurationError
from tests.unit.deployment.scripted_child import SteppedClock

HOST = "127.0.0.1"


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port this process listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def claims() -> PortClaims:
    """The claims of this process."""
    return PortClaims(HOST, SteppedClock())


def test_taken_port_is_not_free(taken_port: int, claims: PortClaims) -> None:
    assert not is_free(HOST, taken_port)
    assert is_free(HOST, claims.pick())


def test_search_passes_taken_claimed_and_other_roles_ports(taken_port: int, claims: PortClaims) -> None:
    first = claims.find(taken_port)
    assert first > taken_port
    assert claims.find(taken_port) > first
    assert claims.find(taken_port, own=first) == first
    assert claims.find(8000) not in {8000, 8080, 9090, 9091, 6379}


async def test_taken_port_is_refused_with_its_holder_and_the_way_round(taken_port: int, claims: PortClaims) -> None:
    with pytest.raises(ConfigurationError, match=rf"process {os.getpid()}\); stop that one, or .* --gateway-port"):
        await claims.claim(taken_port, "--gateway-port")


async def test_port_zero_is_any_free_one(claims: PortClaims) -> None:
    assert is_free(HOST, await claims.claim(0, "--gateway-port"))


async def test_what_another_up_has_chosen_is_passed_by_before_anybody_listens_there(claims: PortClaims) -> None:
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", _CLAIMING, stdout=asyncio.subprocess.PIPE)
    assert other.stdout is not None
    port = int(await other.stdout.readline())
    assert is_free(HOST, port)
    assert claims.find(port) > port
    with pytest.raises(ConfigurationError, match=f"port {port} is claimed by another .* with --monitor-port"):
        await claims.claim(port, "--monitor-port")
    other.kill()
    await other.wait()
    # However it ended.
    assert await claims.claim(port, "--monitor-port") == port


_CLAIMING = """
import time
from captchad.deployment.free_ports import PortClaims
from captchad.runtime.clock import Clock
claims = PortClaims("127.0.0.1", Clock())
print(claims.pick(), flush=True)
time.sleep(600)
"""
