"""The listening socket that systemd hands to a service (LISTEN_FDS): held by systemd, it outlives a restart."""

import os
import socket

FIRST_DESCRIPTOR = 3
VARIABLES = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")


def take_inherited_socket() -> socket.socket | None:
    """Return the socket this process was started with; None where there is none, or it was taken already."""
    count, process = os.environ.get("LISTEN_FDS"), os.environ.get("LISTEN_PID")
    if count is None or process != str(os.getpid()) or int(count) < 1:
        return None
    # Child processes inherit the variables, but not the socket.
    for name in VARIABLES:
        os.environ.pop(name, None)
    os.set_inheritable(FIRST_DESCRIPTOR, False)
    inherited = socket.socket(fileno=FIRST_DESCRIPTOR)
    inherited.setblocking(False)
    return inherited
