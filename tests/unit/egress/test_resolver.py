import asyncio
import socket
import threading
from ipaddress import ip_address

import pytest

from captchad.domain.address import IpAddress
from captchad.egress.resolver import LOOKUPS_AT_ONCE, ResolutionFailed, Resolver
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "93.184.216.34"])
async def test_a_literal_address_is_itself(host: str) -> None:
    assert await Resolver().resolve(host, 80) == (ip_address(host),)


@pytest.mark.parametrize("host", ["localhost", "any.localhost"])
async def test_localhost_is_this_machine_whatever_the_resolver_thinks(host: str) -> None:
    assert await Resolver().resolve(host, 80) == (ip_address("127.0.0.1"), ip_address("::1"))


async def test_a_name_that_can_not_exist_fails() -> None:
    with pytest.raises(ResolutionFailed, match="could not be resolved"):
        await Resolver().resolve("name with spaces", 80)


class SilentResolver(Resolver):
    """A resolver whose name server never answers."""

    async def _look_up(self, host: str, port: int) -> tuple[IpAddress, ...]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_resolver_that_never_answers_is_given_up() -> None:
    with pytest.raises(ResolutionFailed, match="within"):
        await SilentResolver(timeout_seconds=0.01).resolve("a.example", 80)


async def test_names_that_are_looked_up_in_vain_hold_up_no_other_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait() and [])
    resolver = Resolver(timeout_seconds=0.05)
    lookups = [resolver.resolve(f"{number}.example", 80) for number in range(LOOKUPS_AT_ONCE + 4)]
    try:
        failures = await asyncio.gather(*lookups, return_exceptions=True)
        assert all(isinstance(failure, ResolutionFailed) for failure in failures)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), PATIENCE_SECONDS) == "free"
    finally:
        released.set()
