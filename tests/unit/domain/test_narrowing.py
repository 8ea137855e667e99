"""What is narrowed at run time is never wider than what is declared."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.narrowing import Narrowing, check_narrowing
from captchad.domain.target import Target

counts = st.integers(1, 1000)
days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
narrowings = st.builds(Narrowing, st.none() | days, st.none() | counts, st.none() | counts)
targets = st.builds(
    Target, st.just("a.example"), expires=st.none() | days, max_per_minute=counts, max_concurrent=counts
)


@given(target=targets, narrowing=narrowings)
def test_of_each_limit_the_narrower_one_counts(target: Target, narrowing: Narrowing) -> None:
    now = narrowing.apply(target)
    assert now.max_per_minute == min(target.max_per_minute, narrowing.max_per_minute or 1000)
    assert now.max_concurrent == min(target.max_concurrent, narrowing.max_concurrent or 1000)
    stated = [day for day in (target.expires, narrowing.expires) if day is not None]
    assert now.expires == min(stated, default=None)


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        (Narrowing(expires=date(2027, 1, 1)), "expires"),
        (Narrowing(max_per_minute=61), "max_per_minute"),
        (Narrowing(max_concurrent=5), "max_concurrent"),
    ],
)
def test_widening_is_refused(wanted: Narrowing, word: str) -> None:
    declared = Target("a.example", expires=date(2026, 12, 31))
    with pytest.raises(TargetNotAllowed, match=rf"{word} .* is wider than the .*security\.targets"):
        check_narrowing(declared, wanted)
    check_narrowing(declared, Narrowing(date(2026, 12, 31), 60, 4))
