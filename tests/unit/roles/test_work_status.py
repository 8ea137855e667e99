from captchad.domain.role_figures import RoleFigures, SchedulerFigures, WorkerFigures
from captchad.roles.work_status import WorkStatus
from captchad.runtime.clock import Clock


class SetClock(Clock):
    """A clock that stands where it is put."""

    seconds = 100.0

    def monotonic_seconds(self) -> float:
        return self.seconds


def test_a_workers_rate_is_that_since_it_was_last_asked() -> None:
    clock = SetClock()
    figures = WorkerFigures(slots=4, busy=1, tasks_done=0, tasks_failed=0)
    status = WorkStatus(lambda: figures, clock)
    clock.seconds += 30
    figures = WorkerFigures(slots=4, busy=3, tasks_done=5, tasks_failed=1)
    assert status.describe() == "3 of 4 slots busy, 12.0 tasks a minute, 6 since the start"
    clock.seconds += 30
    assert status.describe() == "3 of 4 slots busy, 0.0 tasks a minute, 6 since the start"


def test_at_once_after_the_start_there_is_no_rate() -> None:
    status = WorkStatus(WorkerFigures, SetClock())
    assert status.describe() == "0 of 0 slots busy, 0.0 tasks a minute, 0 since the start"


def test_others_say_what_there_is_to_say() -> None:
    figures: list[RoleFigures | None] = [SchedulerFigures(is_active=True), SchedulerFigures(is_active=False), None]
    words = [WorkStatus(lambda one=one: one, SetClock()).describe() for one in figures]  # type: ignore[misc]
    assert words == ["active", "standing by", "serving"]
