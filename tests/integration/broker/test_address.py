"""Reaching Redis: passwords, TLS, kept connections, and a Sentinel failover under load."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from captchad.broker.address import open_clients
from captchad.broker.connection import Broker
from captchad.broker.tasks import NewTask, TaskStore
from captchad.config.settings import RedisMasterSection, RedisSection, RedisSentinelSection, RedisTlsSection
from captchad.domain.errors import BrokerUnavailable, ConfigurationError
from captchad.domain.identifier import make_task_id
from captchad.domain.task import TaskRequest
from tests.integration.protocol import LIMITS
from tests.patience import wait_until
from tests.ports import find_free_port
from tests.redis_server import RedisServer
from tests.refusals import open_client
from tests.sentinels import SentinelFleet


async def test_no_more_idle_connections_stay_open_than_are_to_be_kept(shared_redis: RedisServer) -> None:
    clients = open_clients(RedisSection(connection_pool_size=2, max_connections=10), "keeping", shared_redis.url)

    async def count_open() -> int:
        listed = await clients.commands.client_list()
        return sum(client["name"] == "keeping" for client in listed)

    await asyncio.gather(*(clients.commands.blpop("nothing", 0.05) for _ in range(8)))
    assert await count_open() == 2
    before = {client["id"] for client in await clients.commands.client_list()}
    for _ in range(5):
        await clients.commands.ping()
    assert {client["id"] for client in await clients.commands.client_list()} == before
    await clients.close()


async def test_more_callers_than_connections_wait_for_their_turn(shared_redis: RedisServer) -> None:
    clients = open_clients(RedisSection(max_connections=2), "waiting", shared_redis.url)
    assert await asyncio.gather(*(clients.commands.ping() for _ in range(50))) == [True] * 50
    await clients.close()


async def test_idle_connections_that_are_dropped_are_in_nobodys_hands(shared_redis: RedisServer) -> None:
    clients = open_clients(RedisSection(connection_pool_size=20), "dropping", shared_redis.url)

    async def read() -> int:
        # Each reads in its own rhythm, so that some take a connection while the idle ones are being dropped.
        return sum([await clients.commands.get("nothing") is None for _ in range(200)])

    async def drop() -> None:
        for _ in range(200):
            await clients.drop_idle()
            await asyncio.sleep(0)

    *counts, _ = await asyncio.gather(*(read() for _ in range(10)), drop())
    assert counts == [200] * 10
    await clients.close()


async def test_a_sentinels_master_has_as_many_idle_connections_as_are_to_be_kept(sentinels: SentinelFleet) -> None:
    section = RedisSection(sentinel=RedisSentinelSection(hosts=sentinels.hosts), connection_pool_size=2)
    clients = open_clients(section, "keeping")
    await asyncio.gather(*(clients.commands.blpop("nothing", 0.05) for _ in range(8)))
    assert sum(client["name"] == "keeping" for client in await clients.commands.client_list()) == 2
    await clients.close()


async def test_an_acknowledged_script_is_sent_once_and_then_named(
    own_redis: RedisServer, make_replica: Callable[[RedisServer], RedisServer]
) -> None:
    make_replica(own_redis)
    broker = Broker(RedisSection(min_replicas_acknowledged=1), "test", url_override=own_redis.url)
    await broker.start()
    store = TaskStore(broker, LIMITS)
    for _ in range(5):
        await store.submit([NewTask(make_task_id(0), TaskRequest("captcha.example", url="http://captcha.example/"))])
    statistics = await broker.client.info("commandstats")
    assert statistics["cmdstat_eval"]["calls"] == 1
    await broker.close()


async def test_a_password_is_needed_and_used(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--requirepass", "s3cret")
    server.start()
    master = RedisMasterSection(port=server.port, password="s3cret")  # type: ignore[arg-type]
    broker = Broker(RedisSection(master=master), "test")
    await broker.start()
    assert broker.health().is_ready
    await broker.close()
    refused = Broker(RedisSection(master=RedisMasterSection(port=server.port)), "test")
    with pytest.raises(ConfigurationError, match="refuses the login"):
        await refused.start()
    await refused.close()
    server.kill()


@pytest.fixture
def make_replica(tmp_path: Path) -> Iterator[Callable[[RedisServer], RedisServer]]:
    """Start a replica that has caught up with its master."""
    replicas: list[RedisServer] = []

    def make(master: RedisServer) -> RedisServer:
        folder = tmp_path / f"replica-{len(replicas)}"
        folder.mkdir()
        replicas.append(RedisServer(folder, "--replicaof", "127.0.0.1", str(master.port)))
        replicas[-1].start()
        with open_client(replicas[-1]) as client:
            wait_until(lambda: client.info("replication")["master_link_status"] == "up", "the replica to catch up")
        return replicas[-1]

    yield make
    for replica in replicas:
        replica.kill()


@pytest.fixture
def certificate_and_key(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


async def test_tls_with_client_certificates(tmp_path: Path, certificate_and_key: tuple[Path, Path]) -> None:
    certificate, key = certificate_and_key
    port = find_free_port()
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)]
    server = RedisServer(tmp_path, "--tls-port", str(port), *files)
    server.start()
    tls = RedisTlsSection(enabled=True, ca_file=str(certificate), certificate_file=str(certificate), key_file=str(key))
    broker = Broker(RedisSection(master=RedisMasterSection(port=port), tls=tls), "test")
    await broker.start()
    assert broker.health().is_ready
    await broker.close()
    server.kill()


async def test_more_callers_than_connections_to_a_sentinels_master_wait_too(sentinels: SentinelFleet) -> None:
    clients = open_clients(
        RedisSection(sentinel=RedisSentinelSection(hosts=sentinels.hosts), max_connections=2), "test"
    )
    assert await asyncio.gather(*(clients.commands.ping() for _ in range(50))) == [True] * 50
    await clients.close()


async def test_a_sentinel_failover_under_load_loses_nothing_that_was_acknowledged(sentinels: SentinelFleet) -> None:
    config = RedisSection(sentinel=RedisSentinelSection(hosts=sentinels.hosts), min_replicas_acknowledged=1)
    broker = Broker(config, "test")
    await broker.start()
    store = TaskStore(broker, LIMITS)
    acknowledged: list[str] = []
    refused = 0
    for number in range(60):
        if number == 20:
            sentinels.servers[0].kill()
        task = NewTask(make_task_id(0), TaskRequest("captcha.example", url="http://captcha.example/"))
        while True:
            try:
                acknowledged += await store.submit([task])
                break
            except BrokerUnavailable:
                refused += 1
                await broker.wait_until_back()
    assert refused > 0
    assert len(set(acknowledged)) == 60
    for task_id in acknowledged:
        assert (await store.read(task_id)).task_id == task_id
    await broker.close()


async def test_a_redis_that_is_full_is_away_and_not_a_fault_of_ours(own_redis: RedisServer) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    store = TaskStore(broker, LIMITS)
    task = NewTask(make_task_id(0), TaskRequest("captcha.example", url="http://captcha.example/"))
    try:
        await broker.start()
        await broker.client.config_set("maxmemory", "1")
        with pytest.raises(BrokerUnavailable, match="maxmemory"):
            await store.submit([task])
        await broker.client.config_set("maxmemory", "0")
        assert await store.submit([task]) == [task.task_id]
    finally:
        await broker.close()
