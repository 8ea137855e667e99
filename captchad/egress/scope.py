"""The one policy of what captchad may connect to: pure decisions, no I/O."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from ipaddress import ip_address

from captchad.domain.address import AddressKind, IpAddress, classify, unwrap
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.ports import show_host
from captchad.domain.proof import check_public_address
from captchad.domain.target import Origin, Target, check_address, find_target, host_matches, is_loopback_host


class RefusalReason(StrEnum):
    """Why a connection was not made; the closed set that refusals are counted by."""

    UNDECLARED_HOST = "undeclared_host"
    UNDECLARED_PORT = "undeclared_port"
    EXPIRED_TARGET = "expired_target"
    UNPROVEN_TARGET = "unproven_target"
    FORBIDDEN_SCHEME = "forbidden_scheme"
    INVALID_DESTINATION = "invalid_destination"
    PRIVATE_ADDRESS = "private_address"
    PUBLIC_ADDRESS = "public_address"
    METADATA_ADDRESS = "metadata_address"
    UNUSABLE_ADDRESS = "unusable_address"
    PROTECTED_ENDPOINT = "protected_endpoint"
    CONFINED = "confined"
    CERTIFICATE = "certificate"


_REASONS = {
    AddressKind.PRIVATE: RefusalReason.PRIVATE_ADDRESS,
    AddressKind.METADATA: RefusalReason.METADATA_ADDRESS,
    AddressKind.UNUSABLE: RefusalReason.UNUSABLE_ADDRESS,
}


class EgressRefused(TargetNotAllowed):
    """A connection that the policy forbids."""

    def __init__(self, reason: RefusalReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ScopePolicy:
    """Decides whether an origin, and the addresses its name resolved to, may be connected to.

    `protected` are (host or address, port) pairs that are never reachable, whoever declares them; one on this
    machine (`own_addresses` and loopback) is protected under each of the machine's addresses.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        protected: Iterable[tuple[str, int]] = (),
        own_addresses: Iterable[IpAddress] = (),
    ) -> None:
        self._targets = tuple(targets)
        self._closed: Mapping[str, str] = {}
        self._own_addresses = frozenset(own_addresses)
        self._protected_local_ports: set[int] = set()
        self._protected_addresses: set[tuple[IpAddress, int]] = set()
        self._protected_names: set[tuple[str, int]] = set()
        for host, port in protected:
            self.protect(host, port)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets declared now."""
        return self._targets

    def replace_targets(self, targets: Iterable[Target], closed: Mapping[str, str] | None = None) -> None:
        """Decide by `targets` from now on; connections that stand are left alone.

        `closed` says why those of them that want a proof are closed, by their host as it is declared.
        """
        self._targets = tuple(targets)
        self._closed = closed or {}

    def protect(self, host: str, port: int) -> None:
        """Make (host, port) unreachable for good."""
        try:
            address = unwrap(ip_address(host.strip("[]")))
        except ValueError:
            self._protected_names.add((host.lower().rstrip("."), port))
            if is_loopback_host(host):
                self._protected_local_ports.add(port)
            return
        if self._is_local(address):
            self._protected_local_ports.add(port)
        else:
            self._protected_addresses.add((address, port))

    def check_origin(self, origin: Origin, today: date) -> Target:
        """Return the declared target an origin belongs to; EgressRefused says why there is none."""
        # Ahead of the targets: no declaration may open these.
        if (origin.host, origin.port) in self._protected_names:
            raise EgressRefused(
                RefusalReason.PROTECTED_ENDPOINT, f"{show_host(origin.host)}:{origin.port} is never reachable"
            )
        try:
            target = self._find(origin, today)
        except TargetNotAllowed as error:
            raise EgressRefused(self._name_reason(origin), error.message) from None
        if target.host in self._closed:
            raise EgressRefused(RefusalReason.UNPROVEN_TARGET, self._closed[target.host])
        return target

    def _find(self, origin: Origin, today: date) -> Target:
        return find_target(self._targets, origin, today)

    def _name_reason(self, origin: Origin) -> RefusalReason:
        covering = [target for target in self._targets if host_matches(target.host, origin.host)]
        if not covering:
            return RefusalReason.UNDECLARED_HOST
        if not any(origin.port in target.ports for target in covering):
            return RefusalReason.UNDECLARED_PORT
        return RefusalReason.EXPIRED_TARGET

    def check_addresses(self, origin: Origin, target: Target, addresses: Iterable[IpAddress]) -> None:
        """Refuse with EgressRefused if any address is not one `target` may be reached at.

        One bad address refuses all: a name that mixes public and private answers is a rebinding trick.
        """
        for address in addresses:
            self._check_address(origin, target, address)

    def _check_address(self, origin: Origin, target: Target, address: IpAddress) -> None:
        where = f"{origin.host} ({address})"
        if self._is_protected(unwrap(address), origin.port):
            raise EgressRefused(
                RefusalReason.PROTECTED_ENDPOINT,
                f"port {origin.port} of {where} belongs to captchad or its Redis and is never reachable",
            )
        try:
            check_address(target, origin.host, address)
        except TargetNotAllowed as error:
            raise EgressRefused(_REASONS[classify(address)], error.message) from None
        self._check_public_address(origin, target, address)

    def _check_public_address(self, origin: Origin, target: Target, address: IpAddress) -> None:
        try:
            check_public_address(target, origin.host, address)
        except TargetNotAllowed as error:
            raise EgressRefused(RefusalReason.PUBLIC_ADDRESS, error.message) from None

    def _is_local(self, address: IpAddress) -> bool:
        return address.is_loopback or address.is_unspecified or address in self._own_addresses

    def _is_protected(self, address: IpAddress, port: int) -> bool:
        if (address, port) in self._protected_addresses:
            return True
        return port in self._protected_local_ports and self._is_local(address)
