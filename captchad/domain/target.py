"""Declared targets, and the one module that decides whether a URL is in scope."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from captchad.domain.address import LOOPBACK_ADDRESSES, AddressKind, IpAddress, classify
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.ports import show_host

SCHEME_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
PAGE_SCHEMES = frozenset({"http", "https"})
DEFAULT_PORTS = (80, 443)
WILDCARD = "*."
URL_LENGTH_LIMIT = 8192
CLOSURE_LIMIT_SECONDS = 604_800
"""A site that asks to be left alone for longer outlives every task; no operator may allow it more."""

_LAST_LABEL_OF_AN_ADDRESS = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""Browsers and resolvers read a host that ends like this as an IPv4 address, in whatever notation."""


@dataclass(frozen=True, slots=True)
class Target:
    """A declared host (or `*.host`), with what may be done there.

    `expires` is the last day of the authorisation; None only for loopback hosts. `longest_closure_seconds` is how long
    the site may have itself left alone. `minimum_confidence` (0..1) is None where the worker's own counts, and
    `collect_labels` where the fleet's does. `form_hosts` are further declared hosts that what a task types may be sent
    to. `certificate_authorities` and `client_certificate` name PEM files; a pin is the base64 of a key's SHA-256.
    `proof` says why no proof of ownership is asked for (`waived: REASON`).
    """

    host: str
    ports: tuple[int, ...] = DEFAULT_PORTS
    owner: str = ""
    reference: str = ""
    expires: date | None = None
    max_per_minute: int = 60
    max_concurrent: int = 4
    max_rejections_per_hour: int = 10
    longest_closure_seconds: float = 300
    allow_private_addresses: bool = False
    minimum_confidence: float | None = None
    form_hosts: tuple[str, ...] = ()
    collect_labels: bool | None = None
    certificate_authorities: str | None = None
    certificate_pins: tuple[str, ...] = ()
    client_certificate: str | None = None
    proof: str | None = None

    @property
    def has_own_trust(self) -> bool:
        """Whether its certificates are judged by what it declares, instead of by the browser."""
        return bool(self.certificate_authorities or self.certificate_pins or self.client_certificate)

    def may_be_typed_into(self, origin: "Origin") -> bool:
        """Whether what a task of this target types may reach an origin: the target itself, or one of its form_hosts."""
        is_own = host_matches(self.host, origin.host) and origin.port in self.ports
        return is_own or any(host_matches(host, origin.host) for host in self.form_hosts)


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a URL: scheme and host in lower case (host without brackets), and the port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{show_host(self.host)}:{self.port}"


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


def find_origin(url: str) -> str:
    """Return the origin of an http or https URL as browsers write it."""
    origin = parse_origin(url)
    port = "" if SCHEME_PORTS[origin.scheme] == origin.port else f":{origin.port}"
    return f"{origin.scheme}://{show_host(origin.host)}{port}"


def _check_parts(parts: SplitResult, port: int | None, schemes: frozenset[str]) -> Origin:
    scheme = parts.scheme.lower()
    if scheme not in schemes:
        beginnings = " or ".join(f"{allowed}://" for allowed in sorted(schemes))
        raise TargetNotAllowed(f"the URL must begin with {beginnings}")
    if not parts.hostname:
        raise TargetNotAllowed("the URL has no host")
    if parts.username is not None or parts.password is not None:
        raise TargetNotAllowed(
            "a user name or password in the URL is not allowed; send it in session.headers, as Authorization"
        )
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


def normalise_pattern(pattern: str) -> str:
    """Return a host or `*.host` as targets are declared."""
    wildcard = WILDCARD if pattern.startswith(WILDCARD) else ""
    return wildcard + normalise_host(pattern.removeprefix(WILDCARD))


def is_loopback_host(host: str) -> bool:
    """Whether a host names this machine: localhost or a loopback address."""
    address = literal_address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback


def literal_address(host: str) -> IpAddress | None:
    """Return the address a host spells out, or None where it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def spelled_addresses(host: str) -> tuple[IpAddress, ...]:
    """Return the addresses a host leads to whatever a resolver says; none for a name that must be looked up."""
    literal = literal_address(host)
    if literal is not None:
        return (literal,)
    return LOOPBACK_ADDRESSES if is_loopback_host(host) else ()


def host_matches(pattern: str, host: str) -> bool:
    """Whether a declared host covers `host`; `*.example.com` covers every subdomain, not example.com itself."""
    if pattern.startswith(WILDCARD):
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
        raise TargetNotAllowed(
            f"port {origin.port} of {origin.host} is not declared (declared: {ports}); "
            "add it to the target's ports in security.targets"
        )
    return _choose_most_specific(on_port, today)


def find_target_by_name(targets: Iterable[Target], name: str, today: date) -> Target:
    """Return the declared target that `name` spells or that covers it, for pictures that come without a URL."""
    wanted = normalise_pattern(name)
    covering = [target for target in targets if target.host == wanted or host_matches(target.host, wanted)]
    if not covering:
        raise TargetNotAllowed(f"{name} is not a declared target; add it to security.targets")
    return _choose_most_specific(covering, today)


def find_declared_target(targets: Iterable[Target], name: str) -> Target:
    """Return the target that is declared as `name`, expired or not; TargetNotAllowed where there is none."""
    wanted = normalise_pattern(name)
    declared = list(targets)
    for target in declared:
        if target.host == wanted:
            return target
    known = ", ".join(target.host for target in declared) or "none"
    raise TargetNotAllowed(f"{name} is not declared in security.targets (declared: {known})")


def _choose_most_specific(covering: Sequence[Target], today: date) -> Target:
    best = max(covering, key=lambda target: (not target.host.startswith(WILDCARD), len(target.host)))
    check_expiry(best, today)
    return best


def check_expiry(target: Target, today: date) -> None:
    """Raise TargetNotAllowed once the authorisation of a target is over."""
    if target.expires is not None and today > target.expires:
        raise TargetNotAllowed(f"the authorisation of {target.host} expired on {target.expires.isoformat()}; renew it")


def check_spelled_address(target: Target, host: str) -> None:
    """Refuse, before anything is looked up, a host that spells out an address its target may not be at."""
    for address in spelled_addresses(host):
        check_address(target, host, address)


def check_address(target: Target, host: str, address: IpAddress) -> None:
    """Raise TargetNotAllowed where a target's host may not be at an address.

    A wildcard names no exact host, so it can't open private addresses: any subdomain could be pointed at one.
    """
    kind = classify(address)
    is_opened = target.allow_private_addresses and target.host == host
    if kind is AddressKind.GLOBAL or (kind is AddressKind.PRIVATE and is_opened):
        return
    where = host if host == str(address) else f"{host} ({address})"
    raise TargetNotAllowed(f"{where} is {_REFUSED_ADDRESSES[kind]}")


_REFUSED_ADDRESSES = {
    AddressKind.PRIVATE: "a private address; declare exactly this host with allow_private_addresses: true to permit it",
    AddressKind.METADATA: "a cloud's metadata service, which is never reachable",
    AddressKind.UNUSABLE: "a reserved, multicast or tunnel address, which is never reachable",
}
