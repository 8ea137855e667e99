"""The worker's side of a partition: take, renew, settle, wait for more."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from captchad.broker.address import BLOCK_SECONDS
from captchad.broker.connection import Argument, Broker
from captchad.broker.messages import decode_request, encode_deferral, encode_error, encode_evidence, encode_result
from captchad.broker.redis_keys import PartitionKeys
from captchad.broker.retry_delays import FIRST_RETRY_DELAY_MS, LONGEST_RETRY_DELAY_MS, draw_jitter
from captchad.broker.sealed_sessions import SealedSessions
from captchad.broker.session_cipher import SessionCipher
from captchad.domain.errors import AttemptFailed
from captchad.domain.page import Evidence
from captchad.domain.task import TaskError, TaskRequest, TaskResult

"""Share of the delay that is waited: tasks that failed together must not come back together."""
RENEWED = "renewed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt at a task, fenced by `token`, which no other attempt has.

    `obstacle` says why nothing can be attempted: the session that came with the task can't be read here.
    """

    task_id: str
    partition: int
    token: str
    attempt: int
    request: TaskRequest
    queued_ms: float
    remaining_seconds: float
    obstacle: AttemptFailed | None = None


class AttemptOutcome(StrEnum):
    """How an attempt ended; the record decides what follows from it.

    An exhausted one used up the retries by itself, so the task becomes a dead letter.
    """

    COMPLETED = "completed"
    RETRYABLE = "retryable"
    EXHAUSTED = "exhausted"
    FAILED = "failed"
    HANDED_BACK = "handed_back"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Deferral:
    """When the first deferred task of a target is released, and at what pace the others follow."""

    delay_ms: int
    pace_ms: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of one attempt, ready to be written.

    A deferred one has a `deferral`: the attempt counts as never begun. `retry_after_seconds` is what the site asked
    for. `evidence` is kept only where the task ends with this attempt.
    """

    delivery: Delivery
    outcome: AttemptOutcome
    result: TaskResult | None = None
    error: TaskError | None = None
    deferral: Deferral | None = None
    retry_after_seconds: float | None = None
    evidence: Evidence | None = None

    @property
    def payload(self) -> bytes:
        """The result, the error or the deferral as JSON; empty where there is none of them."""
        if self.deferral is not None:
            return encode_deferral(self.deferral.delay_ms, self.deferral.pace_ms)
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
        dead_letter_limit: int,
        cipher: SessionCipher | None = None,
    ) -> None:
        self._broker = broker
        self._keys = keys
        self._worker = worker
        self._consumer = consumer
        self._dead_letter_limit = dead_letter_limit
        self._sessions = SealedSessions(cipher)
        self._last_ids: list[bytes] = []

    @property
    def partition(self) -> int:
        """The partition's number."""
        return self._keys.partition

    async def take(self, free_slots: int) -> list[Delivery]:
        """Take up to `free_slots` tasks, the highest priority first, and begin an attempt at each."""
        token = secrets.token_hex(8)
        *taken, last_ids = await self._broker.run_script(
            "take", self._keys, [self._consumer, self._worker, token, free_slots]
        )
        self._last_ids = last_ids
        return [self._deliver(token, *one) for one in taken]

    async def wait_for_more(self) -> None:
        """Return when a task was queued since the last `take` came back short, or after a few seconds."""
        if not self._last_ids:
            return
        streams = dict(zip(self._keys.streams, self._last_ids, strict=True))
        async with self._broker.guard():
            await self._broker.blocking_client.xread(streams, count=1, block=int(BLOCK_SECONDS * 1000))

    async def renew(self, deliveries: Sequence[Delivery]) -> list[str]:
        """Renew the leases of running attempts; for each RENEWED, or what became of its task instead."""
        arguments: list[Argument] = [self._consumer]
        for delivery in deliveries:
            arguments += [delivery.task_id, delivery.token]
        answers = await self._broker.run_script("renew", self._keys, arguments)
        return [answer.decode() for answer in answers]

    async def settle(self, settlements: Sequence[Settlement]) -> list[str]:
        """Write outcomes; for each the task's status now, `duplicate` if written before, or `refused`."""
        arguments: list[Argument] = [
            self._consumer,
            self._dead_letter_limit,
            FIRST_RETRY_DELAY_MS,
            LONGEST_RETRY_DELAY_MS,
            self._broker.evidence_limit_bytes,
        ]
        for settlement in settlements:
            arguments += self._settle_arguments(settlement)
        answers = await self._broker.run_script("settle", self._keys, arguments, acknowledge=True)
        return [answer.decode() for answer in answers]

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
    ) -> Delivery:
        """Read one task of the script's answer."""
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
            remaining_seconds=remaining_ms / 1000,
            obstacle=obstacle,
        )

    def _settle_arguments(self, settlement: Settlement) -> list[Argument]:
        delivery, outcome, payload, session = settlement.delivery, settlement.outcome, settlement.payload, b""
        try:
            session = self._sessions.seal_returned(settlement.result, delivery.task_id)
        except AttemptFailed as failure:
            outcome = AttemptOutcome.FAILED
            payload = encode_error(TaskError(failure.task_error_code, failure.message, is_retryable=False))
        evidence = settlement.evidence
        kept = [encode_evidence(evidence), evidence.picture, evidence.screenshot or b""] if evidence else [b""] * 3
        return [delivery.task_id, delivery.token, outcome, payload, draw_jitter(), session, *kept]
