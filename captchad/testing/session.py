"""Hands a solved task's session on to the caller's own browser."""

from collections.abc import Mapping
from typing import Any

from captchad.client import Solution, Task
from captchad.domain.errors import InvalidRequest


def storage_state(result: Task | Solution) -> dict[str, Any]:
    """Return what the task's page left in its browser, as Playwright's `new_context(storage_state=…)` takes it.

    InvalidRequest where the task was submitted without `return_session`.
    """
    solution = result.result if isinstance(result, Task) else result
    session: Mapping[str, Any] | None = None if solution is None else solution.session
    if session is None:
        message = f"{result.task_id} has no session; submit it with return_session=True, and wait until it is completed"
        raise InvalidRequest(message)
    return dict(session["storage_state"])
