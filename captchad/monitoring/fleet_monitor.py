"""Keeps the newest view of the fleet for all who watch it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from captchad.domain.errors import BrokerUnavailable
from captchad.monitoring.alert_durations import LastingAlerts
from captchad.monitoring.alerts import Alert, AlertThresholds, evaluate_alerts
from captchad.monitoring.fleet import FleetReader, FleetSnapshot
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service, ServiceHealth

_logger = logging.getLogger(__name__)

WATCHED_INTERVAL_SECONDS = 1.0
UNWATCHED_INTERVAL_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class FleetView:
    """The last known snapshot and what is wrong; `broker_failure` says why it is not newer, else it is empty."""

    number: int
    snapshot: FleetSnapshot | None
    taken_seconds: float
    broker_failure: str
    alerts: tuple[Alert, ...]


class FleetMonitor(Service):
    """Reads the fleet once for all watchers: every second while there are any, less often otherwise.

    Unwatched, it still reads, so that the log has every alert's start and end. `thresholds` returns those in force.
    """

    name = "fleet"

    def __init__(self, reader: FleetReader, thresholds: Callable[[], AlertThresholds], clock: Clock) -> None:
        self._reader = reader
        self._lasting = LastingAlerts()
        self._thresholds = thresholds
        self._clock = clock
        self._watchers = 0
        self._is_closing = False
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._reading = asyncio.Lock()
        self._view = FleetView(0, None, clock.monotonic_seconds(), "not read yet", ())
        self._read_seconds: float | None = None

    @property
    def view(self) -> FleetView:
        """The newest view."""
        return self._view

    @property
    def thresholds(self) -> AlertThresholds:
        """The values from which alerts fire now."""
        return self._thresholds()

    @property
    def is_closing(self) -> bool:
        """Whether watchers should leave."""
        return self._is_closing

    def age_seconds(self) -> float:
        """How old the snapshot in the newest view is."""
        return max(0.0, self._clock.monotonic_seconds() - self._view.taken_seconds)

    def health(self) -> ServiceHealth:
        """Ready whether or not Redis answers: the page's task then is to say so."""
        return ServiceHealth(is_ready=True, details={"watchers": self._watchers, "views": self._view.number})

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            self._wake.clear()
            await self.refresh(max_age_seconds=0.0)
            pause_seconds = WATCHED_INTERVAL_SECONDS if self._watchers else UNWATCHED_INTERVAL_SECONDS
            try:
                await asyncio.wait_for(self._wake.wait(), pause_seconds)
            except TimeoutError:
                continue

    async def drain(self) -> None:
        """Release all watchers."""
        self.release_watchers()

    def release_watchers(self) -> None:
        """End all waiting; no new view follows."""
        self._is_closing = True
        self._announce()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Refresh each second, with recent tasks, while inside."""
        self._watchers += 1
        if self._watchers == 1:
            self._wake.set()
        try:
            yield
        finally:
            self._watchers -= 1

    async def wait_newer(self, number: int, timeout_seconds: float) -> FleetView:
        """Return the newest view once it is newer than `number`; the present one after the timeout or at the end."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while self._view.number <= number and not self._is_closing:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self._view

    async def refresh(self, max_age_seconds: float) -> FleetView:
        """Return a view not older than that; those who ask at the same time share one reading."""
        async with self._reading:
            if not self._is_fresh(max_age_seconds):
                await self._read()
            return self._view

    def _is_fresh(self, max_age_seconds: float) -> bool:
        if self._read_seconds is None or self._clock.monotonic_seconds() - self._read_seconds >= max_age_seconds:
            return False
        # A view that was read while nobody watched has no tasks to show.
        lacks_tasks = self._view.snapshot is None or self._view.snapshot.tasks is None
        return not (self._watchers and lacks_tasks and not self._view.broker_failure)

    async def _read(self) -> None:
        snapshot, taken, failure = self._view.snapshot, self._view.taken_seconds, ""
        try:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                snapshot = await self._reader.read(with_tasks=self._watchers > 0)
            taken = self._clock.monotonic_seconds()
        except BrokerUnavailable as error:
            # The last snapshot stays: the page shows it greyed, with its age.
            failure = error.message
        except TimeoutError:
            failure = f"Redis did not answer within {READ_TIMEOUT_SECONDS:.0f} s"
        found = evaluate_alerts(snapshot, failure, self._thresholds())
        alerts = self._lasting.sift(found, self._clock.monotonic_seconds())
        self._log_changes(self._view.alerts, alerts)
        self._view = FleetView(self._view.number + 1, snapshot, taken, failure, alerts)
        self._read_seconds = self._clock.monotonic_seconds()
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _log_changes(self, before: tuple[Alert, ...], after: tuple[Alert, ...]) -> None:
        old, new = {alert.key for alert in before}, {alert.key for alert in after}
        for alert in after:
            if alert.key not in old:
                _logger.warning("alert %s: %s %s", alert.name, alert.summary, alert.advice)
        for name, subject in sorted(old - new):
            _logger.info("alert %s is resolved%s", name, f" on {subject}" if subject else "")
