"""The gateway's API as methods; bodies and answers are those of the HTTP API."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode

from captchad.client.exchange import Answer, GatewayAddress
from captchad.client.problems import read_pause_seconds, read_problem
from captchad.domain.errors import BrokerUnavailable, CaptchadError, GatewayUnreachable, RateLimited
from captchad.domain.ports import DEFAULT_GATEWAY_URL
from captchad.domain.task import TaskStatus
from captchad.domain.task_limits import WAIT_LIMIT_SECONDS

JsonObject = dict[str, Any]
EvidencePart = Literal["image", "screenshot"]
DEFAULT_TIMEOUT_SECONDS = 30.0
RETRY_PAUSE_SECONDS = 0.5


class GatewayClient:
    """A client of one gateway; every method raises the domain error for the gateway's answer.

    A call that the gateway's rate limit refuses is made again when the gateway says that it may be, as long as that is
    within `timeout_seconds` of the first try.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_GATEWAY_URL,
        api_key: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = GatewayAddress(base_url)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep

    def submit(self, task: Mapping[str, Any], idempotency_key: str | None = None) -> JsonObject:
        """Submit a task (the body of POST /submit_task); return the 202's body."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", "/submit_task", dict(task), headers=headers)

    def submit_batch(self, tasks: list[Mapping[str, Any]], idempotency_key: str | None = None) -> JsonObject:
        """Submit up to 100 tasks, all or none."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", "/submit_batch", {"tasks": [dict(task) for task in tasks]}, headers=headers)

    def task_status(self, task_id: str, wait_seconds: float = 0.0) -> JsonObject:
        """Return a task's state; with `wait_seconds`, as soon as it ends, but after some 58 s at the latest."""
        return self._read_status(task_id, wait_seconds, self._timeout_seconds)

    def wait(self, task_id: str, wait_seconds: float, monotonic_seconds: Callable[[], float]) -> JsonObject:
        """Return a task's state once it ends, or what it is after `wait_seconds`.

        Temporary failures are waited out: a gateway that restarts (a draining one answers early, a dead one not at
        all), an unavailable Redis, a rate limit.
        """
        end_seconds = monotonic_seconds() + wait_seconds
        while True:
            left_seconds = max(0.0, end_seconds - monotonic_seconds())
            pause_seconds = RETRY_PAUSE_SECONDS
            try:
                # No patience below: a refused call must not outlast this wait.
                state = self._read_status(task_id, left_seconds, patience_seconds=0.0)
            except (GatewayUnreachable, BrokerUnavailable):
                if left_seconds <= pause_seconds:
                    raise
            except RateLimited as error:
                pause_seconds = max(pause_seconds, error.retry_after_seconds)
                if left_seconds <= pause_seconds:
                    raise
            else:
                if TaskStatus(state["status"]).is_final or monotonic_seconds() >= end_seconds:
                    return state
            self._sleep(min(pause_seconds, max(0.0, end_seconds - monotonic_seconds())))

    def cancel(self, task_id: str) -> JsonObject:
        """Cancel a task; return its final state."""
        return self._call("POST", f"/cancel_task/{quote(task_id, safe='')}")

    def report_answer(self, task_id: str, *, right: bool, text: str | None = None) -> JsonObject:
        """Say whether an answer was right, and what the picture shows; where labels are collected it becomes one."""
        body: dict[str, Any] = {"right": right} | ({} if text is None else {"text": text})
        return self._call("POST", f"/report_answer/{quote(task_id, safe='')}", body)

    def evidence(self, task_id: str, part: EvidencePart = "image") -> bytes:
        """Return the captcha's picture or the page's screenshot of a task submitted with `evidence`."""
        answer = self._send("GET", f"/task_evidence/{quote(task_id, safe='')}/{part}")
        if not answer.is_success:
            raise self._explain(answer)
        return answer.content

    def tasks(self, **query: str | int) -> JsonObject:
        """List tasks, newest first; `query` has status, target, limit, cursor."""
        return self._call("GET", f"/tasks?{urlencode(query)}" if query else "/tasks")

    def stats(self) -> JsonObject:
        """Return the totals and the load of the hosts."""
        return self._call("GET", "/stats")

    def workers(self) -> JsonObject:
        """Return every worker."""
        return self._call("GET", "/workers")

    def queue_status(self) -> JsonObject:
        """Return depth and age of the queues."""
        return self._call("GET", "/queue_status")

    def health(self) -> Answer:
        """Return the role's /health as it is; an unhealthy role answers it too."""
        return self._send("GET", "/health")

    def _read_status(self, task_id: str, wait_seconds: float, patience_seconds: float) -> JsonObject:
        wait = min(wait_seconds, WAIT_LIMIT_SECONDS)
        query = f"?wait={wait:g}" if wait > 0 else ""
        # A long poll is answered only when its wait is over.
        timeout_seconds = self._timeout_seconds + wait
        path = f"/task_status/{quote(task_id, safe='')}{query}"
        return self._read(self._send("GET", path, timeout_seconds=timeout_seconds, patience_seconds=patience_seconds))

    def readiness(self) -> Answer:
        """Return the role's /readyz as it is, for which no key is needed."""
        return self._send("GET", "/readyz")

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> JsonObject:
        return self._read(self._send(method, path, body, headers))

    def _read(self, answer: Answer) -> JsonObject:
        if not answer.is_success:
            raise self._explain(answer)
        if not isinstance(answer.body, dict):
            raise GatewayUnreachable(f"{self._address.base_url} answered no JSON object; is it a captchad gateway?")
        return answer.body

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        *,
        timeout_seconds: float | None = None,
        patience_seconds: float | None = None,
    ) -> Answer:
        timeout_seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        patience_seconds = self._timeout_seconds if patience_seconds is None else patience_seconds
        while True:
            answer = self._address.exchange(method, path, self._headers | (headers or {}), body, timeout_seconds)
            pause_seconds = read_pause_seconds(answer.status, answer.retry_after)
            if pause_seconds is None or pause_seconds > patience_seconds:
                return answer
            # A refused call did nothing, so that any may be made again.
            self._sleep(pause_seconds)
            patience_seconds -= pause_seconds

    def _explain(self, answer: Answer) -> CaptchadError:
        error = read_problem(answer.status, answer.body, answer.retry_after)
        if isinstance(error, GatewayUnreachable):
            return GatewayUnreachable(f"{self._address.base_url}: {error.message}")
        return error
