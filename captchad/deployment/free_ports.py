"""Finds free ports on this machine, and the holders of taken ones."""

import errno
import socket

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


class PortClaims:
    """The ports that this process has chosen, for as long as it lives.

    Another `up` of this machine chooses none of them, also while nobody listens there yet.
    """

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock

    def pick(self) -> int:
        """Claim any free port."""
        while True:
            port = _bind_for_a_moment(self._host, ANY_FREE_PORT)
            if self._hold(port):
                return port

    def find(self, first: int, own: int | None = None) -> int:
        """Claim the first free port from `first` upwards, past those of other roles; `own` may be claimed already."""
        for port in range(first, HIGHEST_PORT + 1):
            if port in PORTS_OF_OTHERS or not is_free(self._host, port):
                continue
            if port == own or self._hold(port):
                return port
        raise ConfigurationError((ConfigurationProblem("", f"no port from {first} upwards is free"),))

    async def claim(self, port: int, flag: str) -> int:
        """Claim this port, or any for 0; ConfigurationError names the holder and the flag to choose another.

        The processes of an `up` that was just killed may still hold it for a moment, and are waited for.
        """
        if port == ANY_FREE_PORT:
            return self.pick()
        deadline = self._clock.monotonic_seconds() + PATIENCE_SECONDS
        while not is_free(self._host, port):
            if not _is_orphan_of_ours(port) or self._clock.monotonic_seconds() > deadline:
                raise _refuse(f"port {port} is taken by {describe_holder(port)}; stop that one", flag)
            await self._clock.sleep(POLL_SECONDS)
        if not self._hold(port):
            raise _refuse(f"port {port} is claimed by another `captchad up`; stop that one", flag)
        return port

    def _hold(self, port: int) -> bool:
        """Claim a port by a name that only one process can have, and that is gone with it, however it ends."""
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            claim.bind(f"\0captchad-port-{port}")
        except OSError:
            claim.close()
            return False
        # Never closed by us: it lasts for as long as this process.
        claim.detach()
        return True


def _refuse(message: str, flag: str) -> ConfigurationError:
    return ConfigurationError((ConfigurationProblem("", f"{message}, or choose another with {flag}"),))


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
