"""A real master with one replica, which can be held back."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import redis
from redis import asyncio as asyncio_redis

from captchad.broker.redis_keys import PartitionKeys
from tests.patience import wait_until
from tests.redis_server import RedisServer


class ReplicatedRedis:
    """A master and its replica on loopback."""

    def __init__(self, folder: Path, program: Path | None = None) -> None:
        for name in ("master", "replica"):
            (folder / name).mkdir()
        self.master = RedisServer(folder / "master", program=program)
        follow = ("--replicaof", "127.0.0.1", str(self.master.port))
        self.replica = RedisServer(folder / "replica", *follow, program=program)

    @property
    def url(self) -> str:
        return self.master.url

    def start(self) -> None:
        self.master.start()
        self.replica.start()
        with redis.Redis(port=self.replica.port) as client:
            wait_until(lambda: client.info("replication")["master_link_status"] == "up", "the replica to follow")

    def stop(self) -> None:
        for server in (self.replica, self.master):
            server.kill()

    async def read_stored_status(self, task_id: str) -> str:
        """Return what the master has as a task's status, which callers may be shown otherwise."""
        async with asyncio_redis.Redis(port=self.master.port) as client:
            return str(await client.hget(PartitionKeys(0).task(task_id), "status"), "ascii")

    @contextlib.contextmanager
    def holding_replica_back(self) -> Iterator[None]:
        """Have the replica get nothing until the block ends."""
        assert self.replica.process is not None
        self.replica.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.replica.process.send_signal(signal.SIGCONT)
