"""The learner's services: labels are taken out of Redis onto this host's disk, and the disk's bounds are kept."""

import asyncio
import logging
from collections.abc import Sequence

from captchad.broker.connection import Broker
from captchad.broker.labels import LabelStream, WaitingLabel
from captchad.domain.label import Label
from captchad.operations.labels.label_store import Addition, LabelStore
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service, ServiceHealth
from captchad.telemetry.metrics import Metrics

BATCH = 16
DISK_PAUSE_SECONDS = 5.0
"""Between two tries to write to a disk that refused."""
PRUNE_INTERVAL_SECONDS = 3600.0

_logger = logging.getLogger(__name__)


class LabelKeeper(Service):
    """Keeps the labels of one partition: on disk first, and out of Redis then, so that a kill in between loses none.

    What was written before the kill comes again, and replaces itself.
    """

    def __init__(self, broker: Broker, stream: LabelStream, store: LabelStore, metrics: Metrics, clock: Clock) -> None:
        self.name = f"labels-{stream.partition:02x}"
        self._broker = broker
        self._stream = stream
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._disk_problem = ""

    async def run(self) -> None:
        """Keep labels until cancelled."""
        while True:
            async with self._broker.waited_out():
                waiting = await self._stream.wait(BATCH)
                if waiting and await self._keep(waiting):
                    await self._stream.forget(waiting)

    def health(self) -> ServiceHealth:
        """Say whether the disk takes labels; they wait in Redis otherwise."""
        return ServiceHealth(not self._disk_problem, self._disk_problem)

    async def _keep(self, waiting: Sequence[WaitingLabel]) -> bool:
        """Write labels to the disk; whether it has taken them all."""
        try:
            for one in waiting:
                await self._keep_one(one)
        except OSError as error:
            await self._wait_for_disk(error)
            return False
        self._disk_problem = ""
        return True

    async def _keep_one(self, waiting: WaitingLabel) -> None:
        if waiting.label is None:
            _logger.warning("a label in Redis can't be read, and is dropped")
            self._metrics.record_labels_dropped("unreadable")
            return
        addition = await self._write(waiting.label, waiting.picture)
        if addition.is_kept:
            self._metrics.record_label_kept(waiting.label.origin, waiting.label.verdict)
        else:
            self._metrics.record_labels_dropped("refused")
        self._metrics.record_labels_dropped("limit", addition.dropped)

    async def _write(self, label: Label, picture: bytes) -> Addition:
        """Write a label; a write that has begun is waited for also where this is cancelled."""
        # In a thread: the disk may be slow, and another process may hold the store.
        writing = asyncio.get_running_loop().run_in_executor(None, self._store.add, label, picture)
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            # Asked for, or it would be reported as one that nobody has seen.
            writing.exception()
            raise

    async def _wait_for_disk(self, error: OSError) -> None:
        problem = f"labels can't be written to {error.filename or 'the disk'}: {error.strerror or error}"
        if problem != self._disk_problem:
            _logger.error("%s; they wait in Redis", problem)
        self._disk_problem = problem
        await self._clock.sleep(DISK_PAUSE_SECONDS)


class LabelPruning(Periodic):
    """Drops labels that are too old, every hour."""

    def __init__(self, store: LabelStore, metrics: Metrics) -> None:
        super().__init__("label_pruning", PRUNE_INTERVAL_SECONDS, self._prune)
        self._store = store
        self._metrics = metrics

    async def _prune(self) -> None:
        self._metrics.record_labels_dropped("limit", await asyncio.to_thread(self._store.prune))
