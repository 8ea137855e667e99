"""Who listens on a port of this machine, as far as this process may see."""

import psutil


def find_holder(port: int) -> psutil.Process | None:
    """Return the process that listens on a port; None where there is none or it is another user's."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
                return psutil.Process(connection.pid)
    except (psutil.Error, OSError):
        return None
    return None


def describe_holder(port: int) -> str:
    """Say which process listens on a port; another user's is named only to root."""
    holder = find_holder(port)
    if holder is None:
        return "another user's process"
    try:
        return f"{holder.name()} (process {holder.pid})"
    except psutil.Error:
        return f"process {holder.pid}"
