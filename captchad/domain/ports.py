"""Where each part of captchad is found on a machine where nobody chose otherwise."""

from captchad.domain.node import Role

LOOPBACK_HOST = "127.0.0.1"
HIGHEST_PORT = 65535

ROLE_PORTS = {Role.GATEWAY: 8080, Role.SCHEDULER: 8000, Role.WORKER: 8001, Role.MONITOR: 9090}
"""A host's further workers take the next free ports upwards of the first one's."""

REDIS_PORT = 6379
SENTINEL_PORT = 26379
PROMETHEUS_PORT = 9091

PORTS_OF_OTHERS = frozenset({*ROLE_PORTS.values(), REDIS_PORT, PROMETHEUS_PORT} - {ROLE_PORTS[Role.WORKER]})
"""What a worker that looks for a free port passes by."""

DEFAULT_GATEWAY_URL = f"http://{LOOPBACK_HOST}:{ROLE_PORTS[Role.GATEWAY]}"
GATEWAY_VARIABLE = "CAPTCHAD_GATEWAY_URL"
API_KEY_VARIABLE = "CAPTCHAD_API_KEY"
CA_FILE_VARIABLE = "CAPTCHAD_CA_FILE"
"""From which clients and commands take the gateway's address, their key, and the authorities that vouch for it."""

ANY_HOSTS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- compared with, never bound
"""A server bound to one of these listens at every address of its machine."""


def find_local_host(bind_host: str) -> str:
    """Return the host at which this machine reaches what is bound to `bind_host`."""
    if bind_host not in ANY_HOSTS:
        return bind_host
    return "::1" if bind_host == "::" else LOOPBACK_HOST


def show_host(host: str) -> str:
    """Return a host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
