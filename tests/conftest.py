"""Fixtures every test may use: a Redis of its own, and uvloop as the event loop."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import redis
import uvloop
from hypothesis import settings

from captchad.broker.connection import Broker
from captchad.config.settings import RedisSection
from tests.redis_server import RedisServer
from tests.sentinels import SentinelFleet

# How long an example takes says more of the machine's other work than of what is tested.
settings.register_profile("captchad", deadline=None)
settings.load_profile("captchad")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run asynchronous tests on the loop the roles run on."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: a stage lasts as long as the one that ends last."""
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder() -> Iterator[None]:
    """Have this process's tests, and all they start, keep temporary files where no other process looks or cleans."""
    with tempfile.TemporaryDirectory(prefix="ct-", ignore_cleanup_errors=True) as folder:
        # A browser that runs as somebody else passes through it.
        Path(folder).chmod(0o711)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", folder)
            patch.setattr(tempfile, "tempdir", folder)
            yield


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder of the test's own with a short path: a Unix socket's may have 107 bytes, and pytest's own grow."""
    with tempfile.TemporaryDirectory(prefix="captchad-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that leave it as it is."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of the test's own, to stop and start."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(shared_redis: RedisServer) -> str:
    """The URL of an empty Redis."""
    with redis.Redis(port=shared_redis.port) as client:
        client.flushall()
    return shared_redis.url


@pytest.fixture
async def broker(redis_url: str) -> AsyncIterator[Broker]:
    """A connected broker on an empty Redis."""
    connected = Broker(RedisSection(), "test", url_override=redis_url)
    await connected.start()
    yield connected
    await connected.close()


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[SentinelFleet]:
    """A master, two replicas and three sentinels that agree."""
    fleet = SentinelFleet(tmp_path)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()
