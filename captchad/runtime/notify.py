"""The sd_notify protocol (datagrams to $NOTIFY_SOCKET): reports a service's state to systemd, or hears a child's."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable

MICROSECONDS_PER_SECOND = 1_000_000
LONGEST_DATAGRAM_BYTES = 4096

_CREDENTIALS = struct.Struct("3i")


def notify_systemd(state: str) -> bool:
    """Send `state` (`READY=1`, `STOPPING=1`, `WATCHDOG=1`, `STATUS=…`); False where no systemd listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    # An abstract socket, whose name begins with a zero byte.
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address)
            channel.sendall(state.encode())
    except OSError:
        return False
    return True


def watchdog_interval_seconds() -> float | None:
    """Return half of the unit's WatchdogSec, or None where the unit has none for this process."""
    limit, process = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
    # systemd sets both in the unit's environment, which child processes inherit.
    if not limit or (process and int(process) != os.getpid()):
        return None
    return int(limit) / MICROSECONDS_PER_SECOND / 2


class NotifySocket:
    """Hears what child processes report; `take` gets a sender's process id and its states, one for each line.

    Only processes of this process's own user are heard.
    """

    def __init__(self, take: Callable[[int, list[str]], None]) -> None:
        self._take = take
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        # The kernel picks a free name outside the file system, which needs no folder and goes with the socket.
        self._socket.bind("")
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    @property
    def address(self) -> str:
        """Its address as the value of $NOTIFY_SOCKET."""
        name: bytes = self._socket.getsockname()
        return "@" + name[1:].decode()

    def close(self) -> None:
        """Stop hearing."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def _read(self) -> None:
        content, attached, _, _ = self._socket.recvmsg(LONGEST_DATAGRAM_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
        for level, kind, data in attached:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                process_id, user_id, _ = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])
                if user_id == os.geteuid():
                    self._take(process_id, content.decode(errors="replace").splitlines())
