"""Takes tasks in: decides target, partition and estimate, then stores them with one call."""

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from captchad.broker.idempotency_keys import choose_partition
from captchad.broker.tasks import NewTask, TaskStore
from captchad.config.settings import WorkerSection
from captchad.domain.api_key import ApiKey
from captchad.domain.errors import BrokerUnavailable, QueueFull, QuotaExceeded, TargetNotAllowed, TaskNotFound
from captchad.domain.identifier import make_task_id
from captchad.domain.page import LeftOut
from captchad.domain.proof import Standing
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest, TaskStatus
from captchad.intake.admission import Admission
from captchad.intake.capacity import CapacityGauge
from captchad.intake.draft import TaskDraft
from captchad.intake.estimation import estimate_wait_seconds
from captchad.intake.idempotency import digest_key, make_idempotency
from captchad.intake.load_balancing import PartitionBalancer
from captchad.intake.session_scope import check_cookies, choose_state
from captchad.intake.target_outlooks import TargetOutlooks
from captchad.intake.task_quota import TaskQuota

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A task that may be stored, the declared target that it is for, and what its page is not given of its session.

    `standing` says how the target's ownership is shown.
    """

    request: TaskRequest
    target: Target
    standing: Standing
    left_out: LeftOut = field(default_factory=LeftOut)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who submits: the key (None where none is required), the Idempotency-Key, and the digest of the body it covers."""

    key: ApiKey | None = None
    idempotency_key: str | None = None
    body_digest: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one task; a repeated one was made by an earlier submit with the same Idempotency-Key."""

    task_id: str
    status: TaskStatus
    estimated_wait_seconds: int
    is_repeated: bool = False
    left_out: LeftOut = field(default_factory=LeftOut)


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
        quota: TaskQuota,
    ) -> None:
        self._store = store
        self._admission = admission
        self._balancer = balancer
        self._capacity = outlook.capacity
        self._targets = outlook.targets
        self._defaults = defaults
        self._quota = quota

    def admit(self, drafts: Sequence[TaskDraft], key: ApiKey | None) -> list[Admitted]:
        """Return what is to be stored, each task with its declared target; may run in any thread.

        Raises TargetNotAllowed, or InvalidRequest for a session out of scope.
        """
        return [self._admit_one(draft, index, key) for index, draft in enumerate(drafts)]

    async def submit(self, admitted: Sequence[Admitted], caller: Caller) -> list[Submission]:
        """Store tasks, all or none; raises QuotaExceeded, QueueFull, IdempotencyConflict or BrokerUnavailable."""
        requests = [one.request for one in admitted]
        if caller.idempotency_key is None and self._balancer.needs_pending:
            await self._capacity.measure_if_stale()
        partition, tasks = self._plan(requests, caller)
        estimates = await self._estimate(admitted)
        try:
            task_ids = await self._store_within_quota(tasks, caller)
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
        return [
            replace(submission, left_out=one.left_out) for submission, one in zip(submissions, admitted, strict=True)
        ]

    async def _store_within_quota(self, tasks: list[NewTask], caller: Caller) -> list[str]:
        try:
            async with self._quota.charge(caller.key, len(tasks)) as charge:
                task_ids = await self._store.submit(tasks)
                charge.repeated = sum(new.task_id != known for new, known in zip(tasks, task_ids, strict=True))
                return task_ids
        except QuotaExceeded:
            if caller.idempotency_key is None:
                raise
            # What an earlier submit has stored is answered again, whatever has been used up since.
            with suppress(QueueFull):
                return await self._store.submit(tasks, only_repeated=True)
            raise

    async def _look_up(self, task_id: str, estimate: int) -> Submission:
        """Return the present state of a task that an earlier submit made, whether or not its record can be read.

        `estimate` is that of another task like it.
        """
        try:
            record = await self._store.read(task_id)
            return Submission(task_id, record.status, 0 if record.status.is_final else estimate, is_repeated=True)
        except BrokerUnavailable as error:
            raise BrokerUnavailable(error.message, task_id) from error
        except TaskNotFound:
            _logger.info("the record of %s expired between the submit and the look at it", task_id)
        except Exception:
            _logger.exception("the record of %s can't be read", task_id)
        return Submission(task_id, TaskStatus.PENDING, 0, is_repeated=True)

    def _admit_one(self, draft: TaskDraft, index: int, key: ApiKey | None) -> Admitted:
        try:
            target = self._admission.admit(draft, key)
        except TargetNotAllowed as error:
            raise TargetNotAllowed(f"task {index}: {error.message}" if index else error.message) from None
        check_cookies(draft, target)
        draft, left_out = choose_state(draft, target)
        request = draft.complete(target.host, key.key_id if key else None, self._defaults)
        return Admitted(request, target, self._admission.find_standing(target), left_out)

    def _plan(self, requests: Sequence[TaskRequest], caller: Caller) -> tuple[int, list[NewTask]]:
        if caller.idempotency_key is None:
            partition = self._balancer.choose(len(requests))
            return partition, [NewTask(make_task_id(partition), request) for request in requests]
        # Not balanced: a repeated key must reach the partition of its first task, whatever has changed since.
        key_digest = digest_key(caller.idempotency_key, caller.key.key_id if caller.key else None)
        partition = choose_partition(key_digest, self._balancer.partitions)
        return partition, [
            NewTask(make_task_id(partition), request, make_idempotency(key_digest, caller.body_digest, index))
            for index, request in enumerate(requests)
        ]

    async def _estimate(self, admitted: Sequence[Admitted]) -> list[int]:
        estimates = []
        before: Counter[str] = Counter()
        for index, one in enumerate(admitted):
            request, target = one.request, one.target
            ahead, figures = await self._capacity.count_ahead(request.priority)
            outlook = await self._targets.find(target, figures, before[target.host], opens_page=request.picture is None)
            before[target.host] += 1
            estimates.append(
                estimate_wait_seconds(ahead + index, figures.slots, figures.mean_processing_seconds, outlook)
            )
        return estimates
