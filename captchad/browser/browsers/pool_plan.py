"""Decides which browser serves the next page and which ones go; no I/O happens here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# More pages in one browser slow each other down; further ones go to another browser.
SLOTS = 32


@dataclass(frozen=True, slots=True)
class BrowserView:
    """What the decision needs to know of one browser; `luck` is drawn once for each, from 0 to below 1."""

    number: int
    age_seconds: float
    pages_served: int
    busy_pages: int
    memory_bytes: int
    is_alive: bool
    is_retired: bool
    luck: float = 0.0


@dataclass(frozen=True, slots=True)
class RecycleLimits:
    """When a browser has served long enough; reaching any limit retires it.

    Each browser's limits are lower by up to the share `jitter`, by its luck, so that a fleet that started together
    does not recycle together. `slots` is how many pages one browser may have open at a time.
    """

    pages: int
    age_seconds: float
    memory_bytes: int
    jitter: float = 0.0
    slots: int = SLOTS


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """Which browser to use (None: launch one), which take no further page, and which to close now."""

    use: int | None
    retire: tuple[int, ...]
    close: tuple[int, ...]


def plan_pool(browsers: Iterable[BrowserView], limits: RecycleLimits) -> PoolPlan:
    """Plan one step: a retired browser finishes its pages before it is closed, a dead one goes at once."""
    known = sorted(browsers, key=lambda browser: browser.number)
    retired = {b.number for b in known if b.is_retired or is_due_for_recycling(b, limits)}
    # A second browser, launched for a peak, goes when the peak is over.
    retired |= _find_surplus([b for b in known if b.is_alive and b.number not in retired], limits)
    newly_retired = tuple(b.number for b in known if b.number in retired and not b.is_retired)
    # A dead browser is closed too: that ends what is left of its processes and frees its files.
    closing = tuple(b.number for b in known if not b.is_alive or (b.number in retired and b.busy_pages == 0))
    usable = [b for b in known if b.is_alive and b.number not in retired and b.busy_pages < limits.slots]
    chosen = min(usable, key=lambda browser: (browser.busy_pages, browser.number), default=None)
    return PoolPlan(None if chosen is None else chosen.number, newly_retired, closing)


def is_due_for_recycling(browser: BrowserView, limits: RecycleLimits) -> bool:
    """Whether a browser has reached one of its own limits."""
    share = 1 - limits.jitter * browser.luck
    return (
        browser.pages_served >= limits.pages * share
        or browser.age_seconds >= limits.age_seconds * share
        or browser.memory_bytes >= limits.memory_bytes * share
    )


def _find_surplus(usable: Sequence[BrowserView], limits: RecycleLimits) -> set[int]:
    """Return the newest idle browser if all the others would be at most half full without it."""
    idle = [browser.number for browser in usable if browser.busy_pages == 0]
    busy_pages = sum(browser.busy_pages for browser in usable)
    # Half full, not full: closing at the limit would launch another one for the next page.
    is_needed = busy_pages * 2 > limits.slots * (len(usable) - 1)
    return set() if is_needed or len(usable) == 1 or not idle else {idle[-1]}
