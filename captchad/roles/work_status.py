"""What a role is doing, in a few words for `systemctl status`."""

from collections.abc import Callable

from captchad.domain.role_figures import RoleFigures, SchedulerFigures, WorkerFigures
from captchad.runtime.clock import Clock

SECONDS_PER_MINUTE = 60


class WorkStatus:
    """Words a role's figures; the rate is that since it was last asked."""

    def __init__(self, read: Callable[[], RoleFigures | None], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._ended_before = 0
        self._asked_seconds = clock.monotonic_seconds()

    def describe(self) -> str:
        """Return the tasks in flight and the rate of a worker, or whether a scheduler is the active one."""
        figures = self._read()
        if isinstance(figures, WorkerFigures):
            return self._describe_worker(figures)
        if isinstance(figures, SchedulerFigures):
            return "active" if figures.is_active else "standing by"
        return "serving"

    def _describe_worker(self, figures: WorkerFigures) -> str:
        ended = (figures.tasks_done or 0) + (figures.tasks_failed or 0)
        now_seconds = self._clock.monotonic_seconds()
        passed_seconds = now_seconds - self._asked_seconds
        rate = (ended - self._ended_before) * SECONDS_PER_MINUTE / passed_seconds if passed_seconds > 0 else 0.0
        self._ended_before, self._asked_seconds = ended, now_seconds
        slots = f"{figures.busy or 0} of {figures.slots or 0} slots busy"
        return f"{slots}, {rate:.1f} tasks a minute, {ended} since the start"
