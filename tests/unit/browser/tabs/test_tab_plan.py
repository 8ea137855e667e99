from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.tabs.tab_plan import TabLimits, TabOwner, TabPlan, TabView, count_missing, plan_tab

LIMITS = TabLimits(pages=10, idle_seconds=60, parked=3, ready=2)
OWNERS = st.builds(TabOwner, st.sampled_from([None, "key", "other"]), st.sampled_from(["a.localhost", "b.localhost"]))
TABS = st.lists(
    st.builds(
        TabView,
        number=st.integers(0, 50),
        browser=st.integers(1, 2),
        owner=st.none() | OWNERS,
        idle_seconds=st.floats(0, 100),
        pages_served=st.integers(0, 15),
        is_usable=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda tab: tab.number,
)
MINE = TabOwner("key", "a.localhost")


def make_tab(number: int, owner: TabOwner | None = None, **changes: object) -> TabView:
    facts = {"browser": 1, "idle_seconds": 0.0, "pages_served": 0, "is_usable": True} | changes
    return TabView(number, owner=owner, **facts)  # type: ignore[arg-type]


@given(TABS, st.integers(1, 2), st.none() | OWNERS)
def test_nobody_is_given_the_tab_of_another(tabs: list[TabView], browser: int, owner: TabOwner | None) -> None:
    plan = plan_tab(tabs, LIMITS, browser, owner)
    if plan.use is not None:
        (used,) = (tab for tab in tabs if tab.number == plan.use)
        assert used.owner is None or used.owner == owner
        assert used.browser == browser
        assert used.is_usable
        assert plan.use not in plan.close


@given(TABS, st.integers(1, 2), st.none() | OWNERS)
def test_a_fitting_tab_is_never_passed_over(tabs: list[TabView], browser: int, owner: TabOwner | None) -> None:
    plan = plan_tab(tabs, LIMITS, browser, owner)
    left = [tab for tab in tabs if tab.number not in plan.close and tab.browser == browser]
    assert (plan.use is None) == (not any(tab.owner in (owner, None) for tab in left))


@given(TABS)
def test_what_is_dead_or_due_for_recycling_goes_and_few_others_stay_parked(tabs: list[TabView]) -> None:
    plan = plan_tab(tabs, LIMITS)
    assert plan.use is None
    left = [tab for tab in tabs if tab.number not in plan.close]
    assert all(tab.is_usable for tab in left)
    parked = [tab for tab in left if tab.owner is not None]
    assert len(parked) <= LIMITS.parked
    assert all(tab.pages_served < LIMITS.pages and tab.idle_seconds < LIMITS.idle_seconds for tab in parked)


@given(TABS, st.integers(0, 9))
def test_as_many_are_made_ready_as_are_wanted_and_allowed(tabs: list[TabView], wanted: int) -> None:
    missing = count_missing(tabs, LIMITS, 1, wanted)
    ready = [tab for tab in tabs if tab.browser == 1 and tab.owner is None and tab.is_usable]
    assert len(ready) + missing >= min(wanted, LIMITS.ready)
    assert missing == 0 or len(ready) + missing <= LIMITS.ready


def test_an_own_tab_comes_before_a_fresh_one_and_the_latest_before_older_ones() -> None:
    tabs = [make_tab(1), make_tab(2, MINE, idle_seconds=9.0), make_tab(3, MINE, idle_seconds=1.0)]
    assert plan_tab(tabs, LIMITS, 1, MINE) == TabPlan(3, ())
    assert plan_tab(tabs, LIMITS, 1, TabOwner("other", "a.localhost")) == TabPlan(1, ())
    assert plan_tab(tabs, LIMITS, 1, None) == TabPlan(1, ())
    assert plan_tab(tabs[1:], LIMITS, 1, None) == TabPlan(None, ())
