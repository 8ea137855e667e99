"""Default deny at the entrance: a task is admitted only for a declared target, and only for the key's own ones."""

from collections.abc import Iterable

from captchad.domain.api_key import ApiKey
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import (
    Origin,
    Target,
    find_target,
    find_target_by_name,
    host_matches,
    literal_address,
    parse_origin,
)
from captchad.domain.task import TaskRequest
from captchad.intake.draft import TaskDraft
from captchad.runtime.clock import Clock


class DeclaredTargets:
    """The targets in force; a reload replaces them all at once."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._targets = tuple(targets)

    @property
    def current(self) -> tuple[Target, ...]:
        """The targets as of now."""
        return self._targets

    def replace(self, targets: Iterable[Target]) -> None:
        """Use other targets from now on."""
        self._targets = tuple(targets)


class Admission:
    """Decides which declared target a task belongs to. It resolves no name: the worker's proxy checks addresses."""

    def __init__(self, targets: DeclaredTargets, clock: Clock) -> None:
        self._targets = targets
        self._clock = clock

    def admit(self, draft: TaskDraft, key: ApiKey | None) -> Target:
        """Return the declared target of a task; TargetNotAllowed says why there is none."""
        if draft.url is not None:
            return self.admit_url(draft.url, key)
        return self.admit_host(draft.target_host or "", key)

    def admit_url(self, url: str, key: ApiKey | None) -> Target:
        """Return the declared target a page belongs to."""
        origin = parse_origin(url)
        target = find_target(self._targets.current, origin, self._clock.today())
        check_address(target, origin)
        check_key(target, origin.host, key)
        return target

    def admit_host(self, host: str, key: ApiKey | None) -> Target:
        """Return the declared target a picture without a page belongs to."""
        target = find_target_by_name(self._targets.current, host, self._clock.today())
        check_key(target, host.lower().rstrip("."), key)
        return target


def check_address(target: Target, origin: Origin) -> None:
    """Refuse a host that spells out a private address, unless its target permits that."""
    if target.allow_private_addresses or not _is_private(origin.host):
        return
    raise TargetNotAllowed(
        f"{origin.host} is a private address; set allow_private_addresses for it in security.targets"
    )


def check_key(target: Target, host: str, key: ApiKey | None) -> None:
    """Refuse a target the key was not made for; a key without targets may use all."""
    if key is None or not key.targets:
        return
    if not any(allowed == target.host or host_matches(allowed, host) for allowed in key.targets):
        raise TargetNotAllowed(f"the key {key.name!r} may not use {host}; it is limited to {', '.join(key.targets)}")


def may_touch(key: ApiKey | None, request: TaskRequest) -> bool:
    """Whether a key may end a task, or see what its page holds.

    A key made for certain targets may where they cover the page, or touch the target a picture comes from.
    """
    if key is None or not key.targets:
        return True
    if request.url is None:
        return any(own == request.target or host_matches(request.target, own) for own in key.targets)
    host = parse_origin(request.url).host
    return any(own == request.target or host_matches(own, host) for own in key.targets)


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = literal_address(host)
    if address is None:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return not address.is_global or address.is_multicast
