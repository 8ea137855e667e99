"""The one table of a task's transitions; the broker's scripts are tested against it."""

from enum import StrEnum

from captchad.domain.task import TaskStatus


class TaskEvent(StrEnum):
    """What can happen to a task after it was stored."""

    BEGIN = "begin"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    HAND_BACK = "hand_back"
    DEFER = "defer"
    LOSE_WORKER = "lose_worker"
    CANCEL = "cancel"
    EXPIRE = "expire"


TRANSITIONS: dict[tuple[TaskStatus, TaskEvent], frozenset[TaskStatus]] = {
    (TaskStatus.PENDING, TaskEvent.BEGIN): frozenset({TaskStatus.PROCESSING}),
    (TaskStatus.PENDING, TaskEvent.CANCEL): frozenset({TaskStatus.CANCELLED}),
    (TaskStatus.PENDING, TaskEvent.EXPIRE): frozenset({TaskStatus.FAILED}),
    (TaskStatus.PROCESSING, TaskEvent.COMPLETE): frozenset({TaskStatus.COMPLETED}),
    (TaskStatus.PROCESSING, TaskEvent.FAIL): frozenset({TaskStatus.FAILED}),
    (TaskStatus.PROCESSING, TaskEvent.RETRY): frozenset({TaskStatus.PENDING}),
    (TaskStatus.PROCESSING, TaskEvent.HAND_BACK): frozenset({TaskStatus.PENDING}),
    (TaskStatus.PROCESSING, TaskEvent.DEFER): frozenset({TaskStatus.PENDING}),
    # Failed where the loss used up its attempts, or the task has killed its second worker.
    (TaskStatus.PROCESSING, TaskEvent.LOSE_WORKER): frozenset({TaskStatus.PENDING, TaskStatus.FAILED}),
    (TaskStatus.PROCESSING, TaskEvent.CANCEL): frozenset({TaskStatus.CANCELLED}),
    (TaskStatus.PROCESSING, TaskEvent.EXPIRE): frozenset({TaskStatus.FAILED}),
}
"""(status, event) to the statuses it may lead to; a pair that isn't listed changes nothing."""


def next_statuses(status: TaskStatus, event: TaskEvent) -> frozenset[TaskStatus]:
    """Return the statuses `event` may lead to; empty where it is refused."""
    return TRANSITIONS.get((status, event), frozenset())
