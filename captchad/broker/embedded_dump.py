"""A dump.rdb in the embedded server's folder, loaded while no append-only file is there, which a server prefers."""

import os
from pathlib import Path
from typing import Any

from redis import asyncio as redis
from redis import exceptions

from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock

DUMP = "dump.rdb"
LOADED = "dump.rdb.loaded"
MANIFEST = Path("appendonlydir/appendonly.aof.manifest")
"""Without it the server finds no append-only file, whatever a broken-off start has left there."""

POLL_SECONDS = 0.05
COMMAND_TIMEOUT_SECONDS = 30.0


def must_load(folder: Path) -> bool:
    """Whether there is a dump that would be ignored, and nothing else."""
    return (folder / DUMP).exists() and not (folder / MANIFEST).exists()


def describe_dump(folder: Path) -> str:
    """Return what became of a dump, in words; empty where there never was one."""
    if (folder / DUMP).exists():
        return f"{DUMP} is not loaded: the append-only file beside it has the data"
    return f"{DUMP} was loaded" if (folder / LOADED).exists() else ""


async def keep_dump(folder: Path, socket: Path, clock: Clock) -> int:
    """Have a server that has loaded the dump write it into its append-only file; return how many keys there are.

    The dump is renamed once the file is complete: a process that is killed before begins anew.
    """
    client: Any = redis.Redis(unix_socket_path=str(socket), socket_timeout=COMMAND_TIMEOUT_SECONDS)
    try:
        await client.config_set("appendonly", "yes")
        while not _is_written(await client.info("persistence")):
            await clock.sleep(POLL_SECONDS)
        keys = int(await client.dbsize())
    except (exceptions.RedisError, OSError) as error:
        raise BrokerUnavailable(f"the embedded server can't keep what it has loaded from {DUMP}: {error}") from error
    finally:
        await client.aclose()
    (folder / DUMP).rename(folder / LOADED)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return keys


def _is_written(persistence: dict[str, Any]) -> bool:
    if persistence["aof_last_bgrewrite_status"] != "ok":
        raise BrokerUnavailable(f"the embedded server can't write what it has loaded from {DUMP}; see its log")
    return bool(persistence["aof_enabled"]) and not (
        persistence["aof_rewrite_in_progress"] or persistence["aof_rewrite_scheduled"]
    )
