"""A real Redis, its replica and a Sentinel run with the examples under config/, and captchad reaches them by TLS."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from captchad.broker.connection import Broker
from captchad.broker.rights import Rights
from captchad.config.settings import RedisMasterSection, RedisSection, RedisSentinelSection, RedisTlsSection
from tests.certificates import Issued, issue, make_authority
from tests.examples import fit_example
from tests.patience import wait_until
from tests.ports import find_free_port
from tests.redis_versions import find_server

PASSWORD = "a-password-of-our-own"
HOST = "localhost"


class ExampleServers:
    """A master, a replica and a Sentinel, each with an example's text and our addresses, files and passwords."""

    def __init__(self, folder: Path) -> None:
        self.authority = make_authority(folder)
        certificate = issue(folder, self.authority, HOST, "127.0.0.1")
        self.folder = folder
        self._changes = {
            "change-this-password": PASSWORD,
            "bind 0.0.0.0 -::": "bind 127.0.0.1",
            "/etc/redis/tls/redis.crt": certificate.path,
            "/etc/redis/tls/redis.key": certificate.path,
            "/etc/redis/tls/ca.crt": self.authority.path,
        }
        self.redis_ports = [find_free_port(), find_free_port()]
        self.sentinel_port = find_free_port()
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        master, replica = self.redis_ports
        self._start_redis(master, {})
        replication = {"# replicaof redis-1.example.com 6379": f"replicaof {HOST} {master}"}
        self._start_redis(replica, {**replication, "/var/lib/redis": str(self._make_folder("replica"))})
        changes = {
            "tls-port 26379": f"tls-port {self.sentinel_port}",
            "redis-1.example.com 6379 2": f"{HOST} {master} 1",
            "/var/lib/redis": str(self._make_folder("sentinel")),
            "this-host.example.com": HOST,
        }
        self._start(fit_example("sentinel", self._changes | changes), "sentinel", "--sentinel")
        self._wait(lambda: self.ask_sentinel()["num-slaves"] == 1)

    def ask_sentinel(self) -> dict[str, Any]:
        with self._connect(self.sentinel_port, password=PASSWORD) as client:
            state: dict[str, Any] = client.sentinel_master("mymaster")
            return state

    def order_failover(self) -> None:
        with self._connect(self.sentinel_port, password=PASSWORD) as client:
            self._wait(lambda: client.execute_command("SENTINEL FAILOVER", "mymaster"))

    def connect(self, user: str) -> "redis.Redis":
        return self._connect(self.redis_ports[0], username=user, password=PASSWORD)

    def connect_nameless(self) -> "redis.Redis":
        return self._connect(self.redis_ports[0])

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _connect(self, port: int, **login: str) -> "redis.Redis":
        return redis.Redis(host=HOST, port=port, ssl=True, ssl_ca_certs=self.authority.path, protocol=2, **login)  # type: ignore[arg-type]

    def _start_redis(self, port: int, changes: dict[str, str]) -> None:
        own = {
            "tls-port 6379": f"tls-port {port}",
            "this-host.example.com": HOST,
            "/var/lib/redis": str(self.folder),
        }
        rights = fit_example("redis-acl", {"change-this-password": PASSWORD})
        self._start(fit_example("redis", self._changes | own | changes) + rights, f"redis-{port}")
        self._wait_for(port)

    def _wait_for(self, port: int) -> None:
        with self._connect(port, username="captchad", password=PASSWORD) as client:
            self._wait(client.ping)

    def _start(self, text: str, name: str, *options: str) -> None:
        file = self.folder / f"{name}.conf"
        file.write_text(text)
        self._run(name, *options)

    def _run(self, name: str, *options: str) -> None:
        command = [find_server("installed"), str(self.folder / f"{name}.conf"), *options]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def restart(self, port: int) -> None:
        """Kill a Redis, and start it with what its configuration has become."""
        process = self._processes.pop(self.redis_ports.index(port))
        process.kill()
        process.wait()
        self._run(f"redis-{port}")
        self._wait_for(port)

    def _make_folder(self, name: str) -> Path:
        (self.folder / name).mkdir()
        return self.folder / name

    def _wait(self, condition: Any) -> None:
        wait_until(lambda: self._holds(condition), "the servers of the examples")

    def _holds(self, condition: Any) -> bool:
        for process in self._processes:
            logs = "".join(log.read_text() for log in self.folder.glob("*.log"))
            assert process.poll() is None, logs
        with contextlib.suppress(redis.RedisError):
            return bool(condition())
        return False


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[ExampleServers]:
    running = ExampleServers(tmp_path)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def configure(servers: ExampleServers, authority: Issued) -> RedisSection:
    password = SecretStr(PASSWORD)
    return RedisSection(
        master=RedisMasterSection(username="captchad", password=password),
        sentinel=RedisSentinelSection(hosts=(f"{HOST}:{servers.sentinel_port}",), password=password),
        tls=RedisTlsSection(enabled=True, ca_file=authority.path),
    )


async def find_master(section: RedisSection) -> int:
    """Start as a role does; return the port of the server that it then writes to."""
    broker = Broker(section, "test")
    await broker.start()
    try:
        await Rights(broker).start()
        information = await broker.client.info()
        return int(information["tcp_port"] or information["ssl_port"])
    finally:
        await broker.close()


async def test_captchad_starts_by_sentinel_and_tls_and_follows_a_failover(servers: ExampleServers) -> None:
    section = configure(servers, servers.authority)
    first, second = servers.redis_ports
    assert await find_master(section) == first
    servers.order_failover()
    wait_until(lambda: int(servers.ask_sentinel()["port"]) == second, "the replica to be the master")
    assert await find_master(section) == second


def test_after_a_failover_a_redis_starts_again_from_what_was_written_into_its_configuration(
    servers: ExampleServers,
) -> None:
    former, second = servers.redis_ports
    servers.order_failover()
    wait_until(lambda: int(servers.ask_sentinel()["port"]) == second, "the replica to be the master")
    text = servers.folder / f"redis-{former}.conf"
    wait_until(lambda: f"replicaof {HOST} {second}" in text.read_text(), "Sentinel to have the configuration rewritten")
    servers.restart(former)
    # By one name everywhere: known by two, it would count as two.
    assert servers.ask_sentinel()["num-slaves"] == 1


def test_nobody_without_a_name_gets_in_and_captchad_may_no_more_than_it_needs(servers: ExampleServers) -> None:
    with servers.connect_nameless() as nameless, pytest.raises(redis.AuthenticationError):
        nameless.ping()
    with servers.connect("captchad") as client:
        for command in ("CONFIG GET *", "KEYS *", "FLUSHALL", "SHUTDOWN"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split())
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.get("another:key")


def test_what_captchad_relies_on_is_set(servers: ExampleServers) -> None:
    with servers.connect("captchad") as client:
        information = client.info()
    assert information["aof_enabled"] == 1
    assert information["maxmemory_policy"] == "noeviction"
    assert information["maxmemory"] > 0
