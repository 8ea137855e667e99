"""Case of letters: the charset decides first, then what the whole text looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.recognition import Hints
from captchad.recognition.letter_case import apply_case


def test_a_charset_of_one_case_leaves_no_doubt() -> None:
    cased = apply_case("ab3", [-9.0, -9.0, 0.0], Hints(charset="ABC123"))
    assert (cased.text, cased.confidence) == ("AB3", 1.0)


def test_digits_leave_no_doubt() -> None:
    assert apply_case("123", [0.0, 0.0, 0.0], Hints()).confidence == 1.0


def test_one_doubtful_letter_follows_the_others() -> None:
    cased = apply_case("abcd", [5.0, 4.0, -0.5, 6.0], Hints())
    assert cased.text == "ABCD"
    assert cased.confidence > 0.9


def test_clearly_mixed_cases_are_kept() -> None:
    assert apply_case("abcd", [8.0, -8.0, 8.0, -8.0], Hints()).text == "AbCd"


def test_where_case_does_not_matter_it_is_whole_and_not_doubted() -> None:
    cased = apply_case("abcd", [8.0, -8.0, 8.0, 1.0], Hints(case_sensitive=False))
    assert (cased.text, cased.confidence) == ("ABCD", 1.0)


def test_unknown_odds_leave_half_a_doubt() -> None:
    assert apply_case("ab", [0.0, 0.0], Hints()).confidence < 0.5


@given(
    st.text("abcxyz019", min_size=1, max_size=8).flatmap(
        lambda text: st.tuples(
            st.just(text), st.lists(st.floats(-50, 50), min_size=len(text), max_size=len(text)), st.booleans()
        )
    )
)
def test_only_the_case_changes_and_the_confidence_is_a_probability(drawn: tuple[str, list[float], bool]) -> None:
    text, odds, is_sensitive = drawn
    cased = apply_case(text, odds, Hints(case_sensitive=is_sensitive))
    assert cased.text.lower() == text
    assert 0 <= cased.confidence <= 1


@pytest.mark.parametrize("odds", [30.0, -30.0])
def test_extreme_odds_are_bounded(odds: float) -> None:
    assert apply_case("aaaaaaaa", [odds] * 8, Hints()).confidence == pytest.approx(1.0, abs=0.01)
