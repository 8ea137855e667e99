"""What shows after a form was sent decides whether the answer was right."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.forms.verdict import (
    BUSY_SECONDS,
    PATIENCE_SECONDS,
    QUIET_SECONDS,
    UNMOVED_SECONDS,
    ConditionKind,
    Judge,
    Sighting,
    Stillness,
    Verdict,
    read_condition,
)
from captchad.domain.page import Fill

BOTH = Fill("#code", success="#welcome", failure=".error")
SUCCESS_ONLY = Fill("#code", success="#welcome")
FAILURE_ONLY = Fill("#code", failure=".error")
NEITHER = Fill("#code")
ALL = Fill("#code", success="#welcome", failure=".error", rejected=".rejected")
NOTHING = Sighting()
SUCCESS, FAILURE = Sighting(success=frozenset({"page 2"})), Sighting(failure=frozenset({"page 2"}))
REJECTED = Sighting(rejected=frozenset({"page 2"}))
MOVING = Stillness(is_loaded=True, is_leaving=False, has_requests=False, has_moved=True, quiet_seconds=0.0)
SETTLED = Stillness(is_loaded=True, is_leaving=False, has_requests=False, has_moved=True, quiet_seconds=QUIET_SECONDS)
LONG_SETTLED = Stillness(
    is_loaded=True, is_leaving=False, has_requests=False, has_moved=True, quiet_seconds=PATIENCE_SECONDS
)


def judge(
    fill: Fill,
    after: Sighting,
    stillness: Stillness = MOVING,
    before: Sighting = NOTHING,
    *,
    is_error_page: bool = False,
) -> Verdict | None:
    return Judge(fill, before, before).judge(after, stillness, is_error_page=is_error_page)


@pytest.mark.parametrize("fill", [BOTH, SUCCESS_ONLY])
def test_success_that_shows_is_right_at_once(fill: Fill) -> None:
    assert judge(fill, SUCCESS) is Verdict.RIGHT


@pytest.mark.parametrize("fill", [BOTH, FAILURE_ONLY])
def test_failure_that_shows_is_wrong_at_once(fill: Fill) -> None:
    assert judge(fill, FAILURE) is Verdict.WRONG


def test_failure_outweighs_success() -> None:
    assert judge(BOTH, Sighting(success=frozenset({"a"}), failure=frozenset({"a"}))) is Verdict.WRONG


def test_rejection_outweighs_failure_and_success() -> None:
    everywhere = frozenset({"a"})
    assert judge(ALL, Sighting(everywhere, everywhere, everywhere)) is Verdict.REJECTED
    assert judge(ALL, REJECTED) is Verdict.REJECTED


def test_a_rejection_that_showed_before_anything_was_typed_says_nothing_of_the_answer() -> None:
    assert judge(ALL, REJECTED, MOVING, before=REJECTED) is None
    assert judge(replace(ALL, failure=None), REJECTED, SETTLED, before=REJECTED) is Verdict.WRONG
    assert Judge(ALL, NOTHING, REJECTED).judge(REJECTED, SETTLED, is_error_page=False) is Verdict.REJECTED


@pytest.mark.parametrize(
    ("fill", "verdict"),
    [(SUCCESS_ONLY, Verdict.WRONG), (FAILURE_ONLY, Verdict.RIGHT), (NEITHER, Verdict.UNKNOWN), (BOTH, None)],
)
def test_an_absent_rejection_changes_nothing(fill: Fill, verdict: Verdict | None) -> None:
    assert judge(replace(fill, rejected=".rejected"), NOTHING, SETTLED) is verdict


@pytest.mark.parametrize("fill", [BOTH, SUCCESS_ONLY, FAILURE_ONLY, NEITHER])
def test_nothing_is_decided_while_the_page_moves(fill: Fill) -> None:
    assert judge(fill, NOTHING) is None


@pytest.mark.parametrize(
    ("fill", "stillness", "verdict"),
    [
        (SUCCESS_ONLY, SETTLED, Verdict.WRONG),
        (FAILURE_ONLY, SETTLED, Verdict.RIGHT),
        (NEITHER, SETTLED, Verdict.UNKNOWN),
        (BOTH, SETTLED, None),
        (BOTH, LONG_SETTLED, Verdict.UNKNOWN),
    ],
)
def test_a_settled_page_that_shows_neither(fill: Fill, stillness: Stillness, verdict: Verdict | None) -> None:
    assert judge(fill, NOTHING, stillness) is verdict


def test_an_error_page_without_the_failure_proves_nothing() -> None:
    assert judge(FAILURE_ONLY, NOTHING, SETTLED, is_error_page=True) is Verdict.UNKNOWN


def test_what_showed_before_says_nothing_until_the_page_has_settled() -> None:
    assert judge(BOTH, FAILURE, MOVING, before=FAILURE) is None
    assert judge(BOTH, FAILURE, SETTLED, before=FAILURE) is Verdict.WRONG
    assert judge(SUCCESS_ONLY, SUCCESS, SETTLED, before=SUCCESS) is Verdict.WRONG


def test_what_went_away_and_came_back_counts_again() -> None:
    judging = Judge(BOTH, FAILURE, FAILURE)
    assert judging.judge(NOTHING, MOVING, is_error_page=False) is None
    assert judging.judge(FAILURE, MOVING, is_error_page=False) is Verdict.WRONG


def test_the_same_in_another_document_counts() -> None:
    assert judge(BOTH, Sighting(failure=frozenset({"page 3"})), before=FAILURE) is Verdict.WRONG


def test_a_form_that_answers_while_one_types_is_believed_once_it_has_settled() -> None:
    judging = Judge(SUCCESS_ONLY, NOTHING, SUCCESS)
    assert judging.judge(SUCCESS, MOVING, is_error_page=False) is None
    assert judging.judge(SUCCESS, SETTLED, is_error_page=False) is Verdict.RIGHT


@pytest.mark.parametrize(
    ("stillness", "needed_seconds"),
    [
        ((True, False, False, True), QUIET_SECONDS),
        ((True, False, False, False), UNMOVED_SECONDS),
        ((True, False, True, True), BUSY_SECONDS),
        ((False, False, False, True), BUSY_SECONDS),
        ((True, True, True, True), float("inf")),
    ],
)
def test_a_page_settles_after(stillness: tuple[bool, bool, bool, bool], needed_seconds: float) -> None:
    assert not Stillness(*stillness, quiet_seconds=min(needed_seconds, 1e6) - 0.01).is_settled
    assert Stillness(*stillness, quiet_seconds=needed_seconds).is_settled is (needed_seconds < 1e6)


@pytest.mark.parametrize(
    ("pattern", "url", "is_meant"),
    [
        ("url:https://a.example/in", "https://a.example/in", True),
        ("url:https://a.example/in", "https://a.example/in/2", False),
        ("url:*/in", "https://a.example/x/in", True),
        ("url:*/in?ok=*", "https://a.example/in?ok=1&b=2", True),
        ("url:*/in?ok=*", "https://a.example/inXok=1", False),
        ("url:/in*", "https://a.example/in/2?x=1", True),
        ("url:/in", "https://a.example/in?x=1", False),
        ("url:/in", "https://a.example/IN", False),
        ("url:/", "https://a.example", True),
        ("url:*[x]*", "https://a.example/?q=[x]", True),
    ],
)
def test_an_address_is_meant_by(pattern: str, url: str, is_meant: bool) -> None:
    condition = read_condition(pattern)
    assert condition is not None
    assert condition.matches_url(url) is is_meant


@given(st.text("ab/?", max_size=12), st.text("ab/?*", max_size=6))
def test_an_address_matches_as_its_pattern_says(url: str, pattern: str) -> None:
    condition = read_condition(f"url:x{pattern}")
    assert condition is not None
    expected = re.fullmatch(".*".join(re.escape(part) for part in f"x{pattern}".split("*")), f"x{url}", re.DOTALL)
    assert condition.matches_url(f"x{url}") is (expected is not None)


def test_texts_are_compared_without_case_and_white_space() -> None:
    condition = read_condition("text: Well  Done")
    assert condition is not None
    assert condition.matches_text("WELL\ndone, Ada")
    assert not condition.matches_text("well, done")


def test_other_conditions_are_css() -> None:
    condition = read_condition("a:not(.url)")
    assert condition is not None
    assert (condition.kind, condition.value) == (ConditionKind.CSS, "a:not(.url)")
    assert read_condition(None) is None
