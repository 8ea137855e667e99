"""The attempts this worker has under way, and the slots they take."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.domain.hidden_values import HiddenValues
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.logs import task_context

_logger = logging.getLogger(__name__)

Solve = Callable[[Delivery], Awaitable[Settlement]]


class Abandonment(StrEnum):
    """Why an attempt is abandoned: the task is no longer ours, or it is handed back without costing an attempt."""

    TAKEN_AWAY = "taken_away"
    HANDED_BACK = "handed_back"


@dataclass(slots=True)
class RunningAttempt:
    """One attempt; `renewed_seconds` is the monotonic time at which its lease was certainly held."""

    delivery: Delivery
    renewed_seconds: float
    task: "asyncio.Task[None] | None" = None
    abandonment: Abandonment | None = None
    has_begun: bool = False


class Attempts:
    """Runs attempts in a fixed number of slots.

    An attempt keeps its slot, and its lease is renewed, until its outcome is written. So a worker whose outcomes are
    refused takes nothing more, and what a target defers is deferred before its other tasks are taken in its place.
    """

    def __init__(self, slots: int, solve: Solve, on_end: Callable[[Settlement], None], clock: Clock) -> None:
        self.slots = slots
        self._solve = solve
        self._on_end = on_end
        self._clock = clock
        self._free = slots
        self._slot_freed = asyncio.Event()
        self._unsettled: dict[tuple[str, str], RunningAttempt] = {}
        self._work = TaskSet("attempt")

    @property
    def busy(self) -> int:
        """How many attempts run."""
        return len(self._work)

    def find(self, delivery: Delivery) -> RunningAttempt | None:
        """Return the attempt of a delivery, None where it is no longer ours."""
        return self._unsettled.get(_name(delivery))

    @property
    def unsettled(self) -> tuple[RunningAttempt, ...]:
        """Every attempt whose outcome is not written yet."""
        return tuple(self._unsettled.values())

    async def reserve_free(self) -> int:
        """Wait for a free slot, then reserve all free ones; the caller gives back what it does not use."""
        while self._free == 0:
            self._slot_freed.clear()
            await self._slot_freed.wait()
        reserved, self._free = self._free, 0
        return reserved

    def give_back(self, slots: int) -> None:
        """Free slots that were reserved."""
        self._free += slots
        if slots:
            self._slot_freed.set()

    def begin(self, delivery: Delivery, taken_seconds: float) -> None:
        """Run an attempt in a reserved slot; its lease holds from `taken_seconds` (monotonic)."""
        attempt = RunningAttempt(delivery, taken_seconds)
        self._unsettled[_name(delivery)] = attempt
        attempt.task = self._work.spawn(self._run(attempt), delivery.task_id)

    def abandon(self, task_id: str, abandonment: Abandonment) -> None:
        """Abandon every attempt at a task: its page is closed."""
        for attempt in self.unsettled:
            if attempt.delivery.task_id == task_id:
                self.abandon_attempt(attempt, abandonment)

    def abandon_attempt(self, attempt: RunningAttempt, abandonment: Abandonment) -> None:
        """Abandon one attempt: its page is closed."""
        if attempt.abandonment is None and attempt.task and not attempt.task.done():
            # Set before the cancellation, whose handler asks for it. The first reason stands.
            attempt.abandonment = abandonment
            # A task that is cancelled before its first step never runs, and would not be settled.
            if attempt.has_begun:
                attempt.task.cancel()

    def forget(self, delivery: Delivery) -> None:
        """Forget an attempt whose outcome is written or refused, and free its slot."""
        if self._unsettled.pop(_name(delivery), None) is not None:
            self.give_back(1)

    async def wait_left(self, delivery: Delivery, within_seconds: float) -> None:
        """Wait until an attempt has left its slot, but no longer than so many seconds."""
        attempt = self.find(delivery)
        if attempt is not None and attempt.task is not None:
            await asyncio.wait({attempt.task}, timeout=within_seconds)

    async def wait_all(self) -> None:
        """Wait until every attempt has ended, settled or not."""
        await self._work.wait_all()

    async def _run(self, attempt: RunningAttempt) -> None:
        delivery, attempt.has_begun = attempt.delivery, True
        with task_context(delivery.task_id, HiddenValues(delivery.request.secret_values)):
            try:
                if attempt.abandonment is not None:
                    self._end_abandoned(attempt)
                    return
                settlement = await self._solve(delivery)
            except asyncio.CancelledError:
                self._end_abandoned(attempt)
                # Cancelled from outside, as the process ends: nothing is settled, and the lease runs out.
                if attempt.abandonment is None:
                    raise
            except Exception:
                # Without an outcome nothing settles it: its lease must run out, and the slot be free.
                self.forget(delivery)
                raise
            else:
                self._on_end(settlement)

    def _end_abandoned(self, attempt: RunningAttempt) -> None:
        if attempt.abandonment is Abandonment.TAKEN_AWAY:
            _logger.info("the attempt is abandoned: the task is no longer ours")
            self.forget(attempt.delivery)
        else:
            _logger.info("the attempt is handed back")
            self._on_end(Settlement(attempt.delivery, AttemptOutcome.HANDED_BACK))


def _name(delivery: Delivery) -> tuple[str, str]:
    """Name an attempt: a task may be taken again before it is settled, and tasks of one take share a token."""
    return delivery.task_id, delivery.token
