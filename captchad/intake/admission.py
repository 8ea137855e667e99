"""Default deny at the entrance: a task is admitted only for a declared target, and only for the key's own ones."""

from collections.abc import Iterable

from captchad.domain.api_key import ApiKey
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


def may_touch(key: ApiKey | None, request: TaskRequest) -> bool:
    """Whether a key may end a task, or see what its page holds: its own, and those of the targets it may use."""
    if key is None or key.key_id == request.key_id:
        return True
    host = request.target if request.url is None else parse_origin(request.url).host
    return key.may_use(request.target, host)


def check_touch(key: ApiKey | None, request: TaskRequest, act: str) -> None:
    """Raise Forbidden where a key may not touch a task; `act` says what it was about to do."""
    if key is not None and not may_touch(key, request):
        raise Forbidden(f"the key {key.name!r} may not {act} this task; it is limited to {', '.join(key.targets)}")
