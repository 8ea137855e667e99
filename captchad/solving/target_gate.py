"""Lets an attempt start only within its target's limits, which hold across all workers."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.broker.leases import RENEWALS_PER_LEASE, TASK_LEASE_SECONDS
from captchad.broker.target_limits import Refusal, TargetLimits
from captchad.domain.errors import AttemptFailed, BrokerUnavailable, TargetNotAllowed, TaskErrorCode
from captchad.domain.proof import KnownProofs
from captchad.domain.target import Target
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.runtime.spawn import TaskSet
from captchad.solving.solver import settle_failure
from captchad.solving.task_target import find_task_target
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One page visit that counts against its target's limits, and holds one of the target's slots."""

    delivery: Delivery
    host: str


class TargetGate(Service):
    """Finds each attempt's target, and acquires a slot of it before a page opens; each open page keeps its slot.

    A refused task is deferred at once, so that it uses no attempt.
    """

    name = "target-gate"

    def __init__(
        self,
        limits: TargetLimits,
        solve: Callable[[Delivery, Target], Awaitable[Settlement]],
        targets: Callable[[], Sequence[Target]],
        proofs: Callable[[], KnownProofs],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._limits = limits
        self._solve = solve
        self._targets = targets
        self._proofs = proofs
        self._metrics = metrics
        self._clock = clock
        self._visits: set[Visit] = set()
        # Their own set, so that a drain waits for the slots alone.
        self._endings = TaskSet(self.name)
        self._periodic = Periodic(self.name, TASK_LEASE_SECONDS / RENEWALS_PER_LEASE, self._renew_all)

    async def run(self) -> None:
        """Renew the slots of open pages until cancelled."""
        await self._periodic.run()

    def renew_now(self) -> None:
        """Renew as soon as possible: Redis is back, and every slot's lease has run on meanwhile."""
        self._periodic.wake()

    async def drain(self) -> None:
        """Release every slot before the connection to Redis closes."""
        await self._endings.wait_all()

    async def solve(self, delivery: Delivery) -> Settlement:
        """Make one attempt if its target's limits allow it now; otherwise defer the task."""
        try:
            target = self._find_target(delivery)
            refusal = await self._limits.begin(delivery, target)
        except BrokerUnavailable:
            return Settlement(delivery, AttemptOutcome.HANDED_BACK)
        except AttemptFailed as failure:
            return settle_failure(delivery, failure)
        if refusal is not None:
            return self._defer(delivery, refusal)
        # A picture counts as a visit, but opens no page and holds no slot.
        if delivery.request.picture is not None:
            audit_picture(delivery, delivery.request.picture, target)
            return await self._solve(delivery, target)
        return await self._visit(delivery, target)

    def _find_target(self, delivery: Delivery) -> Target:
        # Such as a session sealed with a key this worker does not have: that costs the target no visit.
        if delivery.obstacle is not None:
            raise delivery.obstacle
        try:
            target = find_task_target(self._targets(), delivery.request, self._clock.today())
            self._proofs().check(target)
        except TargetNotAllowed as error:
            raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, error.message) from None
        return target

    async def _visit(self, delivery: Delivery, target: Target) -> Settlement:
        visit = Visit(delivery, target.host)
        self._visits.add(visit)
        try:
            settlement = await self._solve(delivery, target)
            if settlement.retry_after_seconds is not None:
                # For all workers, whatever becomes of this attempt: the site asked everybody.
                await self._close(target, settlement.retry_after_seconds)
        finally:
            self._visits.discard(visit)
            # Not awaited: a cancelled attempt must end at once, and the outcome need not wait for this.
            self._endings.spawn(self._end(visit), delivery.task_id)
        return settlement

    def _defer(self, delivery: Delivery, refusal: Refusal) -> Settlement:
        self._metrics.record_deferral(refusal.reason)
        _logger.debug("deferred by its target's limits (%s) for %d ms", refusal.reason, refusal.deferral.delay_ms)
        return Settlement(delivery, AttemptOutcome.DEFERRED, deferral=refusal.deferral)

    async def _close(self, target: Target, asked_seconds: float) -> None:
        seconds = min(asked_seconds, target.longest_closure_seconds)
        _logger.warning(
            "%s asked to be left alone for %g s: no worker visits it for %g s", target.host, asked_seconds, seconds
        )
        try:
            await self._limits.close(target.host, seconds)
        except BrokerUnavailable:
            _logger.warning("could not close the target for the other workers: Redis does not answer")

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
    """Log which picture was read for whom, since no page shows where it came from."""
    digest = hashlib.sha256(picture).hexdigest()
    key_id = delivery.request.key_id or "no key"
    _logger.info("picture of %s: sha256 %s, %d bytes, by %s", target.host, digest, len(picture), key_id)
