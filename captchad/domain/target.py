"""Declared targets, and the one module that decides whether a URL is in scope."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from captchad.domain.errors import TargetNotAllowed

SCHEME_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
PAGE_SCHEMES = frozenset({"http", "https"})
DEFAULT_PORTS = (80, 443)
URL_LENGTH_LIMIT = 8192
HIGHEST_PORT = 65535

_LAST_LABEL_OF_AN_ADDRESS = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""Browsers and resolvers read a host that ends like this as an IPv4 address, in whatever notation."""


@dataclass(frozen=True, slots=True)
class Target:
    """A declared host (or `*.host`), with what may be done there.

    `expires` is the last day of the authorisation; None only for loopback hosts. `minimum_confidence` (0..1) is None
    where the worker's own counts.
    """

    host: str
    ports: tuple[int, ...] = DEFAULT_PORTS
    owner: str = ""
    reference: str = ""
    expires: date | None = None
    max_per_minute: int = 60
    max_concurrent: int = 4
    allow_private_addresses: bool = False
    minimum_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a URL: scheme and host in lower case (host without brackets), and the port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_origin(url: str, schemes: frozenset[str] = PAGE_SCHEMES) -> Origin:
    """Read scheme, host and port of an absolute URL; TargetNotAllowed says what is wrong with it."""
    if len(url) > URL_LENGTH_LIMIT:
        raise TargetNotAllowed(f"the URL is longer than {URL_LENGTH_LIMIT} characters")
    if any(character <= " " or character in '\\"<>^`{|}\x7f' for character in url):
        raise TargetNotAllowed("the URL contains a space, a control character or one that must be percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetNotAllowed(f"the URL can't be parsed: {error}") from None
    return _check_parts(parts, port, schemes)


def _check_parts(parts: SplitResult, port: int | None, schemes: frozenset[str]) -> Origin:
    scheme = parts.scheme.lower()
    if scheme not in schemes:
        raise TargetNotAllowed(f"the scheme {scheme or '(none)'!r} is not allowed; use {' or '.join(sorted(schemes))}")
    if not parts.hostname:
        raise TargetNotAllowed("the URL has no host")
    if parts.username is not None or parts.password is not None:
        raise TargetNotAllowed("a user name or password in the URL is not allowed")
    if port == 0:
        raise TargetNotAllowed("port 0 is not a port")
    return Origin(scheme, normalise_host(parts.hostname), port or SCHEME_PORTS[scheme])


def normalise_host(host: str) -> str:
    """Return a host as targets are compared: lower case, no trailing dot, IDNA, canonical IP addresses."""
    bare = host.strip("[]").lower()
    try:
        # Compared in ASCII: two spellings of one host must not be two hosts.
        encoded = (bare if bare.isascii() else bare.encode("idna").decode("ascii")).rstrip(".")
    except UnicodeError:
        raise TargetNotAllowed(f"{host!r} is not a valid host name") from None
    try:
        return str(ip_address(encoded))
    except ValueError:
        pass
    if _LAST_LABEL_OF_AN_ADDRESS.fullmatch(encoded.rpartition(".")[2]):
        raise TargetNotAllowed(f"{host!r} is an address in an unusual notation; write it as four decimal numbers")
    if not encoded or not all(c.isalnum() or c in "-_." for c in encoded) or ".." in encoded:
        raise TargetNotAllowed(f"{host!r} is not a valid host name")
    return encoded


def is_loopback_host(host: str) -> bool:
    """Whether a host names this machine: localhost or a loopback address."""
    address = literal_address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address a host spells out, or None where it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def host_matches(pattern: str, host: str) -> bool:
    """Whether a declared host covers `host`; `*.example.com` covers every subdomain, not example.com itself."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def find_target(targets: Iterable[Target], origin: Origin, today: date) -> Target:
    """Return the declared target an origin belongs to; the most specific host wins.

    Raises TargetNotAllowed with the reason: undeclared host, undeclared port, or expired.
    """
    covering = [target for target in targets if host_matches(target.host, origin.host)]
    if not covering:
        raise TargetNotAllowed(f"{origin.host} is not a declared target; add it to security.targets")
    on_port = [target for target in covering if origin.port in target.ports]
    if not on_port:
        ports = ", ".join(str(port) for target in covering for port in target.ports)
        raise TargetNotAllowed(f"port {origin.port} of {origin.host} is not declared (declared: {ports})")
    best = max(on_port, key=lambda target: (not target.host.startswith("*."), len(target.host)))
    check_expiry(best, today)
    return best


def find_target_by_name(targets: Iterable[Target], name: str, today: date) -> Target:
    """Return the declared target that `name` spells or that covers it, for pictures that come without a URL."""
    known = list(targets)
    wanted = name.lower().rstrip(".")
    for target in known:
        if target.host == wanted:
            check_expiry(target, today)
            return target
    covering = [target for target in known if host_matches(target.host, wanted)]
    if not covering:
        raise TargetNotAllowed(f"{name} is not a declared target; add it to security.targets")
    best = max(covering, key=lambda target: len(target.host))
    check_expiry(best, today)
    return best


def check_expiry(target: Target, today: date) -> None:
    """Raise TargetNotAllowed once the authorisation of a target is over."""
    if target.expires is not None and today > target.expires:
        raise TargetNotAllowed(f"the authorisation of {target.host} expired on {target.expires.isoformat()}; renew it")
