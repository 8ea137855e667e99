"""Decides which open tab serves the next page, which ones go and how many are made ready; no I/O happens here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class TabOwner(NamedTuple):
    """Whose tab it is: it may be reused for the same API key and the same declared target only."""

    key_id: str | None
    target: str


@dataclass(frozen=True, slots=True)
class TabView:
    """What the decision needs to know of one tab that waits; `owner` is None for one that was never used."""

    number: int
    browser: int
    owner: TabOwner | None
    idle_seconds: float
    pages_served: int
    is_usable: bool


@dataclass(frozen=True, slots=True)
class TabLimits:
    """How long and how often a tab is reused, and how many wait."""

    pages: int = 200
    idle_seconds: float = 120.0
    parked: int = 16
    ready: int = 4


@dataclass(frozen=True, slots=True)
class TabPlan:
    """Which tab to use (None: open one), and which to close now."""

    use: int | None
    close: tuple[int, ...]


def plan_tab(
    tabs: Iterable[TabView], limits: TabLimits, browser: int | None = None, owner: TabOwner | None = None
) -> TabPlan:
    """Choose a tab of `browser` for `owner`: one of its own before an unused one; without an owner, an unused one.

    Without a browser nothing is chosen, and the plan only names what has to be closed.
    """
    known = list(tabs)
    gone = {tab.number for tab in known if not tab.is_usable or _is_due_for_recycling(tab, limits)}
    # The latest used first: the tabs beyond the limit are those idle the longest.
    parked = sorted((tab for tab in known if tab.owner and tab.number not in gone), key=lambda tab: tab.idle_seconds)
    fitting = [tab for tab in known if tab.number not in gone and tab.browser == browser and tab.owner in (owner, None)]
    chosen = min(fitting, key=lambda tab: (tab.owner is None, tab.idle_seconds, tab.number), default=None)
    use = None if chosen is None else chosen.number
    gone |= {tab.number for tab in parked[limits.parked :] if tab.number != use}
    return TabPlan(use, tuple(sorted(gone)))


def _is_due_for_recycling(tab: TabView, limits: TabLimits) -> bool:
    # An unused tab does not age: nothing has run in it.
    return tab.owner is not None and (tab.pages_served >= limits.pages or tab.idle_seconds >= limits.idle_seconds)


def count_missing(tabs: Iterable[TabView], limits: TabLimits, browser: int, wanted: int) -> int:
    """Return how many fresh tabs of `browser` to open, so that `wanted`, but no more than the limit, are ready."""
    ready = sum(1 for tab in tabs if tab.owner is None and tab.is_usable and tab.browser == browser)
    return max(0, min(wanted, limits.ready) - ready)
