"""Default deny at the entrance: a task is admitted only for a declared target, and only for the key's own ones."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.callback import CallbackHost, check_callback_url
from captchad.domain.errors import Forbidden, InvalidRequest, TargetNotAllowed, Violation, make_task_not_found
from captchad.domain.proof import KnownProofs, Standing
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


class DeclaredReceivers:
    """Where callbacks may be sent, as it is in force; a reload replaces all at once."""

    def __init__(self, receivers: Iterable[CallbackHost] = ()) -> None:
        self._receivers = tuple(receivers)

    def replace(self, receivers: Iterable[CallbackHost]) -> None:
        """Use other receivers from now on."""
        self._receivers = tuple(receivers)

    def check(self, draft: TaskDraft) -> None:
        """Raise InvalidRequest where a task's callback may not be sent; the scheduler checks its address later."""
        if draft.callback_url is None:
            return
        try:
            check_callback_url(self._receivers, draft.callback_url)
        except TargetNotAllowed as error:
            violation = Violation(f"{draft.pointer}/callback_url", error.message)
            raise InvalidRequest("the callback may not be sent", (violation,)) from None


class Admission:
    """Decides which declared target a task belongs to. It resolves no name: the worker's proxy checks addresses.

    `proofs` returns what is known now of whose the targets are.
    """

    def __init__(
        self,
        targets: DeclaredTargets,
        clock: Clock,
        proofs: Callable[[], KnownProofs],
        receivers: DeclaredReceivers | None = None,
    ) -> None:
        self._targets = targets
        self._clock = clock
        self._proofs = proofs
        self._receivers = receivers or DeclaredReceivers()

    def find_standing(self, target: Target) -> Standing:
        """Return how a target stands now."""
        return self._proofs().find_standing(target).standing

    def admit(self, draft: TaskDraft, key: ApiKey | None) -> Target:
        """Return the declared target of a task; TargetNotAllowed says why there is none.

        InvalidRequest where its callback may not be sent.
        """
        self._receivers.check(draft)
        if draft.url is not None:
            return self.admit_url(draft.url, key)
        return self.admit_host(draft.target_host or "", key)

    def admit_url(self, url: str, key: ApiKey | None) -> Target:
        """Return the declared target a page belongs to."""
        origin = parse_origin(url)
        target = find_target(self._targets.current, origin, self._clock.today())
        check_spelled_address(target, origin.host)
        _check_key(target, origin.host, key)
        self._proofs().check(target)
        return target

    def admit_host(self, host: str, key: ApiKey | None) -> Target:
        """Return the declared target a picture without a page belongs to."""
        target = find_target_by_name(self._targets.current, host, self._clock.today())
        _check_bound(target, key)
        _check_key(target, normalise_pattern(host), key)
        self._proofs().check(target)
        return target


def _check_bound(target: Target, key: ApiKey | None) -> None:
    """Refuse a key that may be used for every target: nothing but the caller's word says where a picture is from."""
    if key is not None and not key.targets:
        raise TargetNotAllowed(
            f"the key {key.name!r} is bound to no target, and a picture is taken from a key of its target alone: make "
            f"one with `captchad keys create NAME --target {target.host}`"
        )


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


def check_reach(key: ApiKey | None, task_id: str, request: TaskRequest, others: Scope) -> None:
    """Raise TaskNotFound where a key may not even see a task, as for one that does not exist; Forbidden otherwise."""
    task = find_ownership(request)
    if key is None or may_reach(key, task, others):
        return
    if not may_reach(key, task, Scope.READ_ALL):
        raise make_task_not_found(task_id)
    raise Forbidden(f"this is another key's task; the key {key.name!r} would need the scope {others}")
