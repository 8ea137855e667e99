"""Finds free ports on this machine, and the holders of taken ones."""

import socket
from collections.abc import Collection

import psutil

from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from captchad.runtime.clock import Clock
from captchad.web.server import PORTS_OF_OTHERS, describe_holder

ANY_FREE_PORT = 0
HIGHEST_PORT = 65535
PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.1
TETHER = "tether.py"
INIT = 1
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - named here to be looked up


def local_host(bind_host: str) -> str:
    """Return the address at which this machine reaches what is bound to `bind_host`."""
    return WILDCARDS.get(bind_host, bind_host)


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now; an address that is not this machine's counts as free."""
    try:
        _bind_for_a_moment(host, port)
    # Nobody holds it; that it may not be bound is for the role itself to report.
    except PermissionError:
        return True
    except OSError as error:
        return "in use" not in str(error)
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
    try:
        for connection in psutil.net_connections(kind="tcp"):
            is_listener = connection.status == psutil.CONN_LISTEN
            if is_listener and getattr(connection.laddr, "port", None) == port and connection.pid:
                tether = psutil.Process(connection.pid).parent()
                return tether is not None and TETHER in " ".join(tether.cmdline()) and tether.ppid() == INIT
    # Another user's process can't be examined; when in doubt it is waited for.
    except (psutil.Error, OSError):
        return True
    return True
