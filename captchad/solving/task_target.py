"""Which declared target a task belongs to, by this worker's own configuration and never by the record."""

from collections.abc import Iterable
from datetime import date

from captchad.domain.target import Target, find_target, find_target_by_name, parse_origin
from captchad.domain.task import TaskRequest


def find_task_target(targets: Iterable[Target], request: TaskRequest, today: date) -> Target:
    """Return the target of a page or of a picture; TargetNotAllowed says why there is none."""
    if request.url is None:
        return find_target_by_name(targets, request.target, today)
    return find_target(targets, parse_origin(request.url), today)
