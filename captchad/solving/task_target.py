"""Finds the declared target of a task in this worker's own configuration, never in the record."""

from collections.abc import Iterable
from datetime import date

from captchad.domain.target import Target, find_target, find_target_by_name, parse_origin
from captchad.domain.task import TaskRequest


def find_task_target(targets: Iterable[Target], request: TaskRequest, today: date) -> Target:
    """Return the target of a page or of a picture; TargetNotAllowed says why there is none."""
    # Whoever can write records could otherwise widen the scope.
    if request.url is None:
        return find_target_by_name(targets, request.target, today)
    return find_target(targets, parse_origin(request.url), today)
