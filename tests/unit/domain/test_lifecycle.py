"""The lifecycle table says what the contract says."""

from itertools import product

from captchad.domain.lifecycle import TRANSITIONS, TaskEvent, next_statuses
from captchad.domain.task import FINAL_STATUSES, TaskStatus


def test_nothing_leads_out_of_a_final_status() -> None:
    for status, event in product(FINAL_STATUSES, TaskEvent):
        assert not next_statuses(status, event)


def test_every_open_status_can_be_cancelled_and_expires() -> None:
    for status in set(TaskStatus) - FINAL_STATUSES:
        assert next_statuses(status, TaskEvent.CANCEL) == {TaskStatus.CANCELLED}
        assert next_statuses(status, TaskEvent.EXPIRE) == {TaskStatus.FAILED}


def test_only_a_running_task_completes() -> None:
    completing = {status for (status, _), after in TRANSITIONS.items() if TaskStatus.COMPLETED in after}
    assert completing == {TaskStatus.PROCESSING}


def test_every_final_status_can_be_reached_from_pending() -> None:
    reached, frontier = {TaskStatus.PENDING}, [TaskStatus.PENDING]
    while frontier:
        status = frontier.pop()
        for event in TaskEvent:
            fresh = next_statuses(status, event) - reached
            reached |= fresh
            frontier += fresh
    assert reached == set(TaskStatus)
