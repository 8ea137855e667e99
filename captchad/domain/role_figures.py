"""What a role counts about itself; the fleet reads it in the role's reports.

A figure is None where the reporting role is of a release that does not know it. Counts are since the role's start.
"""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class BrowserFigures:
    """A worker's browsers; `rss_bytes` is the memory of all their processes."""

    browser_version: str | None = None
    browsers: int | None = None
    open_pages: int | None = None
    pages_served: int | None = None
    rss_bytes: int | None = None
    recycled: int | None = None
    crashes: int | None = None
    waiting_tabs: int | None = None
    reused_tabs: int | None = None


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """A worker: its slots and how many are in use, the attempts it has ended, and its browsers."""

    slots: int | None = None
    busy: int | None = None
    tasks_done: int | None = None
    tasks_failed: int | None = None
    browser: BrowserFigures = BrowserFigures()

    def flatten(self) -> dict[str, int | str | None]:
        """Return every figure by its name, the browsers' beside the worker's own."""
        own = asdict(self)
        del own["browser"]
        return own | asdict(self.browser)


@dataclass(frozen=True, slots=True)
class SchedulerFigures:
    """A scheduler: whether it is the one that does the maintenance jobs."""

    is_active: bool | None = None


RoleFigures = WorkerFigures | SchedulerFigures
