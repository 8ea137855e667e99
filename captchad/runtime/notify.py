"""Reports the service's state to systemd (the sd_notify protocol: datagrams to $NOTIFY_SOCKET)."""

import os
import socket

MICROSECONDS_PER_SECOND = 1_000_000


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
