"""When deferred tasks are released: never sooner and never faster than the limit allows."""

from hypothesis import given
from hypothesis import strategies as st

from captchad.broker.target_limits import MINUTE_MS, SHORTEST_PACE_MS, SLOT_WAIT_MS, plan_refusal

VISITS = st.integers(1, 10**9)
WAITS_MS = st.integers(0, 3_600_000)
JITTERS = st.floats(0.5, 1.0)


@given(st.sampled_from(["rate", "closed"]), WAITS_MS, VISITS, JITTERS)
def test_a_deferral_lasts_as_long_as_is_known(reason: str, wait_ms: int, visits: int, jitter: float) -> None:
    refusal = plan_refusal("rate" if reason == "rate" else "closed", wait_ms, visits, jitter)
    assert refusal.reason == reason
    assert refusal.deferral.delay_ms >= max(1, wait_ms)


@given(WAITS_MS, VISITS, JITTERS)
def test_deferred_tasks_are_released_no_faster_than_the_rate_allows_and_never_spin(
    wait_ms: int, visits: int, jitter: float
) -> None:
    pace_ms = plan_refusal("rate", wait_ms, visits, jitter).deferral.pace_ms
    assert pace_ms >= SHORTEST_PACE_MS
    assert pace_ms * visits >= MINUTE_MS
    assert pace_ms <= max(SHORTEST_PACE_MS, MINUTE_MS)


@given(WAITS_MS, VISITS, JITTERS)
def test_a_slot_is_tried_for_again_within_a_second_whatever_the_rate(wait_ms: int, visits: int, jitter: float) -> None:
    deferral = plan_refusal("concurrency", wait_ms, visits, jitter).deferral
    assert SLOT_WAIT_MS // 2 <= deferral.delay_ms == deferral.pace_ms <= SLOT_WAIT_MS
