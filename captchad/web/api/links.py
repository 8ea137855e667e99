"""Where an answer leads: which operation takes what of it, as OpenAPI's links say it."""

from typing import Any

_TASK = "$response.body#/task_id"
_FIRST_OF_BATCH = "$response.body#/tasks/0/task_id"
_ASKED_FOR = "$request.path.task_id"


def _about_task(task_id: str, *operations: str) -> dict[str, Any]:
    return {
        operation: {
            "operationId": operation,
            "parameters": {"task_id": task_id},
            "description": f"`task_id` of this answer is that of {operation}",
        }
        for operation in operations
    }


LINKS: dict[str, dict[int, dict[str, Any]]] = {
    "submit_task": {
        202: _about_task(_TASK, "task_status", "cancel_task", "report_answer", "task_image", "task_screenshot")
    },
    "submit_batch": {202: _about_task(_FIRST_OF_BATCH, "task_status", "cancel_task")},
    "task_status": {200: _about_task(_ASKED_FOR, "cancel_task", "report_answer")},
    "cancel_task": {200: _about_task(_ASKED_FOR, "task_status", "cancel_task", "report_answer")},
}
"""By operation, then by status."""
