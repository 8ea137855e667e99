"""Starts a role's services in order, begins one anew that fails, and stops them in reverse."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence

from captchad.domain.errors import CaptchadError, ConfigurationError, DependencyMissing
from captchad.domain.exit_codes import EXIT_DONE, EXIT_FAILED
from captchad.runtime.notify import notify_systemd, watchdog_interval_seconds
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

_logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_SECONDS = 10.0
READY_POLL_SECONDS = 0.02
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
STATUS_SECONDS = 5.0
WORKING_SECONDS = 15.0
"""A service that has run for so long works; longer than any pause and than most timers."""


class Supervisor:
    """Runs the services of one process from start to a clean end.

    SIGTERM and SIGINT drain and end it, SIGHUP calls `on_reload`. `drain_seconds` bounds the draining of all
    services together. `on_failure` is told the name of a service that failed and is begun anew. `describe_work` says
    in a few words what the process does now, for systemd's status.
    """

    def __init__(
        self,
        role: str,
        drain_seconds: float,
        on_reload: Callable[[], Awaitable[None]] | None = None,
        on_failure: Callable[[str], None] | None = None,
        describe_work: Callable[[], str] = str,
    ) -> None:
        self._role = role
        self._describe_work = describe_work
        self._drain_seconds = drain_seconds
        self._on_reload = on_reload
        self._on_failure = on_failure
        self._reasons: dict[str, str] = {}
        self._services: list[Service] = []
        self._started: list[Service] = []
        self._is_ready = False
        self._is_draining = False
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._work = TaskSet(role, self._fail)
        self._watchdog = TaskSet(f"{role}.watchdog")

    @property
    def is_draining(self) -> bool:
        """Whether the process is shutting down."""
        return self._is_draining

    @property
    def is_ready(self) -> bool:
        """Whether every service is started and healthy, and the process isn't ending."""
        return self._is_ready and not self._is_draining and all(h.is_ready for h in self.health().values())

    def health(self) -> dict[str, ServiceHealth]:
        """Return the health of every service by name."""
        return {service.name: self._check(service) for service in self._services}

    def _check(self, service: Service) -> ServiceHealth:
        if service not in self._started:
            return ServiceHealth(is_ready=False, reason="not started")
        health, reason = service.health(), self._reasons.get(service.name)
        return health if reason is None else ServiceHealth(is_ready=False, reason=reason, details=health.details)

    async def run(self, services: Sequence[Service]) -> int:
        """Run `services` until a signal or a failure; return the process's exit code.

        A CaptchadError is raised once everything is closed, since its message is for people.
        """
        self._services = list(services)
        self._catch_signals()
        self._start_watchdog()
        try:
            if await self._start_all():
                self._is_ready = True
                self._work.spawn(self._report_ready(), "report-ready")
                await self._stop.wait()
            await self._drain_all()
        finally:
            await self._work.cancel_all()
            await self._close_all()
            await self._watchdog.cancel_all()
        if isinstance(self._failure, CaptchadError):
            raise self._failure
        return EXIT_FAILED if self._failure is not None else EXIT_DONE

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _reload(self) -> None:
        if self._on_reload is not None:
            self._work.spawn(self._run_reload(self._on_reload), "reload")

    async def _run_reload(self, on_reload: Callable[[], Awaitable[None]]) -> None:
        try:
            await on_reload()
        except CaptchadError as error:
            _logger.error("the new configuration is rejected: %s", error.message)  # noqa: TRY400
        except Exception:
            _logger.exception("the reload failed")

    async def _start_all(self) -> bool:
        for service in self._services:
            starting = self._work.spawn(service.start(), f"{service.name}.start")
            # A start may wait for Redis for ever; a signal must end it all the same.
            stopping = self._work.spawn(self._stop.wait(), "stop")
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            # Also one that failed to start: it may hold something that has to be closed.
            self._started.append(service)
            if not starting.done() or starting.exception() is not None:
                starting.cancel()
                return False
            self._work.spawn(self._run_service(service), service.name)
        return True

    async def _run_service(self, service: Service) -> None:
        """Run a service, and begin it anew whenever it fails: one fault of one part must not end the whole role.

        What a person has to mend first, such as a refused login, ends it all the same.
        """
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            works = self._work.spawn(self._note_working(service.name), f"{service.name}.working")
            try:
                await self._run_once(service)
            except (ConfigurationError, DependencyMissing):
                raise
            except Exception as error:
                pause_seconds = self._note_failure(service.name, error, pause_seconds)
                _logger.exception("%s failed and is begun anew in %.1f s", service.name, pause_seconds)
            else:
                return
            finally:
                works.cancel()
            await asyncio.sleep(pause_seconds)

    def _note_failure(self, name: str, error: Exception, last_pause_seconds: float) -> float:
        """Count a failure and show it in the health; return the pause before the service is begun anew."""
        # Not forgotten yet: it failed again soon after it was begun anew.
        is_again = name in self._reasons
        self._reasons[name] = f"failed: {error or type(error).__name__}"
        if self._on_failure is not None:
            self._on_failure(name)
        return min(2 * last_pause_seconds, LONGEST_PAUSE_SECONDS) if is_again else FIRST_PAUSE_SECONDS

    async def _run_once(self, service: Service) -> None:
        await service.run()
        if not self._is_draining:
            raise RuntimeError(f"the service {service.name} ended by itself")

    async def _report_ready(self) -> None:
        # Some services are well only once they run, and none says when.
        while not self.is_ready:  # noqa: ASYNC110
            await asyncio.sleep(READY_POLL_SECONDS)
        notify_systemd("READY=1")
        _logger.info("%s is ready", self._role)

    def _start_watchdog(self) -> None:
        """Report from the start to the last close that the event loop turns: it may hang anywhere between."""
        interval_seconds = watchdog_interval_seconds()
        if interval_seconds is not None:
            self._watchdog.spawn(self._feed_watchdog(interval_seconds), "feed")

    async def _note_working(self, name: str) -> None:
        """Forget a service's failure once it has worked for a while since."""
        await asyncio.sleep(WORKING_SECONDS)
        if self._reasons.pop(name, None) is not None:
            _logger.info("%s works again", name)

    async def _feed_watchdog(self, interval_seconds: float) -> None:
        while True:
            notify_systemd(f"WATCHDOG=1\nSTATUS={self._describe_work()}")
            await asyncio.sleep(min(interval_seconds, STATUS_SECONDS))

    def _fail(self, error: BaseException) -> None:
        # Only the first failure counts, and none while draining.
        if self._failure is None and not self._is_draining:
            self._failure = error
        self._stop.set()

    async def _drain_all(self) -> None:
        self._is_draining = True
        # Tells systemd that the end is intended, before anything is waited for.
        notify_systemd("STOPPING=1")
        _logger.info("%s is draining", self._role)
        try:
            async with asyncio.timeout(self._drain_seconds):
                for service in reversed(self._started):
                    await service.drain()
        except TimeoutError:
            _logger.warning("still draining after %s s; handing back what is left", self._drain_seconds)

    async def _close_all(self) -> None:
        for service in reversed(self._started):
            try:
                # Each has a timeout of its own: one that hangs must not keep the others open.
                async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                    await service.close()
            except Exception:
                _logger.exception("closing %s failed", service.name)
        _logger.info("%s has stopped", self._role)
