"""Faults, each of which strikes, lasts and is mended again; what and for how long is drawn."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import psutil

from tests.system.fault_proof.ground import Ground

LONGEST_SECONDS = 8.0
ROLES = ("gateway", "scheduler", "worker")

Fault = Callable[[Ground, Random], Coroutine[Any, Any, None]]


async def last(draw: Random) -> None:
    """Let a fault last, now and then for longer than a lease."""
    await asyncio.sleep(draw.uniform(0.5, LONGEST_SECONDS))


async def kill_role(ground: Ground, draw: Random) -> None:
    role = ground.find_role(draw.choice(ROLES))
    role.kill()
    await asyncio.sleep(draw.uniform(0.0, 2.0))
    await ground.start_again(role)


async def stop_role_for_a_while(ground: Ground, draw: Random) -> None:
    role = ground.find_role(draw.choice(ROLES))
    role.signal(signal.SIGSTOP)
    await last(draw)
    role.signal(signal.SIGCONT)


async def restart_role(ground: Ground, draw: Random) -> None:
    role = ground.find_role(draw.choice(ROLES))
    role.signal(signal.SIGTERM)
    await role.wait()
    await ground.start_again(role)


async def kill_server(ground: Ground, draw: Random) -> None:
    server = draw.choice(ground.servers)
    server.kill()
    await last(draw)
    await ground.start_server(server)


async def stop_server_for_a_while(ground: Ground, draw: Random) -> None:
    server = draw.choice(ground.servers)
    ground.signal(server, signal.SIGSTOP)
    await last(draw)
    ground.signal(server, signal.SIGCONT)


async def restart_server(ground: Ground, draw: Random) -> None:
    server = draw.choice(ground.servers)
    ground.signal(server, signal.SIGTERM)
    assert server.process is not None
    await asyncio.to_thread(server.process.wait)
    await ground.start_server(server)


async def make_read_only(ground: Ground, draw: Random) -> None:
    # The port of nobody: it goes on answering reads with what it has.
    await ground.order(ground.servers[0], "REPLICAOF", "127.0.0.1", 1)
    await last(draw)
    await ground.order(ground.servers[0], "REPLICAOF", "NO", "ONE")


async def want_replicas_it_has_not(ground: Ground, draw: Random) -> None:
    master = await ground.find_master()
    await ground.order(master, "CONFIG", "SET", "min-replicas-to-write", 5)
    await last(draw)
    await ground.order(master, "CONFIG", "SET", "min-replicas-to-write", 0)


async def fill_memory(ground: Ground, draw: Random) -> None:
    master = await ground.find_master()
    await ground.order(master, "CONFIG", "SET", "maxmemory", 1)
    await last(draw)
    await ground.order(master, "CONFIG", "SET", "maxmemory", 0)


async def fill_disk(ground: Ground, draw: Random) -> None:
    """Let the server's files grow no further: each write of the append-only file fails, as on a full disk."""
    process = (await ground.find_master()).process
    assert process is not None
    limits = psutil.Process(process.pid)
    limits.rlimit(psutil.RLIMIT_FSIZE, (1, psutil.RLIM_INFINITY))
    await last(draw)
    limits.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))


async def fail_over(ground: Ground, _: Random) -> None:
    assert ground.sentinels is not None
    before = await asyncio.to_thread(ground.sentinels.order_failover)
    await asyncio.to_thread(ground.sentinels.wait_failed_over, before)


async def lose_master(ground: Ground, _: Random) -> None:
    assert ground.sentinels is not None
    master = await ground.find_master()
    master.kill()
    await asyncio.to_thread(ground.sentinels.wait_failed_over, master.port)
    await ground.start_server(master)


ROLE_FAULTS: tuple[Fault, ...] = (kill_role, stop_role_for_a_while, restart_role)
SERVER_FAULTS: tuple[Fault, ...] = (
    kill_server, stop_server_for_a_while, restart_server,
    make_read_only, want_replicas_it_has_not, fill_memory, fill_disk,
)  # fmt: skip
SENTINEL_FAULTS: tuple[Fault, ...] = (
    fail_over, lose_master, kill_server, stop_server_for_a_while, want_replicas_it_has_not, fill_memory,
)  # fmt: skip


async def strike(ground: Ground, seed: int) -> None:
    """Have a fault of a server and, every other time, one of a role beside it; wait until all is whole again.

    Those of servers take turns by the seed, so that consecutive seeds have them all.
    """
    draw = Random(seed)
    faults = SERVER_FAULTS if ground.sentinels is None else SENTINEL_FAULTS
    chosen = [faults[seed % len(faults)]]
    if draw.random() < 1 / 2:
        chosen.append(draw.choice(ROLE_FAULTS))
    ground.struck = [fault.__name__ for fault in chosen]
    await asyncio.gather(*(fault(ground, draw) for fault in chosen))
    await ground.wait_whole()
