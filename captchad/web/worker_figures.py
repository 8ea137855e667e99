"""The figures of a worker that both the API and the monitor's page show, under the same names."""

from captchad.domain.role_figures import WorkerFigures


def represent_worker_figures(figures: WorkerFigures) -> dict[str, int | str | None]:
    """Return the figures as JSON members; null where the worker has not reported one."""
    browser = figures.browser
    return {
        "slots": figures.slots,
        "busy": figures.busy,
        "browser_version": browser.browser_version,
        "pages_served": browser.pages_served,
        "rss_bytes": browser.rss_bytes,
        "recycled": browser.recycled,
        "tasks_done": figures.tasks_done,
        "tasks_failed": figures.tasks_failed,
    }
