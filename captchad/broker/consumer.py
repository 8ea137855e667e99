"""The worker's side of a partition: take, renew, settle, wait for more."""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, cast

from captchad.broker.address import BLOCK_MARGIN_SECONDS, BLOCK_SECONDS
from captchad.broker.confirmation import confirm_ends
from captchad.broker.connection import Argument, Broker
from captchad.broker.dead_letter_limits import DeadLetterLimits
from captchad.broker.decoding import NewerRecord, UnreadableRecord
from captchad.broker.messages import (
    decode_request,
    encode_deferral,
    encode_delay,
    encode_error,
    encode_evidence,
    encode_result,
)
from captchad.broker.redis_keys import PartitionKeys
from captchad.broker.retry_delays import (
    FIRST_RETRY_DELAY_MS,
    LONGEST_RETRY_DELAY_MS,
    PASS_ON_DELAY_MS,
    draw_jitter,
)
from captchad.broker.sealed_sessions import SealedSessions
from captchad.broker.session_cipher import SessionCipher
from captchad.domain.captcha_drift import CaptchaObservation
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.label import CollectedAnswers
from captchad.domain.page import Evidence
from captchad.domain.task import TaskError, TaskRequest, TaskResult
from captchad.telemetry.logs import task_context

_logger = logging.getLogger(__name__)
RENEWED = "renewed"
MS = 1000
IDLE_MS = int((BLOCK_SECONDS + BLOCK_MARGIN_SECONDS) * MS)
"""How long a worker that waits for tasks counts as having free slots: it asks again before."""

LimitReason = Literal["rate", "concurrency", "closed"]
"""Which of a target's limits a task waits for."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt at a task, fenced by `token`, which no other attempt has.

    `answers` were sent to the site in earlier attempts. `obstacle` says why nothing can be attempted: the session that
    came with the task can't be read here. For `alone_seconds` the process must run nothing else: the task may have
    killed the last one.
    """

    task_id: str
    partition: int
    token: str
    attempt: int
    request: TaskRequest
    queued_ms: float
    remaining_seconds: float
    obstacle: AttemptFailed | None = None
    alone_seconds: float = 0.0
    answers: int = 0


AnswerCount = Literal["counted", "used_up", "lost"]
"""Whether an answer was counted: not where the task may send no other, or the attempt is no longer the caller's."""


class AttemptOutcome(StrEnum):
    """How an attempt ended; the record decides what follows from it.

    An exhausted one used up the retries by itself, so the task becomes a dead letter. One is passed on where only a
    newer release can read the task.
    """

    COMPLETED = "completed"
    RETRYABLE = "retryable"
    EXHAUSTED = "exhausted"
    FAILED = "failed"
    HANDED_BACK = "handed_back"
    DEFERRED = "deferred"
    PASSED_ON = "passed_on"


@dataclass(frozen=True, slots=True)
class Deferral:
    """When the first deferred task of a target is released, at what pace the others follow, and why they wait."""

    delay_ms: int
    pace_ms: int
    reason: LimitReason = "rate"


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of one attempt, ready to be written.

    A deferred one has a `deferral`: the attempt counts as never begun. `retry_after_seconds` is what the site asked
    for. `evidence` is kept only where the task ends with this attempt. `answers` are those of a target whose labels are
    collected; `observation` is what the captcha was like.
    """

    delivery: Delivery
    outcome: AttemptOutcome
    result: TaskResult | None = None
    error: TaskError | None = None
    deferral: Deferral | None = None
    retry_after_seconds: float | None = None
    evidence: Evidence | None = None
    answers: CollectedAnswers | None = None
    observation: CaptchaObservation | None = None

    @property
    def payload(self) -> bytes:
        """The result, the error or the deferral as JSON; empty where there is none of them."""
        if self.deferral is not None:
            return encode_deferral(self.deferral.delay_ms, self.deferral.pace_ms, self.deferral.reason)
        if self.result is not None:
            return encode_result(self.result)
        return encode_error(self.error) if self.error is not None else b""


class Consumer:
    """One partition as one incarnation of a worker sees it; `consumer` is NAME.INCARNATION.

    Without a cipher, tasks that come with a session or want one back can't be attempted here.
    """

    def __init__(
        self,
        broker: Broker,
        keys: PartitionKeys,
        worker: str,
        consumer: str,
        dead_letter_limits: DeadLetterLimits,
        cipher: SessionCipher | None = None,
    ) -> None:
        self._broker = broker
        self._keys = keys
        self._worker = worker
        self._consumer = consumer
        self._dead_letter_limits = dead_letter_limits
        self._sessions = SealedSessions(cipher)
        self._last_ids: list[bytes] = []
        self._ask_again_ms = 0

    @property
    def partition(self) -> int:
        """The partition's number."""
        return self._keys.partition

    async def take(self, free_slots: int, is_process_free: bool = True) -> list[Delivery]:
        """Take up to `free_slots` tasks and begin an attempt at each.

        `is_process_free` says whether this process runs nothing. What can't be read here is settled at once.
        """
        token = secrets.token_hex(8)
        arguments: list[Argument] = [self._consumer, self._worker, token, free_slots, int(is_process_free), IDLE_MS]
        *taken, self._last_ids, self._ask_again_ms = await self._broker.run_script("take", self._keys, arguments)
        deliveries: list[Delivery] = []
        unreadable_ids: list[str] = []
        unreadable: list[Argument] = []
        for task_id, *members in taken:
            try:
                deliveries.append(self._deliver(token, task_id, *members))
            except UnreadableRecord as error:
                unreadable_ids.append(task_id.decode())
                unreadable += _settlement_arguments(task_id, token, *_plan_unreadable(task_id.decode(), error))
                unreadable += _answer_arguments(None)
        if unreadable_ids:
            await self._settle(unreadable_ids, unreadable)
        return deliveries

    async def wait_for_more(self) -> None:
        """Return when a task was queued since the last `take` came back short, or it is time to ask again."""
        if not self._last_ids:
            return
        streams = dict(zip(self._keys.streams, self._last_ids, strict=True))
        block_ms = self._ask_again_ms or int(BLOCK_SECONDS * MS)
        async with self._broker.guard():
            await self._broker.blocking_client.xread(streams, count=1, block=block_ms)

    async def renew(self, deliveries: Sequence[Delivery]) -> list[str]:
        """Renew the leases of running attempts; for each RENEWED, or what became of its task instead."""
        arguments: list[Argument] = [self._consumer]
        for delivery in deliveries:
            arguments += [delivery.task_id, delivery.token]
        answers = await self._broker.run_script("renew", self._keys, arguments)
        return [answer.decode() for answer in answers]

    async def count_answer(self, delivery: Delivery) -> AnswerCount:
        """Count an answer in the task's record before it is sent; where replicas are waited for, they have it then."""
        arguments: list[Argument] = [self._consumer, delivery.task_id, delivery.token]
        answer = await self._broker.run_script("answer", self._keys, arguments, acknowledge=True)
        return cast("AnswerCount", answer.decode())

    async def settle(self, settlements: Sequence[Settlement]) -> list[str]:
        """Write outcomes; for each the task's status now, `duplicate` if written before, or `refused`.

        With replicas to wait for, an end is written first and made final once they have it. Where the connection is
        lost in between, the same call again, here or at the next master, goes on where this one stopped.
        """
        arguments: list[Argument] = []
        for settlement in settlements:
            arguments += self._settle_arguments(settlement)
        return await self._settle([settlement.delivery.task_id for settlement in settlements], arguments)

    async def _settle(self, task_ids: Sequence[str], settlements: Sequence[Argument]) -> list[str]:
        arguments: list[Argument] = [
            self._consumer,
            self._dead_letter_limits.argument,
            FIRST_RETRY_DELAY_MS,
            LONGEST_RETRY_DELAY_MS,
            self._broker.evidence_limit_bytes,
            self._broker.label_limit_bytes,
            self._worker,
            *settlements,
        ]
        answers = await self._broker.run_script("settle", self._keys, arguments, acknowledge=True)
        return await confirm_ends(self._broker, self._keys, task_ids, answers)

    async def hand_back_unknown(self, known_ids: Sequence[str]) -> int:
        """Hand back what this consumer owns beyond `known_ids`: deliveries whose reply was lost."""
        return int(await self._broker.run_script("hand_back", self._keys, [self._consumer, *known_ids]))

    def _deliver(
        self,
        token: str,
        task_id: bytes,
        request: bytes,
        picture: bytes,
        session: bytes,
        attempt: int,
        queued_ms: int,
        remaining_ms: int,
        alone_ms: int,
        answers: int,
    ) -> Delivery:
        """Read one task of the script's answer; UnreadableRecord where this release can't."""
        decoded, obstacle = decode_request(request, picture or None), None
        try:
            decoded = self._sessions.open_given(decoded, task_id.decode(), session)
        except AttemptFailed as failure:
            obstacle = failure
        return Delivery(
            task_id=task_id.decode(),
            partition=self.partition,
            token=token,
            attempt=int(attempt),
            request=decoded,
            queued_ms=float(queued_ms),
            remaining_seconds=remaining_ms / MS,
            obstacle=obstacle,
            alone_seconds=alone_ms / MS,
            answers=int(answers),
        )

    def _settle_arguments(self, settlement: Settlement) -> list[Argument]:
        delivery, outcome, payload, session = settlement.delivery, settlement.outcome, settlement.payload, b""
        try:
            session = self._sessions.seal_returned(settlement.result, delivery.task_id)
        except AttemptFailed as failure:
            outcome = AttemptOutcome.FAILED
            payload = encode_error(TaskError(failure.task_error_code, failure.message, is_retryable=False))
        written = _settlement_arguments(
            delivery.task_id, delivery.token, outcome, payload, session, settlement.evidence
        )
        return [*written, *_answer_arguments(settlement.answers)]


def _settlement_arguments(
    task_id: Argument,
    token: str,
    outcome: str,
    payload: bytes,
    session: bytes = b"",
    evidence: Evidence | None = None,
) -> list[Argument]:
    kept = [encode_evidence(evidence), evidence.picture, evidence.screenshot or b""] if evidence else [b""] * 3
    return [task_id, token, outcome, payload, draw_jitter(), session, *kept]


def _answer_arguments(answers: CollectedAnswers | None) -> list[Argument]:
    if answers is None:
        return ["", b"", 0]
    judged: list[Argument] = []
    for one in answers.judged:
        judged += [one.text, str(one.verdict), one.picture]
    return [answers.host, answers.unjudged_picture, len(answers.judged), *judged]


def _plan_unreadable(task_id: str, error: UnreadableRecord) -> tuple[AttemptOutcome, bytes]:
    """Return how an attempt at a task that can't be read ends: it is never run without what it asks for."""
    with task_context(task_id):
        if isinstance(error, NewerRecord):
            _logger.info("the task is left to a worker of a newer release: %s", error)
            return AttemptOutcome.PASSED_ON, encode_delay(PASS_ON_DELAY_MS)
        _logger.warning("the task fails, for its record is damaged: %s", error)
    message = f"the task's record is damaged: {error}"
    return AttemptOutcome.FAILED, encode_error(TaskError(TaskErrorCode.UNREADABLE_RECORD, message, is_retryable=False))
