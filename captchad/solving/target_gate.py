"""Lets an attempt begin only within its target's limits, which hold across all workers."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from captchad.broker.consumer import Delivery, Outcome, Settlement
from captchad.broker.leases import RENEWALS_PER_LEASE, TASK_LEASE_SECONDS
from captchad.broker.target_limits import Refusal, TargetLimits
from captchad.domain.errors import BrokerUnavailable, TargetNotAllowed
from captchad.domain.target import Target
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.runtime.spawn import TaskSet
from captchad.solving.attempts import Solve
from captchad.solving.task_target import find_task_target
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One page that may be open now, and the target whose slot it has."""

    delivery: Delivery
    host: str


class TargetGate(Service):
    """Stands before the solver: asks before any page opens, and keeps each page's slot for as long as it is open.

    A refused task is put off at once, so that it keeps no slot of the worker and costs no attempt.
    """

    name = "target-gate"

    def __init__(
        self,
        limits: TargetLimits,
        solve: Solve,
        targets: Callable[[], Sequence[Target]],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._limits = limits
        self._solve = solve
        self._targets = targets
        self._metrics = metrics
        self._clock = clock
        self._visits: set[Visit] = set()
        self._endings = TaskSet(self.name)
        self._periodic = Periodic(self.name, TASK_LEASE_SECONDS / RENEWALS_PER_LEASE, self._renew_all)

    async def run(self) -> None:
        """Renew the slots of open pages until cancelled."""
        await self._periodic.run()

    async def drain(self) -> None:
        """Return every slot back before Redis is let go of."""
        await self._endings.wait_all()

    async def solve(self, delivery: Delivery) -> Settlement:
        """Make one attempt if its target allows it now; otherwise the outcome is that it waits."""
        try:
            target = find_task_target(self._targets(), delivery.request, self._clock.today())
        except TargetNotAllowed:
            return await self._solve(delivery)  # which names the reason
        try:
            refusal = await self._limits.begin(delivery, target)
        except BrokerUnavailable:
            return Settlement(delivery, Outcome.HANDED_BACK)
        if refusal is not None:
            return self._defer(delivery, refusal)
        if delivery.request.picture is not None:
            audit_picture(delivery, delivery.request.picture, target)
            return await self._solve(delivery)
        return await self._visit(delivery, target)

    async def _visit(self, delivery: Delivery, target: Target) -> Settlement:
        visit = Visit(delivery, target.host)
        self._visits.add(visit)
        try:
            settlement = await self._solve(delivery)
            if settlement.retry_after_seconds is not None:
                await self._close(target, settlement.retry_after_seconds)
        finally:
            self._visits.discard(visit)
            # Not awaited: an attempt that is broken off must end at once, and an outcome need not wait for this.
            self._endings.spawn(self._end(visit), delivery.task_id)
        return settlement

    def _defer(self, delivery: Delivery, refusal: Refusal) -> Settlement:
        self._metrics.record_deferral(refusal.reason)
        _logger.debug("waits for its target: %s, for %d ms", refusal.reason, refusal.deferral.delay_ms)
        return Settlement(delivery, Outcome.DEFERRED, deferral=refusal.deferral)

    async def _close(self, target: Target, seconds: float) -> None:
        _logger.warning("%s asks to be left alone; no worker visits it for %g s", target.host, seconds)
        try:
            await self._limits.close(target.host, seconds)
        except BrokerUnavailable:
            _logger.warning("the other workers could not be told: Redis does not answer")

    async def _end(self, visit: Visit) -> None:
        try:
            await self._limits.end(visit.host, visit.delivery)
        except BrokerUnavailable:
            return  # the slot lapses with its lease

    async def _renew_all(self) -> None:
        by_host: defaultdict[str, list[Delivery]] = defaultdict(list)
        for visit in self._visits:
            by_host[visit.host].append(visit.delivery)
        for host, deliveries in by_host.items():
            await self._limits.renew(host, deliveries)


def audit_picture(delivery: Delivery, picture: bytes, target: Target) -> None:
    """Log which picture was read for whom: it came without a page that would show where it is from."""
    digest = hashlib.sha256(picture).hexdigest()
    key_id = delivery.request.key_id or "no key"
    _logger.info("picture of %s: sha256 %s, %d bytes, by %s", target.host, digest, len(picture), key_id)
