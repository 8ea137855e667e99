"""The gateway's API as steps; bodies and answers are the JSON of the HTTP API."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote, urlencode

from captchad.client.problems import read_pause_seconds, read_problem
from captchad.client.steps import Exchange, Pause, Steps
from captchad.client.trust import Trust
from captchad.client.wire import Answer, GatewayAddress, Request
from captchad.domain.api_key import read_key
from captchad.domain.errors import BrokerUnavailable, CaptchadError, GatewayUnreachable, RateLimited
from captchad.domain.task import TaskStatus
from captchad.domain.task_limits import WAIT_LIMIT_SECONDS

JsonObject = dict[str, Any]
EvidencePart = Literal["image", "screenshot"]
DEFAULT_TIMEOUT_SECONDS = 30.0
RETRY_PAUSE_SECONDS = 0.5
LONGEST_RETRY_PAUSE_SECONDS = 5.0
FAILURES = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""What a gateway, or a proxy before it, answers while something is away."""


class GatewayCalls:
    """The calls of one gateway's API; each raises the domain error for the gateway's answer.

    A call that a rate limit refuses is made again when the gateway says that it may be, as long as that is within
    `timeout_seconds` of the first try. With `repeats_failures` so is one that a full queue, a missing Redis or a
    gateway that starts again refuses; submits must have an Idempotency-Key then.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        timeout_seconds: float,
        *,
        trust: Trust | None = None,
        repeats_failures: bool = False,
        monotonic_seconds: Callable[[], float] = time.monotonic,  # noqa: TID251 - the client stands alone
    ) -> None:
        self.address = GatewayAddress(base_url, trust)
        key = read_key(api_key)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout_seconds = timeout_seconds
        self._repeats_failures = repeats_failures
        self._monotonic_seconds = monotonic_seconds
        self._has_answered = False

    def submit(self, task: Mapping[str, Any], idempotency_key: str | None = None) -> Steps[JsonObject]:
        """Submit a task (the body of POST /submit_task); return the 202's body."""
        return self._call("POST", "/submit_task", dict(task), _name_key(idempotency_key))

    def submit_batch(self, tasks: Sequence[Mapping[str, Any]], idempotency_key: str | None = None) -> Steps[JsonObject]:
        """Submit up to 100 tasks, all or none."""
        body = {"tasks": [dict(task) for task in tasks]}
        return self._call("POST", "/submit_batch", body, _name_key(idempotency_key))

    def task_status(self, task_id: str, wait_seconds: float = 0.0) -> Steps[JsonObject]:
        """Return a task's state; with `wait_seconds`, as soon as it ends, but after some 58 s at the latest."""
        return self._read_status(task_id, wait_seconds, self._timeout_seconds)

    def wait(self, task_id: str, wait_seconds: float | None = None) -> Steps[JsonObject]:
        """Return a task's state once it ends, or what it is after `wait_seconds`.

        Temporary failures are waited out: a gateway that restarts (a draining one answers early, a dead one not at
        all), an unavailable Redis, a rate limit.
        """
        end_seconds = float("inf") if wait_seconds is None else self._monotonic_seconds() + wait_seconds
        while True:
            left_seconds = max(0.0, end_seconds - self._monotonic_seconds())
            pause_seconds = RETRY_PAUSE_SECONDS
            try:
                # No patience below: a refused call must not outlast this wait.
                state = yield from self._read_status(task_id, left_seconds, patience_seconds=0.0)
            except (GatewayUnreachable, BrokerUnavailable):
                # Without an end, a gateway that was never there would be waited for for ever.
                if left_seconds <= pause_seconds or (wait_seconds is None and not self._has_answered):
                    raise
            except RateLimited as error:
                pause_seconds = max(pause_seconds, error.retry_after_seconds)
                if left_seconds <= pause_seconds:
                    raise
            else:
                if TaskStatus(state["status"]).is_final or self._monotonic_seconds() >= end_seconds:
                    return state
            yield Pause(min(pause_seconds, max(0.0, end_seconds - self._monotonic_seconds())))

    def cancel(self, task_id: str) -> Steps[JsonObject]:
        """Cancel a task; return its final state."""
        return self._call("POST", f"/cancel_task/{quote(task_id, safe='')}")

    def report_answer(self, task_id: str, *, right: bool, text: str | None = None) -> Steps[JsonObject]:
        """Say whether an answer was right, and what the picture shows; where labels are collected it becomes one."""
        body: dict[str, Any] = {"right": right} | ({} if text is None else {"text": text})
        return self._call("POST", f"/report_answer/{quote(task_id, safe='')}", body)

    def evidence(self, task_id: str, part: EvidencePart = "image") -> Steps[bytes]:
        """Return the captcha's picture or the page's screenshot of a task submitted with `evidence`."""
        answer = yield from self._send(Request("GET", f"/task_evidence/{quote(task_id, safe='')}/{part}"))
        if not answer.is_success:
            raise self._explain(answer)
        return answer.content

    def read(self, path: str, query: Mapping[str, str | int] | None = None) -> Steps[JsonObject]:
        """Return what a route without a body answers."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def look(self, path: str) -> Steps[Answer]:
        """Return a role's /health or /readyz as it is; an unhealthy role answers it too."""
        return self._send(Request("GET", path))

    def _read_status(self, task_id: str, wait_seconds: float, patience_seconds: float) -> Steps[JsonObject]:
        wait = min(wait_seconds, WAIT_LIMIT_SECONDS)
        query = f"?wait={wait:g}" if wait > 0 else ""
        request = Request("GET", f"/task_status/{quote(task_id, safe='')}{query}")
        # A long poll is answered only when its wait is over.
        timeout_seconds = self._timeout_seconds + wait
        return self._read(
            (yield from self._send(request, timeout_seconds=timeout_seconds, patience_seconds=patience_seconds))
        )

    def _call(
        self, method: str, path: str, body: JsonObject | None = None, headers: dict[str, str] | None = None
    ) -> Steps[JsonObject]:
        return self._read((yield from self._send(Request(method, path, body, headers or {}))))

    def _read(self, answer: Answer) -> JsonObject:
        if not answer.is_success:
            raise self._explain(answer)
        if not isinstance(answer.body, dict):
            raise GatewayUnreachable(
                f"{self.address.base_url} answered no JSON object; is it a captchad gateway?", is_something_there=True
            )
        return answer.body

    def _send(
        self, request: Request, *, timeout_seconds: float | None = None, patience_seconds: float | None = None
    ) -> Steps[Answer]:
        timeout_seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        patience_seconds = self._timeout_seconds if patience_seconds is None else patience_seconds
        request = Request(request.method, request.path, request.body, self._headers | request.headers)
        start_seconds, paused_seconds, failures = self._monotonic_seconds(), 0.0, 0
        while True:
            outcome = yield from self._exchange(request, timeout_seconds)
            pause_seconds = self._choose_pause(outcome, failures)
            # An exchange that ended by its timeout has used up patience too.
            spent_seconds = max(paused_seconds, self._monotonic_seconds() - start_seconds)
            if pause_seconds is None or spent_seconds + pause_seconds > patience_seconds:
                if isinstance(outcome, GatewayUnreachable):
                    raise outcome
                return outcome
            yield Pause(pause_seconds)
            paused_seconds += pause_seconds
            failures += 1

    def _exchange(
        self, request: Request, timeout_seconds: float
    ) -> Generator[Exchange | Pause, Answer | None, Answer | GatewayUnreachable]:
        try:
            answer = yield Exchange(request, timeout_seconds)
        except GatewayUnreachable as error:
            return error
        assert answer is not None
        self._has_answered = True
        return answer

    def _choose_pause(self, outcome: Answer | GatewayUnreachable, failures: int) -> float | None:
        """Return how long to wait before the call is made again; None where it is not."""
        next_pause_seconds = min(RETRY_PAUSE_SECONDS * 2.0**failures, LONGEST_RETRY_PAUSE_SECONDS)
        if isinstance(outcome, GatewayUnreachable):
            # Where no gateway has answered yet, there may be none: the caller is told at once.
            return next_pause_seconds if self._repeats_failures and self._has_answered else None
        if outcome.status in FAILURES and not self._repeats_failures:
            return None
        if outcome.status in FAILURES and outcome.retry_after is None:
            return next_pause_seconds
        return read_pause_seconds(outcome.status, outcome.retry_after)

    def _explain(self, answer: Answer) -> CaptchadError:
        error = read_problem(answer.status, answer.body, answer.retry_after)
        if isinstance(error, GatewayUnreachable):
            return GatewayUnreachable(f"{self.address.base_url}: {error.message}", is_something_there=True)
        return error


def _name_key(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key} if idempotency_key else {}
