"""Default deny at the entrance: a task is admitted only for a declared target, and only for the key's own ones."""

from collections.abc import Iterable
from dataclasses import dataclass

from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.errors import Forbidden, TargetNotAllowed
from captchad.domain.target import (
    Target,
    check_spelled_address,
    find_target,
    find_target_by_name,
    normalise_pattern,
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
        check_spelled_address(target, origin.host)
        _check_key(target, origin.host, key)
        return target

    def admit_host(self, host: str, key: ApiKey | None) -> Target:
        """Return the declared target a picture without a page belongs to."""
        target = find_target_by_name(self._targets.current, host, self._clock.today())
        _check_key(target, normalise_pattern(host), key)
        return target


def _check_key(target: Target, host: str, key: ApiKey | None) -> None:
    if key is not None and not key.may_use(target.host, host):
        raise TargetNotAllowed(f"the key {key.name!r} may not use {host}; it is limited to {', '.join(key.targets)}")


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose a task is, and where: the id of the key that sent it, its declared target, and the host it is about."""

    key_id: str | None
    target: str
    host: str


def find_ownership(request: TaskRequest) -> Ownership:
    """Return whose a task is."""
    host = request.target if request.url is None else parse_origin(request.url).host
    return Ownership(request.key_id, request.target, host)


def may_reach(key: ApiKey | None, task: Ownership, others: Scope) -> bool:
    """Whether a key may see or end a task: its own, and with the scope `others` everybody's on the key's targets."""
    if key is None or key.key_id == task.key_id:
        return True
    return key.allows(others) and key.may_use(task.target, task.host)


def check_reach(key: ApiKey | None, request: TaskRequest, others: Scope) -> None:
    """Raise Forbidden where a key may not reach a task."""
    if key is None or may_reach(key, find_ownership(request), others):
        return
    if not key.allows(others):
        raise Forbidden(f"this is another key's task; the key {key.name!r} would need the scope {others}")
    raise Forbidden(f"the key {key.name!r} may not reach this task; it is limited to {', '.join(key.targets)}")
