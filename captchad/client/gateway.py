"""The gateway's API as blocking methods; bodies and answers are those of the HTTP API."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from captchad.client.calls import DEFAULT_TIMEOUT_SECONDS, EvidencePart, GatewayCalls, JsonObject
from captchad.client.steps import Steps, run_steps
from captchad.client.transport import exchange
from captchad.client.trust import Trust
from captchad.client.wire import Answer
from captchad.domain.ports import DEFAULT_GATEWAY_URL

T = TypeVar("T")


class GatewayClient:
    """A client of one gateway that hands JSON on as it is: what the command line speaks through.

    A call that the gateway's rate limit refuses is made again when the gateway says that it may be, as long as that is
    within `timeout_seconds` of the first try.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_GATEWAY_URL,
        api_key: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_seconds: Callable[[], float] = time.monotonic,  # noqa: TID251 - the client stands alone
        trust: Trust | None = None,
    ) -> None:
        self._calls = GatewayCalls(base_url, api_key, timeout_seconds, trust=trust, monotonic_seconds=monotonic_seconds)
        self._send = partial(exchange, self._calls.address)
        self._sleep = sleep

    def submit(self, task: Mapping[str, Any], idempotency_key: str | None = None) -> JsonObject:
        """Submit a task (the body of POST /submit_task); return the 202's body."""
        return self._run(self._calls.submit(task, idempotency_key))

    def submit_batch(self, tasks: Sequence[Mapping[str, Any]], idempotency_key: str | None = None) -> JsonObject:
        """Submit up to 100 tasks, all or none."""
        return self._run(self._calls.submit_batch(tasks, idempotency_key))

    def task_status(self, task_id: str, wait_seconds: float = 0.0) -> JsonObject:
        """Return a task's state; with `wait_seconds`, as soon as it ends, but after some 58 s at the latest."""
        return self._run(self._calls.task_status(task_id, wait_seconds))

    def wait(self, task_id: str, wait_seconds: float) -> JsonObject:
        """Return a task's state once it ends, or what it is after `wait_seconds`; see GatewayCalls."""
        return self._run(self._calls.wait(task_id, wait_seconds))

    def cancel(self, task_id: str) -> JsonObject:
        """Cancel a task; return its final state."""
        return self._run(self._calls.cancel(task_id))

    def report_answer(self, task_id: str, *, right: bool, text: str | None = None) -> JsonObject:
        """Say whether an answer was right, and what the picture shows; where labels are collected it becomes one."""
        return self._run(self._calls.report_answer(task_id, right=right, text=text))

    def evidence(self, task_id: str, part: EvidencePart = "image") -> bytes:
        """Return the captcha's picture or the page's screenshot of a task submitted with `evidence`."""
        return self._run(self._calls.evidence(task_id, part))

    def tasks(self, **query: str | int) -> JsonObject:
        """List tasks, newest first; `query` has status, target, limit, cursor."""
        return self._run(self._calls.read("/tasks", query))

    def stats(self) -> JsonObject:
        """Return the totals and the load of the hosts."""
        return self._run(self._calls.read("/stats"))

    def workers(self) -> JsonObject:
        """Return every worker."""
        return self._run(self._calls.read("/workers"))

    def queue_status(self) -> JsonObject:
        """Return depth and age of the queues."""
        return self._run(self._calls.read("/queue_status"))

    def health(self) -> Answer:
        """Return the role's /health as it is; an unhealthy role answers it too."""
        return self._run(self._calls.look("/health"))

    def readiness(self) -> Answer:
        """Return the role's /readyz as it is, for which no key is needed."""
        return self._run(self._calls.look("/readyz"))

    def _run(self, steps: Steps[T]) -> T:
        return run_steps(steps, self._send, self._sleep)
