import pytest

from captchad.domain.errors import DependencyMissing
from captchad.egress.proxy import FilteringProxy
from captchad.egress.proxy_place import ProxyPlace, find_own_address
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock


def test_the_address_on_the_way_to_loopback_is_loopback() -> None:
    assert find_own_address("127.0.0.5", 80) == "127.0.0.1"


async def test_browsers_are_told_the_advertised_host() -> None:
    proxy = FilteringProxy(ScopePolicy(()), Clock(), place=ProxyPlace("127.0.0.1", "worker.example"))
    await proxy.start()
    try:
        assert proxy.host == "worker.example"
        assert (await proxy.open_login()).address.url.startswith("http://worker.example:")
    finally:
        await proxy.close()


async def test_an_address_that_is_not_this_machines_is_named() -> None:
    proxy = FilteringProxy(ScopePolicy(()), Clock(), place=ProxyPlace("192.0.2.1"))
    with pytest.raises(DependencyMissing, match=r"browser\.proxy_host"):
        await proxy.start()
