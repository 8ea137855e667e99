from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.browsers.pool_plan import BrowserView, PoolPlan, RecycleLimits, is_due_for_recycling, plan_pool

LIMITS = RecycleLimits(pages=100, age_seconds=3600, memory_bytes=1000)
VIEWS = st.lists(
    st.builds(
        BrowserView,
        number=st.integers(0, 50),
        age_seconds=st.floats(0, 5000),
        pages_served=st.integers(0, 150),
        busy_pages=st.integers(0, 8),
        memory_bytes=st.integers(0, 1500),
        is_alive=st.booleans(),
        is_retired=st.booleans(),
        luck=st.floats(0, 1, exclude_max=True),
    ),
    max_size=6,
    unique_by=lambda view: view.number,
)


def make_view(number: int = 1, **changes: object) -> BrowserView:
    facts = {"age_seconds": 0, "pages_served": 0, "busy_pages": 0, "memory_bytes": 0}
    return BrowserView(number, **(facts | {"is_alive": True, "is_retired": False} | changes))  # type: ignore[arg-type]


@given(VIEWS)
def test_a_browser_in_use_is_alive_unworn_and_stays(views: list[BrowserView]) -> None:
    plan = plan_pool(views, LIMITS)
    by_number = {view.number: view for view in views}
    if plan.use is not None:
        used = by_number[plan.use]
        assert used.is_alive
        assert not used.is_retired
        assert used.pages_served < LIMITS.pages
        assert used.age_seconds < LIMITS.age_seconds
        assert used.memory_bytes < LIMITS.memory_bytes
        assert plan.use not in plan.close
        assert plan.use not in plan.retire


@given(VIEWS)
def test_a_living_browser_is_never_closed_under_its_pages(views: list[BrowserView]) -> None:
    plan = plan_pool(views, LIMITS)
    for view in views:
        if view.number in plan.close:
            assert not view.is_alive or view.busy_pages == 0
        if not view.is_alive:
            assert view.number in plan.close
        if view.is_retired:
            assert view.number not in plan.retire


@given(VIEWS)
def test_without_a_browser_to_use_none_is_usable(views: list[BrowserView]) -> None:
    plan = plan_pool(views, LIMITS)
    gone = set(plan.retire) | set(plan.close)
    left = [view for view in views if view.number not in gone and not view.is_retired]
    assert (plan.use is None) == (not left)


def test_the_least_busy_browser_serves() -> None:
    views = [make_view(1, busy_pages=3), make_view(2, busy_pages=1), make_view(3, busy_pages=1)]
    assert plan_pool(views, LIMITS) == PoolPlan(use=2, retire=(), close=())


def test_a_browser_due_for_recycling_finishes_its_pages_first() -> None:
    for over in ({"pages_served": 100}, {"age_seconds": 3600}, {"memory_bytes": 1000}):
        assert plan_pool([make_view(busy_pages=1, **over)], LIMITS) == PoolPlan(None, (1,), ())
        assert plan_pool([make_view(busy_pages=1, is_retired=True, **over)], LIMITS) == PoolPlan(None, (), ())
        assert plan_pool([make_view(busy_pages=0, is_retired=True, **over)], LIMITS) == PoolPlan(None, (), (1,))


def test_a_dead_browser_goes_at_once() -> None:
    assert plan_pool([make_view(busy_pages=4, is_alive=False)], LIMITS) == PoolPlan(None, (), (1,))


@given(VIEWS)
def test_a_browser_has_no_more_pages_than_slots(views: list[BrowserView]) -> None:
    limits = RecycleLimits(LIMITS.pages, LIMITS.age_seconds, LIMITS.memory_bytes, slots=3)
    plan = plan_pool(views, limits)
    assert all(view.busy_pages < limits.slots for view in views if view.number == plan.use)


@given(VIEWS)
def test_planning_again_after_the_plan_changes_nothing_more(views: list[BrowserView]) -> None:
    plan = plan_pool(views, LIMITS)
    left = [
        BrowserView(v.number, v.age_seconds, v.pages_served, v.busy_pages, v.memory_bytes, v.is_alive, is_retired=True)
        if v.number in plan.retire
        else v
        for v in views
        if v.number not in plan.close
    ]
    again = plan_pool(left, LIMITS)
    # Of several idle browsers too many, one goes at a time.
    assert len(again.close) <= 1
    assert (again.use is None) == (plan.use is None)


@given(VIEWS, st.floats(0, 1))
def test_jitter_only_ever_shortens_a_life(views: list[BrowserView], jitter: float) -> None:
    jittery = RecycleLimits(LIMITS.pages, LIMITS.age_seconds, LIMITS.memory_bytes, jitter)
    for view in views:
        assert is_due_for_recycling(view, jittery) or not is_due_for_recycling(view, LIMITS)


def test_browsers_started_together_are_recycled_apart() -> None:
    limits = RecycleLimits(pages=100, age_seconds=3600, memory_bytes=1000, jitter=0.2)
    assert not is_due_for_recycling(make_view(pages_served=90, luck=0.1), limits)
    assert is_due_for_recycling(make_view(pages_served=90, luck=0.9), limits)


def test_a_second_browser_goes_when_the_first_would_be_half_empty_without_it() -> None:
    limits = RecycleLimits(pages=100, age_seconds=3600, memory_bytes=1000, slots=4)
    full = [make_view(1, busy_pages=4), make_view(2)]
    assert plan_pool(full, limits) == PoolPlan(2, (), ())
    half_full = [make_view(1, busy_pages=2), make_view(2)]
    assert plan_pool(half_full, limits) == PoolPlan(1, (2,), (2,))
