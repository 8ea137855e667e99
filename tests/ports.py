"""Loopback ports for servers that are told theirs before they listen."""

import itertools
import socket
from functools import cache

FIRST_PORT = 12_000
"""All are below those the system hands out to outgoing connections, which would take one while its server is down."""

BLOCK_PORTS = 200
BLOCKS = 20


def find_free_port() -> int:
    """Return a port nobody listens on now, and that no other test process of this machine will be given."""
    _, ports = _reserve_block()
    for port in itertools.islice(ports, BLOCK_PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("every port of this process's block is taken")


@cache
def _reserve_block() -> tuple[socket.socket, "itertools.cycle[int]"]:
    """Take a block of ports for as long as this process lives: the abstract socket's name is free again with it."""
    for block in range(BLOCKS):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0captchad-tests-ports-{block}")
        except OSError:
            lock.close()
            continue
        first = FIRST_PORT + block * BLOCK_PORTS
        return lock, itertools.cycle(range(first, first + BLOCK_PORTS))
    raise RuntimeError(f"{BLOCKS} processes that run tests hold all blocks of ports")
