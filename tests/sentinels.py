"""A real master with replicas and sentinels, for failovers."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import redis

from tests.patience import wait_until
from tests.ports import find_free_port
from tests.redis_server import RedisServer


class SentinelFleet:
    """A master with two replicas and three sentinels, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = [RedisServer(self._make_folder(f"redis-{number}")) for number in range(3)]
        self.sentinel_ports = [find_free_port() for _ in range(3)]
        self._sentinels: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for server in self.servers:
            server.start()
        for server in self.servers[1:]:
            redis.Redis(port=server.port).replicaof("127.0.0.1", self.servers[0].port)
        for server in self.servers[1:]:
            _wait(lambda server=server: redis.Redis(port=server.port).info("replication")["master_link_status"] == "up")
        for port in self.sentinel_ports:
            self._start_sentinel(port)
        for port in self.sentinel_ports:
            _wait(lambda port=port: self._hasten(port))
        for port in self.sentinel_ports:
            _wait(lambda port=port: redis.Redis(port=port).sentinel_master("mymaster")["num-slaves"] == 2)
            _wait(lambda port=port: redis.Redis(port=port).sentinel_master("mymaster")["num-other-sentinels"] == 2)

    def _start_sentinel(self, port: int) -> None:
        path = self._make_folder(f"sentinel-{port}") / "sentinel.conf"
        path.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {path.parent}\n"
            f"sentinel monitor mymaster 127.0.0.1 {self.servers[0].port} 2\n"
            "sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 3000\n"
        )
        program = shutil.which("redis-sentinel")
        assert program, "the tests need redis-sentinel; `make test` installs it"
        self._sentinels.append(subprocess.Popen([program, str(path)], stdout=subprocess.DEVNULL))

    def _hasten(self, port: int) -> bool:
        """Have a Sentinel look at the servers every second, rather than every ten; before 7.0 none can be told so."""
        with contextlib.suppress(redis.ResponseError):
            self.ask(port).execute_command("SENTINEL DEBUG", "info-period", 1000, "publish-period", 500)
        return True

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where the sentinels are."""
        return tuple(f"127.0.0.1:{port}" for port in self.sentinel_ports)

    @property
    def master_port(self) -> int:
        """The port of the server that every Sentinel calls the master; 0 while they don't agree."""
        named = {self.ask(port).sentinel_master("mymaster")["port"] for port in self.sentinel_ports}
        return named.pop() if len(named) == 1 else 0

    def find_server(self, port: int) -> RedisServer:
        """Return the server on a port."""
        [server] = [server for server in self.servers if server.port == port]
        return server

    def order_failover(self) -> int:
        """Have a Sentinel make another server the master, though nothing is wrong; return the port of the old one."""
        before = self.master_port
        _wait(lambda: self.ask(self.sentinel_ports[0]).execute_command("SENTINEL FAILOVER", "mymaster"))
        return before

    def wait_failed_over(self, before: int) -> None:
        """Wait until all Sentinels call another server the master."""
        _wait(lambda: self.master_port not in {0, before})

    def wait_replicas(self, count: int = 2) -> None:
        """Wait until the master has so many replicas that keep up with it."""
        _wait(lambda: self._count_replicas() == count)

    def stop_sentinels(self, count: int) -> None:
        """Kill some of the Sentinels."""
        for process in self._sentinels[:count]:
            process.kill()
            process.wait()

    @staticmethod
    def ask(port: int) -> "redis.Redis":
        """Return a client of one server or Sentinel."""
        return redis.Redis(port=port, protocol=2, socket_timeout=5)

    def _count_replicas(self) -> int:
        replication = self.ask(self.master_port).info("replication")
        replicas = (replication.get(f"slave{number}") for number in range(2))
        return sum(replica is not None and replica["state"] == "online" for replica in replicas)

    def stop(self) -> None:
        for process in self._sentinels:
            process.kill()
            process.wait()
        for server in self.servers:
            server.kill()

    def _make_folder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir()
        return path


def _wait(condition: object) -> None:
    def holds() -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(condition())  # type: ignore[operator]
        return False

    wait_until(holds, "the sentinels to agree")
