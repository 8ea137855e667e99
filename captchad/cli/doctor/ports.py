"""The ports of the roles: free, or held by whom."""

from captchad.cli.doctor.finding import Finding, bad, doubtful, good
from captchad.cli.services import probe
from captchad.deployment.free_ports import is_free
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, ROLE_PORTS
from captchad.runtime.port_holder import describe_holder


def check_ports() -> list[Finding]:
    """Check the usual port of every role."""
    return [check_port(port, role) for role, port in ROLE_PORTS.items()]


def check_port(port: int, role: Role) -> Finding:
    """Check one port: free, held by a captchad role, or in the way."""
    subject = f"port {port}"
    if is_free(LOOPBACK_HOST, port):
        return good(subject, f"free for the {role}")
    holder = describe_holder(port)
    found = probe(role, f"{LOOPBACK_HOST}:{port}", None)
    if found.body:
        return good(subject, f"held by captchad's {found.role}, {holder}")
    if role is Role.WORKER:
        return doubtful(subject, f"held by {holder}", "none needed: workers take the next free port")
    return bad(subject, f"held by {holder}", f"stop it, or start the {role} with another --port")
