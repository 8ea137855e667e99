"""Decides which browser serves the next page and which ones go; no I/O happens here."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrowserView:
    """What the decision needs to know of one browser."""

    number: int
    age_seconds: float
    pages_served: int
    busy_pages: int
    memory_bytes: int
    is_alive: bool
    is_retired: bool


@dataclass(frozen=True, slots=True)
class RecycleLimits:
    """When a browser has served long enough; reaching any limit retires it."""

    pages: int
    age_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """Which browser to use (None: launch one), which take no further page, and which to close now."""

    use: int | None
    retire: tuple[int, ...]
    close: tuple[int, ...]


def plan_pool(browsers: Iterable[BrowserView], limits: RecycleLimits) -> PoolPlan:
    """Plan one step: a retired browser finishes its pages before it is closed, a dead one goes at once."""
    known = sorted(browsers, key=lambda browser: browser.number)
    retired = {browser.number for browser in known if browser.is_retired or _is_worn(browser, limits)}
    newly_retired = tuple(b.number for b in known if b.number in retired and not b.is_retired)
    closing = tuple(b.number for b in known if not b.is_alive or (b.number in retired and b.busy_pages == 0))
    usable = [b for b in known if b.is_alive and b.number not in retired]
    chosen = min(usable, key=lambda browser: (browser.busy_pages, browser.number), default=None)
    return PoolPlan(None if chosen is None else chosen.number, newly_retired, closing)


def _is_worn(browser: BrowserView, limits: RecycleLimits) -> bool:
    return (
        browser.pages_served >= limits.pages
        or browser.age_seconds >= limits.age_seconds
        or browser.memory_bytes >= limits.memory_bytes
    )
