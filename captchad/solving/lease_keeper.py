"""Renews the leases of all running attempts, however long their pages take."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from captchad.broker.consumer import RENEWED, Consumer, Delivery
from captchad.broker.leases import RENEWALS_PER_LEASE, TASK_LEASE_SECONDS
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.solving.attempts import Abandonment, Attempts, RunningAttempt
from captchad.solving.permission import LeaseLapsed, explain_all_sent
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)


class LeaseKeeper(Service):
    """Renews three times per lease; abandons what is no longer ours, or could not be renewed for a whole lease."""

    name = "leases"

    def __init__(self, consumers: Sequence[Consumer], attempts: Attempts, clock: Clock, metrics: Metrics) -> None:
        self._consumers = {consumer.partition: consumer for consumer in consumers}
        self._attempts = attempts
        self._clock = clock
        self._metrics = metrics
        self._periodic = Periodic(self.name, TASK_LEASE_SECONDS / RENEWALS_PER_LEASE, self._renew_all)

    async def run(self) -> None:
        """Renew until cancelled."""
        await self._periodic.run()

    def renew_now(self) -> None:
        """Renew as soon as possible: Redis is back, and every lease has run on meanwhile."""
        self._periodic.wake()

    def is_held(self, delivery: Delivery) -> bool:
        """Whether no other worker can have the task yet; asked before anything that can't be undone.

        The clock alone decides: a process that was stopped may ask before it has learned that it is too late.
        """
        attempt = self._attempts.find(delivery)
        if attempt is None or attempt.abandonment is not None:
            return False
        return self._clock.monotonic_seconds() - attempt.renewed_seconds <= TASK_LEASE_SECONDS

    async def permit_answer(self, delivery: Delivery) -> None:
        """Count an answer in the task's record; LeaseLapsed or RetriesUsedUp where it must not be sent."""
        if not self.is_held(delivery):
            raise LeaseLapsed
        try:
            count = await self._consumers[delivery.partition].count_answer(delivery)
        except BrokerUnavailable:
            raise LeaseLapsed from None
        if count == "used_up":
            raise explain_all_sent(1 + delivery.request.retry_count)
        # Asked last: the caller sends the answer at once.
        if count == "lost" or not self.is_held(delivery):
            raise LeaseLapsed

    async def _renew_all(self) -> None:
        by_partition: defaultdict[int, list[RunningAttempt]] = defaultdict(list)
        for attempt in self._attempts.unsettled:
            by_partition[attempt.delivery.partition].append(attempt)
        # Partitions may be on different nodes: one that is away must not keep the others from being renewed.
        for partition, attempts in by_partition.items():
            try:
                await self._renew(self._consumers[partition], attempts)
            except BrokerUnavailable:
                self._metrics.record_lease_renewals("failed", len(attempts))
                self._give_up_lapsed(attempts)

    async def _renew(self, consumer: Consumer, attempts: list[RunningAttempt]) -> None:
        # Before the call: counted from the reply, the lease would seem to last longer than Redis holds it.
        asked_seconds = self._clock.monotonic_seconds()
        answers = await consumer.renew([attempt.delivery for attempt in attempts])
        for attempt, answer in zip(attempts, answers, strict=True):
            if answer == RENEWED:
                attempt.renewed_seconds = asked_seconds
                self._metrics.record_lease_renewals("renewed")
            else:
                self._metrics.record_lease_renewals("lost")
                self._attempts.abandon_attempt(attempt, Abandonment.TAKEN_AWAY)

    def _give_up_lapsed(self, attempts: list[RunningAttempt]) -> None:
        """Abandon what another worker may have by now, before it does anything that can't be undone."""
        now = self._clock.monotonic_seconds()
        for attempt in attempts:
            if now - attempt.renewed_seconds > TASK_LEASE_SECONDS:
                self._attempts.abandon_attempt(attempt, Abandonment.HANDED_BACK)
