"""The calls that programs make, as steps that come to values: the one core of both clients."""

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from captchad.client.advice import add_advice
from captchad.client.calls import EvidencePart, GatewayCalls, JsonObject
from captchad.client.errors import TaskFailed, TaskUnfinished
from captchad.client.options import PageOrPicture, TaskOptions, make_body
from captchad.client.results import Report, Solution, Stats, Task, read_report, read_stats, read_task
from captchad.client.steps import Steps
from captchad.client.trust import find_trust
from captchad.domain.errors import CaptchadError
from captchad.domain.ports import API_KEY_VARIABLE, DEFAULT_GATEWAY_URL, GATEWAY_VARIABLE
from captchad.domain.task import TaskStatus
from captchad.domain.task_limits import BATCH_LIMIT

SOLVE_SECONDS = 300.0

T = TypeVar("T")
TaskOrId = Task | str
BatchItem = PageOrPicture | Mapping[str, object]
"""One task of a batch: a page, a picture, or a whole body of POST /submit_task."""


class TypedCalls:
    """The calls of one gateway; without arguments that of the environment, or of this machine."""

    def __init__(
        self,
        url: str | None,
        api_key: str | None,
        target: str | None,
        timeout_seconds: float,
        ca_file: str | None = None,
    ) -> None:
        url = url or os.environ.get(GATEWAY_VARIABLE) or DEFAULT_GATEWAY_URL
        api_key = api_key or os.environ.get(API_KEY_VARIABLE)
        self._calls = GatewayCalls(url, api_key, timeout_seconds, trust=find_trust(ca_file), repeats_failures=True)
        self.address = self._calls.address
        self._target = target
        self.own_advice: Mapping[str, str] = {}
        """What else to do about errors of some codes, where there is more to say than every client does."""

    def solve(self, page_or_picture: PageOrPicture, wait_seconds: float, options: TaskOptions) -> Steps[Solution]:
        """Submit, wait, and return the answer."""
        submitted = yield from self.submit(page_or_picture, None, options)
        task = yield from self.wait(submitted, wait_seconds)
        if task.result is None or task.status is not TaskStatus.COMPLETED:
            raise TaskFailed(task)
        return task.result

    def submit(self, page_or_picture: PageOrPicture, idempotency_key: str | None, options: TaskOptions) -> Steps[Task]:
        """Submit one task."""
        steps = self._calls.submit(make_body(page_or_picture, options, self._target), idempotency_key or _make_key())
        return read_task((yield from self._advising(steps)))

    def batch(self, items: Iterable[BatchItem], options: TaskOptions) -> Steps[list[Task]]:
        """Submit many tasks, a hundred in a call."""
        bodies = [self._make_item(item, options) for item in items]
        tasks: list[Task] = []
        for start in range(0, len(bodies), BATCH_LIMIT):
            steps = self._calls.submit_batch(bodies[start : start + BATCH_LIMIT], _make_key())
            answer = yield from self._advising(steps)
            tasks += [read_task(one) for one in answer["tasks"]]
        return tasks

    def wait(self, task: TaskOrId, wait_seconds: float | None) -> Steps[Task]:
        """Return a task once it has ended; TaskUnfinished where it has not by then."""
        found = yield from self.look(task, wait_seconds)
        if not found.is_final:
            raise TaskUnfinished(found, wait_seconds or 0.0)
        return found

    def look(self, task: TaskOrId, wait_seconds: float | None) -> Steps[Task]:
        """Return a task once it has ended, or as it is after `wait_seconds`."""
        return read_task((yield from self._advising(self._calls.wait(_id_of(task), wait_seconds))))

    def status(self, task: TaskOrId) -> Steps[Task]:
        """Return a task as it is."""
        return read_task((yield from self._advising(self._calls.task_status(_id_of(task)))))

    def cancel(self, task: TaskOrId) -> Steps[Task]:
        """End a task."""
        return read_task((yield from self._advising(self._calls.cancel(_id_of(task)))))

    def report(self, task: TaskOrId | Solution, *, right: bool, text: str | None) -> Steps[Report]:
        """Report on an answer."""
        steps = self._calls.report_answer(_id_of(task), right=right, text=text)
        return read_report((yield from self._advising(steps)))

    def evidence(self, task: TaskOrId | Solution, part: EvidencePart) -> Steps[bytes]:
        """Return a kept picture."""
        return (yield from self._advising(self._calls.evidence(_id_of(task), part)))

    def stats(self) -> Steps[Stats]:
        """Return the fleet's totals."""
        return read_stats((yield from self._advising(self._calls.read("/stats"))))

    def _make_item(self, item: BatchItem, options: TaskOptions) -> JsonObject:
        return {**options, **item} if isinstance(item, Mapping) else make_body(item, options, self._target)

    def _advising(self, steps: Steps[T]) -> Steps[T]:
        """Take the steps; an error that ends them says what to do."""
        try:
            return (yield from steps)
        except CaptchadError as error:
            add_advice(error, self.own_advice)
            raise


def _make_key() -> str:
    # A submit whose answer was lost is made again under the same key, and so never becomes two tasks.
    return uuid.uuid4().hex


def _id_of(task: TaskOrId | Solution) -> str:
    return task if isinstance(task, str) else task.task_id


def list_ids(tasks: Iterable[TaskOrId]) -> Sequence[str]:
    """Return the ids of tasks, each once."""
    return list(dict.fromkeys(_id_of(task) for task in tasks))
