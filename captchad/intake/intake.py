"""Takes tasks in: decides target, partition and estimate, then stores them with one call."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from captchad.broker.tasks import NewTask, TaskStore
from captchad.config.settings import WorkerSection
from captchad.domain.api_key import ApiKey
from captchad.domain.errors import BrokerUnavailable, TargetNotAllowed, TaskNotFound
from captchad.domain.identifier import make_task_id
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest, TaskStatus
from captchad.intake.admission import Admission
from captchad.intake.capacity import CapacityGauge
from captchad.intake.draft import TaskDraft
from captchad.intake.estimation import estimate_wait_seconds
from captchad.intake.idempotency import choose_partition, digest_body, digest_key, make_idempotency
from captchad.intake.load_balancing import PartitionBalancer
from captchad.intake.session_scope import check_cookies
from captchad.intake.target_outlooks import TargetOutlooks


@dataclass(frozen=True, slots=True)
class Caller:
    """Who submits: the key (None where keys are not required), the Idempotency-Key header, and the body it covers."""

    key: ApiKey | None = None
    idempotency_key: str | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one task; a repeated one was made by an earlier submit with the same Idempotency-Key."""

    task_id: str
    status: TaskStatus
    estimated_wait_seconds: int
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What estimates are made from: the whole fleet's figures, and single targets' states."""

    capacity: CapacityGauge
    targets: TargetOutlooks


class Intake:
    """The gateway's entrance to the broker."""

    def __init__(
        self,
        store: TaskStore,
        admission: Admission,
        balancer: PartitionBalancer,
        outlook: Outlook,
        defaults: WorkerSection,
    ) -> None:
        self._store = store
        self._admission = admission
        self._balancer = balancer
        self._capacity = outlook.capacity
        self._targets = outlook.targets
        self._defaults = defaults

    async def submit(self, drafts: Sequence[TaskDraft], caller: Caller) -> list[Submission]:
        """Store tasks, all or none.

        Raises TargetNotAllowed, InvalidRequest for a cookie out of scope, QueueFull, IdempotencyConflict or
        BrokerUnavailable.
        """
        admitted = self._admit(drafts, caller.key)
        requests = [request for request, _ in admitted]
        if caller.idempotency_key is None and self._balancer.needs_pending:
            await self._capacity.measure_if_stale()
        partition, tasks = self._plan(requests, caller)
        estimates = await self._estimate(admitted)
        try:
            task_ids = await self._store.submit(tasks)
        except BrokerUnavailable:
            self._balancer.note_failure(partition)
            raise
        submissions = [
            await self._look_up(task_id, estimate)
            if task_id != task.task_id
            else Submission(task_id, TaskStatus.PENDING, estimate)
            for task_id, task, estimate in zip(task_ids, tasks, estimates, strict=True)
        ]
        self._capacity.note_submitted(sum(not submission.is_repeated for submission in submissions))
        return submissions

    async def _look_up(self, task_id: str, estimate: int) -> Submission:
        """Return the present state of a task that an earlier submit made; `estimate` is that of another like it."""
        try:
            record = await self._store.read(task_id)
        except TaskNotFound:
            # Its record expired between the submit and this look.
            return Submission(task_id, TaskStatus.PENDING, 0, is_repeated=True)
        return Submission(task_id, record.status, 0 if record.status.is_final else estimate, is_repeated=True)

    def _admit(self, drafts: Sequence[TaskDraft], key: ApiKey | None) -> list[tuple[TaskRequest, Target]]:
        admitted = []
        for index, draft in enumerate(drafts):
            try:
                target = self._admission.admit(draft, key)
            except TargetNotAllowed as error:
                raise TargetNotAllowed(f"task {index}: {error.message}" if index else error.message) from None
            check_cookies(draft, target)
            admitted.append((draft.complete(target.host, key.key_id if key else None, self._defaults), target))
        return admitted

    def _plan(self, requests: Sequence[TaskRequest], caller: Caller) -> tuple[int, list[NewTask]]:
        if caller.idempotency_key is None:
            partition = self._balancer.choose(len(requests))
            return partition, [NewTask(make_task_id(partition), request) for request in requests]
        # Not balanced: a repeated key must reach the partition of its first task, whatever has changed since.
        key_digest = digest_key(caller.idempotency_key, caller.key.key_id if caller.key else None)
        partition = choose_partition(key_digest, self._balancer.partitions)
        body_digest = digest_body(caller.body)
        return partition, [
            NewTask(make_task_id(partition), request, make_idempotency(key_digest, body_digest, index))
            for index, request in enumerate(requests)
        ]

    async def _estimate(self, admitted: Sequence[tuple[TaskRequest, Target]]) -> list[int]:
        estimates = []
        before: Counter[str] = Counter()
        for index, (request, target) in enumerate(admitted):
            ahead, figures = await self._capacity.count_ahead(request.priority)
            outlook = await self._targets.find(target, figures, before[target.host], opens_page=request.picture is None)
            before[target.host] += 1
            estimates.append(
                estimate_wait_seconds(ahead + index, figures.slots, figures.mean_processing_seconds, outlook)
            )
        return estimates
