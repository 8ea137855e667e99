"""Finds free ports on this machine, and the holders of taken ones."""

import errno
import socket
from collections.abc import Collection

import psutil

from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from captchad.domain.ports import HIGHEST_PORT, PORTS_OF_OTHERS
from captchad.runtime.clock import Clock
from captchad.runtime.port_holder import describe_holder, find_holder

ANY_FREE_PORT = 0
PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.1
TETHER = "tether.py"
INIT = 1


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now; an address that is not this machine's counts as free."""
    try:
        _bind_for_a_moment(host, port)
    # Nobody holds it; that it may not be bound is for the role itself to report.
    except PermissionError:
        return True
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True


def pick_free_port(host: str) -> int:
    """Return a port nobody listens on."""
    return _bind_for_a_moment(host, ANY_FREE_PORT)


def find_free_port(host: str, first: int, avoided: Collection[int]) -> int:
    """Return the first free port from `first` upwards, past those of other roles and `avoided`."""
    for port in range(first, HIGHEST_PORT + 1):
        if port not in avoided and port not in PORTS_OF_OTHERS and is_free(host, port):
            return port
    raise ConfigurationError((ConfigurationProblem("", f"no port from {first} upwards is free"),))


async def claim_port(host: str, port: int, flag: str, clock: Clock) -> int:
    """Return the port, or a free one for 0; ConfigurationError names the holder and the flag to choose another.

    The processes of an `up` that was just killed may still hold it for a moment, and are waited for.
    """
    if port == ANY_FREE_PORT:
        return pick_free_port(host)
    deadline = clock.monotonic_seconds() + PATIENCE_SECONDS
    while not is_free(host, port):
        if not _is_orphan_of_ours(port) or clock.monotonic_seconds() > deadline:
            message = f"port {port} is taken by {describe_holder(port)}; stop that one, or choose another with {flag}"
            raise ConfigurationError((ConfigurationProblem("", message),))
        await clock.sleep(POLL_SECONDS)
    return port


def _bind_for_a_moment(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        # As the servers do: a connection in TIME_WAIT must not make the port count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        bound: int = probe.getsockname()[1]
        return bound


def _is_orphan_of_ours(port: int) -> bool:
    """Say whether the holder is a role whose `up` is gone: then its tether has no parent but init left."""
    holder = find_holder(port)
    if holder is None:
        return True
    try:
        tether = holder.parent()
        return tether is not None and TETHER in " ".join(tether.cmdline()) and tether.ppid() == INIT
    # Another user's process can't be examined; when in doubt it is waited for.
    except psutil.Error:
        return True
