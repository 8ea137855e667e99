"""Ways in which a real Redis answers and takes no writes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.patience import wait_until
from tests.ports import find_free_port
from tests.redis_server import RedisServer


@dataclass(frozen=True)
class Refusal:
    """How a server is made to refuse writes, and to take them again."""

    name: str
    begin: Callable[["redis.Redis", Path], Any]
    end: Callable[["redis.Redis", Path], Any]


def _break_snapshots(client: "redis.Redis", folder: Path) -> None:
    """Put a folder where the snapshot's file should be: a failed snapshot stops writes, as a full disk does."""
    (folder / "dump.rdb").mkdir()
    client.config_set("save", "3600 1")
    client.bgsave()
    wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the snapshot to fail")


def _mend_snapshots(client: "redis.Redis", folder: Path) -> None:
    (folder / "dump.rdb").rmdir()
    client.config_set("save", "")


READ_ONLY = Refusal(
    "read-only",
    lambda client, _: client.replicaof("127.0.0.1", find_free_port()),
    lambda client, _: client.replicaof("NO", "ONE"),
)
TOO_FEW_REPLICAS = Refusal(
    "too few replicas",
    lambda client, _: client.config_set("min-replicas-to-write", 1),
    lambda client, _: client.config_set("min-replicas-to-write", 0),
)
DISK_FAILURE = Refusal("disk failure", _break_snapshots, _mend_snapshots)
REFUSALS = (READ_ONLY, TOO_FEW_REPLICAS, DISK_FAILURE)


def fill_memory(client: "redis.Redis") -> None:
    """Have every command refused that may need memory."""
    client.config_set("maxmemory", 1)


def make_room(client: "redis.Redis") -> None:
    client.config_set("maxmemory", 0)


def open_client(server: RedisServer) -> "redis.Redis":
    return redis.Redis(port=server.port, protocol=2)
