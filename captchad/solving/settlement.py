"""Writes the outcomes of attempts, all waiting ones in one script call."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Delivery, Settlement
from captchad.domain.errors import BrokerFull, BrokerUnavailable
from captchad.runtime.service import Service
from captchad.telemetry.logs import task_context
from captchad.telemetry.metrics import Metrics, SettlementOutcome

_logger = logging.getLogger(__name__)

REFUSED = "refused"
DUPLICATE = "duplicate"


class Settler(Service):
    """Keeps every outcome until Redis has confirmed it; repeating a settlement does no harm."""

    name = "settlement"

    def __init__(self, broker: Broker, consumers: Sequence[Consumer], metrics: Metrics) -> None:
        self._broker = broker
        self._consumers = {consumer.partition: consumer for consumer in consumers}
        self._on_settled: list[Callable[[Delivery], None]] = []
        self._on_written: list[Callable[[Settlement], None]] = []
        self._metrics = metrics
        self._waiting: list[Settlement] = []
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self.tasks_done = 0
        self.tasks_failed = 0

    def on_settled(self, callback: Callable[[Delivery], None]) -> None:
        """Call `callback` for each attempt whose outcome is written, or refused for good."""
        self._on_settled.append(callback)

    def on_written(self, callback: Callable[[Settlement], None]) -> None:
        """Call `callback` once for each outcome that is written; not if it came too late, as after a cancellation."""
        self._on_written.append(callback)

    def put(self, settlement: Settlement) -> None:
        """Accept an outcome; it is written with all others that wait."""
        self._waiting.append(settlement)
        self._emptied.clear()
        self._arrived.set()

    async def wait_empty(self) -> None:
        """Wait until every outcome is written."""
        await self._emptied.wait()

    async def run(self) -> None:
        """Write outcomes until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            # What arrives while this batch is being written goes into the next one, and so does what was refused.
            batch, self._waiting = self._waiting, []
            try:
                unwritten = await self._write(batch)
            except BaseException:
                # Run again, it must find them: without an outcome their leases would be renewed until the deadline.
                self._waiting = batch + self._waiting
                self._arrived.set()
                raise
            if unwritten:
                self._waiting = [*unwritten, *self._waiting]
                self._arrived.set()
                await self._broker.wait_until_back()
            elif not self._waiting:
                self._emptied.set()

    async def _write(self, batch: Sequence[Settlement]) -> list[Settlement]:
        """Write outcomes, those of each partition together; return those that are not written."""
        by_partition: defaultdict[int, list[Settlement]] = defaultdict(list)
        for settlement in batch:
            by_partition[settlement.delivery.partition].append(settlement)
        unwritten: list[Settlement] = []
        for partition, settlements in by_partition.items():
            consumer = self._consumers[partition]
            try:
                await self._settle(consumer, settlements)
            except BrokerFull:
                unwritten += await self._write_singly(consumer, settlements)
            except BrokerUnavailable:
                unwritten += settlements
        return unwritten

    async def _write_singly(self, consumer: Consumer, settlements: Sequence[Settlement]) -> list[Settlement]:
        """Write those that need less memory than is left; return the others, which held them back."""
        unwritten = []
        for settlement in settlements:
            try:
                await self._settle(consumer, [settlement])
            except BrokerUnavailable:
                unwritten.append(settlement)
        return unwritten

    async def _settle(self, consumer: Consumer, settlements: Sequence[Settlement]) -> None:
        answers = await consumer.settle(settlements)
        for settlement, answer in zip(settlements, answers, strict=True):
            for callback in self._on_settled:
                # Also for a refused one: its slot and its lease must be forgotten all the same.
                callback(settlement.delivery)
            if answer not in {REFUSED, DUPLICATE}:
                for written in self._on_written:
                    written(settlement)
            self._note(settlement, answer)

    def _note(self, settlement: Settlement, answer: str) -> None:
        if settlement.outcome is AttemptOutcome.DEFERRED:
            return  # no attempt was made
        error, outcome = settlement.error, _name_outcome(settlement, answer)
        self._metrics.record_attempt(outcome, error.code if error else None)
        self.tasks_done += outcome == "completed"
        self.tasks_failed += outcome == "failed"
        attempt = settlement.delivery.attempt
        with task_context(settlement.delivery.task_id):
            if answer == REFUSED:
                _logger.warning("attempt %d: the outcome came too late and was refused", attempt)
            elif error is not None:
                _logger.info("attempt %d: %s: %s; the task is %s", attempt, error.code, error.message, answer)
            else:
                _logger.info("attempt %d: the task is %s", attempt, answer)


def _name_outcome(settlement: Settlement, answer: str) -> SettlementOutcome:
    """Name what became of an attempt; of one that was written before, by its own outcome."""
    if answer == REFUSED:
        return "refused"
    outcome, delivery = settlement.outcome, settlement.delivery
    if outcome is AttemptOutcome.HANDED_BACK:
        return "handed_back"
    if answer == DUPLICATE:
        is_completed = outcome is AttemptOutcome.COMPLETED
        is_retried = outcome is AttemptOutcome.RETRYABLE and delivery.attempt <= delivery.request.retry_count
    else:
        is_completed, is_retried = answer == "completed", answer == "pending"
    if is_completed:
        return "completed"
    return "retried" if is_retried else "failed"
