"""A dump.rdb in the private server's folder is loaded where nothing else is there, and told of."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from redis import asyncio as redis

from captchad.broker.embedded import EmbeddedRedis
from captchad.broker.embedded_dump import DUMP, LOADED, MANIFEST, describe_dump, must_load
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from tests.integration.embedded.test_embedded_redis import HOLDER, end
from tests.patience import until
from tests.redis_server import RedisServer

KEYS = 500


@pytest.fixture
async def dump(tmp_path: Path, own_redis: RedisServer) -> Path:
    """A dump of another server, as BGSAVE leaves it."""
    async with redis.from_url(own_redis.url) as client:
        await client.mset({f"captchad:{number}": b"\0\xff" * 100 for number in range(KEYS)})
        await client.xadd("captchad:stream", {"id": "a"})
        await client.save()
    return tmp_path / DUMP


async def start(state_directory: Path) -> EmbeddedRedis:
    server = EmbeddedRedis(state_directory, Clock())
    try:
        await server.start()
    except BaseException:
        await server.close()
        raise
    return server


async def count(server: EmbeddedRedis) -> int:
    async with redis.from_url(server.url) as client:
        return int(await client.dbsize())


def put(dump: Path, state_directory: Path) -> Path:
    folder = state_directory / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(dump, folder / DUMP)
    return folder


async def test_a_dump_alone_is_loaded_and_kept_from_then_on(dump: Path, tmp_path: Path) -> None:
    folder = put(dump, tmp_path / "state")
    server = await start(tmp_path / "state")
    assert (await count(server), server.dump) == (KEYS + 1, f"dump.rdb was loaded: {KEYS + 1} keys")
    async with redis.from_url(server.url) as client:
        await client.set("captchad:later", "kept")
    await server.close()
    assert (folder / LOADED).exists()
    assert not (folder / DUMP).exists()
    again = await start(tmp_path / "state")
    assert (await count(again), again.dump) == (KEYS + 2, "dump.rdb was loaded")
    await again.close()


async def test_a_dump_beside_data_is_told_of(dump: Path, tmp_path: Path) -> None:
    server = await start(tmp_path / "state")
    assert server.dump == ""
    async with redis.from_url(server.url) as client:
        await client.set("captchad:own", "data")
    await server.close()
    folder = put(dump, tmp_path / "state")
    again = await start(tmp_path / "state")
    assert (await count(again), "is not loaded" in again.dump) == (1, True)
    assert "is not loaded" in describe_dump(folder)
    await again.close()


async def test_a_damaged_dump_is_refused(dump: Path, tmp_path: Path) -> None:
    folder = put(dump, tmp_path / "state")
    content = (folder / DUMP).read_bytes()
    (folder / DUMP).write_bytes(content[: len(content) // 2])
    with pytest.raises(BrokerUnavailable, match="exited at once"):
        await start(tmp_path / "state")
    assert (folder / DUMP).exists()


@pytest.mark.parametrize("sign", ["redis.sock", "appendonlydir", str(MANIFEST), LOADED])
async def test_a_start_that_is_killed_loses_nothing(dump: Path, tmp_path: Path, sign: str) -> None:
    folder = put(dump, tmp_path / "state")
    holder = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", HOLDER, str(tmp_path / "state")], stdout=subprocess.PIPE, text=True
    )
    await until(lambda: _exists(folder / sign))
    end(holder)
    again = await start(tmp_path / "state")
    assert await count(again) == KEYS + 1
    assert not must_load(folder)
    await again.close()


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)
