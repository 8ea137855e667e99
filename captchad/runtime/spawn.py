"""The only module that starts asyncio tasks: it keeps and names them, and reports their failures."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from captchad.domain.errors import CaptchadError
from captchad.telemetry.logs import taskless_context

_logger = logging.getLogger(__name__)
T = TypeVar("T")

CANCEL_AGAIN_SECONDS = 0.5


class TaskSet:
    """Keeps the background tasks of one owner until they end or the owner closes."""

    def __init__(self, owner: str, on_failure: Callable[[BaseException], None] | None = None) -> None:
        self._owner = owner
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> "asyncio.Task[T]":
        """Start `work`; a failure is logged and passed to `on_failure`."""
        # What a captchad task happens to start may outlive it, or serve others: its lines are not about that task.
        context = taskless_context()
        task = asyncio.create_task(work, name=f"{self._owner}.{name}", context=context)
        # asyncio keeps only weak references: a task that nobody holds may vanish in the middle.
        self._tasks.add(task)
        task.add_done_callback(self._discard, context=context)
        return task

    def _discard(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if not isinstance(error, CaptchadError):
            _logger.error("%s failed", task.get_name(), exc_info=error)
        # With a listener, one of our own errors becomes its message; logged here too, it would appear twice.
        elif self._on_failure is None:
            _logger.error("%s failed: %s", task.get_name(), error.message)
        if self._on_failure is not None:
            self._on_failure(error)

    async def wait_all(self) -> None:
        """Wait until every task has ended, whatever its outcome."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def cancel_all(self) -> None:
        """Cancel every task and wait until all have ended."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            # Repeated: Python 3.11's wait_for, which the Redis client uses, may swallow a cancellation.
            await asyncio.wait(self._tasks, timeout=CANCEL_AGAIN_SECONDS)
