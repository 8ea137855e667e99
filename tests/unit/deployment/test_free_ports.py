"""Finding ports, and naming who holds one."""

import os
import socket
from collections.abc import Iterator

import pytest

from captchad.deployment.free_ports import claim_port, find_free_port, is_free, pick_free_port
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


def test_taken_port_is_not_free(taken_port: int) -> None:
    assert not is_free(HOST, taken_port)
    assert is_free(HOST, pick_free_port(HOST))


def test_search_passes_taken_avoided_and_other_roles_ports(taken_port: int) -> None:
    found = find_free_port(HOST, taken_port, {taken_port + 1})
    assert found > taken_port + 1
    assert find_free_port(HOST, 8000, ()) not in {8000, 8080, 9090, 9091, 6379}


async def test_taken_port_is_refused_with_its_holder_and_the_way_round(taken_port: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"process {os.getpid()}\); stop that one, or .* --gateway-port"):
        await claim_port(HOST, taken_port, "--gateway-port", SteppedClock())


async def test_port_zero_is_any_free_one() -> None:
    assert is_free(HOST, await claim_port(HOST, 0, "--gateway-port", SteppedClock()))
