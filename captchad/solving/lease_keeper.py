"""Renews the leases of all attempts under way, however long their pages take."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from captchad.broker.consumer import RENEWED, Consumer, Delivery
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.solving.attempts import Abandonment, Attempts, RunningAttempt
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
RENEWALS_PER_LEASE = 3


class LeaseKeeper(Service):
    """Renews three times a lease; breaks off what is no longer ours, or could not be renewed for a whole lease."""

    name = "leases"

    def __init__(self, consumers: Sequence[Consumer], attempts: Attempts, clock: Clock, metrics: Metrics) -> None:
        self._consumers = {consumer.partition: consumer for consumer in consumers}
        self._attempts = attempts
        self._clock = clock
        self._metrics = metrics
        self._periodic = Periodic(self.name, LEASE_SECONDS / RENEWALS_PER_LEASE, self._renew_all)

    async def run(self) -> None:
        """Renew until cancelled."""
        await self._periodic.run()

    def is_held(self, delivery: Delivery) -> bool:
        """Whether no other worker can have the task by now; asked before what can't be undone.

        The clock alone decides: a process that was stopped may ask before it has heard that it came too late.
        """
        attempt = self._attempts.find(delivery)
        if attempt is None or attempt.abandonment is not None:
            return False
        return self._clock.monotonic_seconds() - attempt.renewed_seconds <= LEASE_SECONDS

    async def _renew_all(self) -> None:
        by_partition: defaultdict[int, list[RunningAttempt]] = defaultdict(list)
        for attempt in self._attempts.unsettled:
            by_partition[attempt.delivery.partition].append(attempt)
        for partition, attempts in by_partition.items():
            try:
                await self._renew(self._consumers[partition], attempts)
            except BrokerUnavailable:
                self._metrics.record_lease_renewals("failed", len(attempts))
                self._give_up_lapsed(attempts)

    async def _renew(self, consumer: Consumer, attempts: list[RunningAttempt]) -> None:
        asked_seconds = self._clock.monotonic_seconds()
        answers = await consumer.renew([attempt.delivery for attempt in attempts])
        for attempt in attempts:
            answer = answers[attempt.delivery.task_id]
            if answer == RENEWED:
                attempt.renewed_seconds = asked_seconds
                self._metrics.record_lease_renewals("renewed")
            else:
                self._metrics.record_lease_renewals("lost")
                self._attempts.abandon(attempt.delivery.task_id, Abandonment.TAKEN_AWAY)

    def _give_up_lapsed(self, attempts: list[RunningAttempt]) -> None:
        """Break off what another worker may have by now, before it does anything that can't be undone."""
        now = self._clock.monotonic_seconds()
        for attempt in attempts:
            if now - attempt.renewed_seconds > LEASE_SECONDS:
                self._attempts.abandon(attempt.delivery.task_id, Abandonment.HANDED_BACK)
