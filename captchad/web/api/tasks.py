"""The routes about tasks: submit, ask, wait, cancel, list."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import web

from captchad.broker.events import EventFeed
from captchad.broker.tasks import TaskStore
from captchad.domain.api_key import Scope
from captchad.domain.errors import CaptchadError
from captchad.domain.task_limits import BATCH_LIMIT, LONGEST_WAIT_SECONDS
from captchad.intake.admission import check_reach, find_ownership, may_reach
from captchad.intake.audit_objects import describe_drafts, describe_submissions
from captchad.intake.draft import TaskDraft
from captchad.intake.idempotency import digest_body
from captchad.intake.intake import Admitted, Caller, Intake, Submission
from captchad.intake.rate_decisions import CallerRateLimiter
from captchad.telemetry.metrics import Metrics
from captchad.web.api.answers import SubmittedBatch, SubmittedTask, TaskAnswer, TaskList
from captchad.web.api.representation import represent_listed_task, represent_submission, represent_task
from captchad.web.api.schema import BatchBody, TaskBody
from captchad.web.api.task_parameters import (
    LIST_PARAMETERS,
    WAIT_PARAMETER,
    read_idempotency_key,
    read_task_query,
    read_wait,
)
from captchad.web.api.validation import read_batch, read_task
from captchad.web.bodies import BodyWork, parse_json, read_body
from captchad.web.body_meter import BodyMeter
from captchad.web.body_room import BodyPlace, BodyRoom
from captchad.web.middleware.access import caller_of
from captchad.web.middleware.audit import audit_object
from captchad.web.middleware.prefix import find_prefix
from captchad.web.middleware.rates import charge
from captchad.web.routes import Route, answer_json

TASK_BODY_LIMIT_BYTES = 4 * 1024 * 1024
BATCH_BODY_LIMIT_BYTES = 16 * 1024 * 1024
_SUBMIT_ERRORS = (
    "invalid_request",
    "unsupported_charset",
    "target_not_allowed",
    "body_too_large",
    "unsupported_media_type",
    "idempotency_conflict",
    "rate_limited",
    "quota_exceeded",
    "overloaded",
    "queue_full",
    "request_timeout",
)


@dataclass(frozen=True, slots=True)
class BodyOfSubmit:
    """A body as it came, how many tasks are in it, and what makes drafts of its JSON value."""

    content: bytes
    tasks: int
    read: Callable[[Any], list[TaskDraft]]


class TaskRoutes:
    """Handlers of the routes about tasks; `rates` charges a batch by its number of tasks."""

    def __init__(
        self, intake: Intake, store: TaskStore, feed: EventFeed, rates: CallerRateLimiter, metrics: Metrics
    ) -> None:
        self._intake = intake
        self._store = store
        self._feed = feed
        self._rates = rates
        self._metrics = metrics
        self._body_work = BodyWork()
        self._body_room = BodyRoom()

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (*self._submit_routes(), *self._record_routes())

    async def submit_task(self, request: web.Request) -> web.Response:
        """Store one task."""
        idempotency_key = read_idempotency_key(request)
        with self._body_room.enter() as place:
            measure = partial(self._body_work.measure, BodyMeter())
            body = await read_body(request, TASK_BODY_LIMIT_BYTES, place.grow, measure)
            work = BodyOfSubmit(body, 1, lambda value: [read_task(value, self._store.has_session_key)])
            [submission] = await self._submit(request, work, idempotency_key)
        # Relative to the submit's own address where no proxy says what it is outside.
        headers = {"Location": f"{find_prefix(request) or '.'}/task_status/{submission.task_id}"}
        return answer_json(represent_submission(submission), HTTPStatus.ACCEPTED, headers)

    async def submit_batch(self, request: web.Request) -> web.Response:
        """Store up to a hundred tasks, all or none."""
        with self._body_room.enter() as place:
            submissions = await self._submit_batch(request, place)
        answer = {"tasks": [represent_submission(submission) for submission in submissions]}
        return answer_json(answer, HTTPStatus.ACCEPTED)

    async def task_status(self, request: web.Request) -> web.Response:
        """Return a task as it is, or as it is once it has ended or the wait is over."""
        wait_seconds = min(read_wait(request), LONGEST_WAIT_SECONDS)
        task_id, key = request.match_info["task_id"], caller_of(request)
        if wait_seconds > 0 and key is not None:
            # Asked before the wait: how long another's task takes is nobody else's business either.
            check_reach(key, task_id, (await self._store.read(task_id)).request, Scope.READ_ALL)
        if wait_seconds > 0:
            record = await self._feed.wait_final(task_id, wait_seconds)
        else:
            record = await self._store.read(task_id)
        check_reach(key, task_id, record.request, Scope.READ_ALL)
        return answer_json(represent_task(record))

    async def cancel_task(self, request: web.Request) -> web.Response:
        """End a task that has not ended."""
        task_id, key = request.match_info["task_id"], caller_of(request)
        if key is not None:
            check_reach(key, task_id, (await self._store.read(task_id)).request, Scope.ADMIN)
        return answer_json(represent_task(await self._store.cancel(task_id)))

    async def list_tasks(self, request: web.Request) -> web.Response:
        """Return one page of the tasks that the caller may see, newest first."""
        key, query = caller_of(request), read_task_query(request)
        if key is not None and not key.allows(Scope.READ_ALL):
            query = replace(query, key_id=key.key_id)
        page = await self._store.list_page(query)
        shown = [task for task in page.tasks if may_reach(key, find_ownership(task.request), Scope.READ_ALL)]
        return answer_json(
            {"tasks": [represent_listed_task(record) for record in shown], "next_cursor": page.next_cursor}
        )

    async def _submit_batch(self, request: web.Request, place: BodyPlace) -> list[Submission]:
        # As one task until its price is known: a body costs work before it can be refused.
        await charge(request, self._rates)
        idempotency_key = read_idempotency_key(request)
        meter = BodyMeter(BATCH_LIMIT)
        measure = partial(self._body_work.measure, meter)
        body = await read_body(request, BATCH_BODY_LIMIT_BYTES, place.grow, measure)
        await charge(request, self._rates, meter.tasks, paid=1)
        work = BodyOfSubmit(body, meter.tasks, lambda value: read_batch(value, self._store.has_session_key))
        return await self._submit(request, work, idempotency_key)

    async def _submit(self, request: web.Request, work: BodyOfSubmit, idempotency_key: str | None) -> list[Submission]:
        key, audited = caller_of(request), audit_object(request)

        def prepare() -> tuple[list[Admitted], str]:
            value = parse_json(work.content)
            drafts = work.read(value)
            audited.update(describe_drafts(drafts))
            admitted = self._intake.admit(drafts, key)
            return admitted, digest_body(value) if idempotency_key else ""

        try:
            admitted, body_digest = await self._body_work.run(len(work.content), prepare)
            submissions = await self._intake.submit(admitted, Caller(key, idempotency_key, body_digest))
        except CaptchadError:
            self._metrics.record_submissions("refused", work.tasks)
            raise
        audited.update(describe_submissions(submissions))
        repeated = sum(submission.is_repeated for submission in submissions)
        if repeated:
            self._metrics.record_submissions("repeated", repeated)
        if len(submissions) > repeated:
            self._metrics.record_submissions("accepted", len(submissions) - repeated)
        return submissions

    def _submit_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                "POST",
                "/submit_task",
                self.submit_task,
                Scope.SUBMIT,
                "Submit a page or a picture",
                is_rate_limited=True,
                query=(),
                body=TaskBody,
                takes_idempotency_key=True,
                answers={202: SubmittedTask},
                headers=("Location",),
                errors=_SUBMIT_ERRORS,
            ),
            Route(
                "POST",
                "/submit_batch",
                self.submit_batch,
                Scope.SUBMIT,
                "Submit up to 100 tasks, all or none",
                query=(),
                body=BatchBody,
                takes_idempotency_key=True,
                answers={202: SubmittedBatch},
                errors=_SUBMIT_ERRORS,
            ),
            Route(
                "POST",
                "/cancel_task/{task_id}",
                self.cancel_task,
                Scope.SUBMIT,
                "Cancel a task that has not ended",
                is_rate_limited=True,
                query=(),
                answers={200: TaskAnswer},
                errors=("invalid_request", "task_not_found", "already_finished", "rate_limited"),
            ),
        )

    def _record_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                "GET",
                "/task_status/{task_id}",
                self.task_status,
                Scope.READ,
                "Read a task, waiting for its end if asked to",
                is_rate_limited=True,
                query=(WAIT_PARAMETER,),
                answers={200: TaskAnswer},
                errors=("invalid_request", "task_not_found", "rate_limited"),
            ),
            Route(
                "GET",
                "/tasks",
                self.list_tasks,
                Scope.READ,
                "List tasks, newest first",
                is_rate_limited=True,
                query=LIST_PARAMETERS,
                answers={200: TaskList},
                errors=("invalid_request", "rate_limited"),
            ),
        )
