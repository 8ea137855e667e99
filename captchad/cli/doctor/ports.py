"""The ports of the roles: free, or held by whom."""

import errno
import socket

import psutil

from captchad.cli.doctor.finding import Finding, bad, doubtful, good
from captchad.cli.services import FIRST_WORKER_PORT, LOOPBACK, ROLE_PORTS, probe
from captchad.domain.node import Role

ROLE_OF_PORT = {port: role for role, port in ROLE_PORTS.items()} | {FIRST_WORKER_PORT: Role.WORKER}


def check_ports() -> list[Finding]:
    """Check the usual port of every role."""
    return [check_port(port, role) for port, role in ROLE_OF_PORT.items()]


def check_port(port: int, role: Role) -> Finding:
    """Check one port: free, held by a captchad role, or in the way."""
    subject = f"port {port}"
    if _is_free(port):
        return good(subject, f"free for the {role}")
    holder = name_holder(port)
    found = probe(role, f"{LOOPBACK}:{port}", None)
    if found.body:
        return good(subject, f"held by captchad's {found.role} ({holder})")
    if role is Role.WORKER:
        return doubtful(subject, f"held by {holder}", "none needed: workers take the next free port")
    return bad(subject, f"held by {holder}", f"stop it, or start the {role} with another --port")


def name_holder(port: int) -> str:
    """Name the process that listens on a port; another user's is named only to root."""
    try:
        connections = psutil.net_connections(kind="inet")
    except psutil.AccessDenied:
        return "another user's process"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            return _name_process(connection.pid)
    return "an unknown process"


def _name_process(pid: int | None) -> str:
    if pid is None:
        return "another user's process"
    try:
        return f"{psutil.Process(pid).name()}, process {pid}"
    except psutil.Error:
        return f"process {pid}"


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True
