"""Reaching Redis: passwords, TLS, kept connections, and a Sentinel failover under load."""

import asyncio
import subprocess
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
from tests.ports import find_free_port
from tests.redis_server import RedisServer
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
