"""How long a page is looked at."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.finding.patience import (
    ERROR_PAGE_SECONDS,
    EXPECTANT_STILL_SECONDS,
    INERT_STILL_SECONDS,
    LATEST_SECONDS,
    REVEAL_STILL_SECONDS,
    SETTLE_SECONDS,
    SLOW_LOAD_SECONDS,
    STILL_SECONDS,
    UNSUPPORTED_SECONDS,
    PageSight,
    Patience,
)

BEGIN_SECONDS = 100.0
STEP_SECONDS = 0.1
LOADED = PageSight("complete", ("1",), is_scripted=True, is_expectant=False, unsupported=None)


def scan_until_over(sight: PageSight, *, is_error_page: bool = False, changes: int = 0) -> float:
    """Return the seconds until a page without a captcha is given up, which changes at its first `changes` scans."""
    patience = Patience(is_error_page=is_error_page, is_selected=False)
    for step in range(1000):
        now_seconds = BEGIN_SECONDS + step * STEP_SECONDS
        patience.note(replace(sight, change=(str(min(step, changes)),)), now_seconds)
        if patience.is_over(now_seconds):
            return step * STEP_SECONDS
    raise AssertionError


@pytest.mark.parametrize(
    ("sight", "seconds"),
    [
        (replace(LOADED, is_scripted=False), INERT_STILL_SECONDS),
        (LOADED, STILL_SECONDS),
        (replace(LOADED, is_expectant=True), EXPECTANT_STILL_SECONDS),
        (replace(LOADED, is_expectant=True, unsupported="reCAPTCHA"), UNSUPPORTED_SECONDS),
        (replace(LOADED, is_awaited=True, unsupported="reCAPTCHA"), UNSUPPORTED_SECONDS),
        (replace(LOADED, state="interactive"), SLOW_LOAD_SECONDS + STILL_SECONDS),
    ],
)
def test_a_still_page_is_given_up_by_what_it_may_yet_bring(sight: PageSight, seconds: float) -> None:
    assert scan_until_over(sight) == pytest.approx(seconds, abs=1.5 * STEP_SECONDS)


def test_a_page_that_changes_is_scanned_longer_but_not_for_ever() -> None:
    assert scan_until_over(LOADED, changes=30) == pytest.approx(3.0 + STILL_SECONDS, abs=2 * STEP_SECONDS)
    assert scan_until_over(LOADED, changes=999) == pytest.approx(LATEST_SECONDS, abs=2 * STEP_SECONDS)


def test_a_captcha_whose_picture_is_still_loading_is_waited_for_until_it_is_there() -> None:
    patience = Patience(is_error_page=False, is_selected=False)
    for step in range(600):
        now_seconds = BEGIN_SECONDS + step * STEP_SECONDS
        patience.note(replace(LOADED, is_awaited=True, is_scripted=False), now_seconds)
        assert not patience.is_over(now_seconds)
    patience.note(replace(LOADED, is_scripted=False), now_seconds)
    assert patience.is_over(now_seconds)


def test_an_error_page_is_given_up_soon() -> None:
    assert scan_until_over(LOADED, is_error_page=True) <= ERROR_PAGE_SECONDS + STEP_SECONDS


def test_with_a_selector_nothing_is_given_up() -> None:
    patience = Patience(is_error_page=True, is_selected=True)
    patience.note(LOADED, BEGIN_SECONDS)
    assert not patience.is_over(BEGIN_SECONDS + 1000)


def test_a_certain_captcha_is_taken_at_once_and_a_possible_one_after_a_while() -> None:
    patience = Patience(is_error_page=False, is_selected=False)
    patience.note(LOADED, BEGIN_SECONDS)
    assert patience.is_settled(BEGIN_SECONDS, is_certain=True)
    assert not patience.is_settled(BEGIN_SECONDS, is_certain=False)
    assert patience.is_settled(BEGIN_SECONDS + SETTLE_SECONDS, is_certain=False)


def test_a_certain_captcha_of_a_page_that_never_finishes_is_taken_after_a_while() -> None:
    patience = Patience(is_error_page=False, is_selected=False)
    patience.note(replace(LOADED, state="loading"), BEGIN_SECONDS)
    assert not patience.is_settled(BEGIN_SECONDS, is_certain=True)
    assert patience.is_settled(BEGIN_SECONDS + SETTLE_SECONDS, is_certain=True)


def test_a_click_gives_the_page_its_time_anew() -> None:
    patience = Patience(is_error_page=False, is_selected=False)
    patience.note(LOADED, BEGIN_SECONDS)
    assert patience.may_reveal(BEGIN_SECONDS + REVEAL_STILL_SECONDS + STEP_SECONDS)
    patience.begin_again(BEGIN_SECONDS + STILL_SECONDS)
    assert not patience.is_over(BEGIN_SECONDS + STILL_SECONDS)
    assert patience.is_over(BEGIN_SECONDS + 2 * STILL_SECONDS + STEP_SECONDS)


@given(
    st.sampled_from(["loading", "interactive", "complete"]),
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=40),
)
def test_before_a_page_has_loaded_nothing_is_over_and_nothing_clicked(
    state: str, scans: list[tuple[int, bool, bool]]
) -> None:
    patience = Patience(is_error_page=False, is_selected=False)
    for step, (change, is_scripted, is_expectant) in enumerate(scans):
        now_seconds = BEGIN_SECONDS + step * STEP_SECONDS
        patience.note(PageSight(state, (str(change),), is_scripted, is_expectant, None), now_seconds)
        if state != "complete":
            assert not patience.is_over(now_seconds)
            assert not patience.may_reveal(now_seconds)
