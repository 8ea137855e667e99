"""Which of several readings is believed, and how far."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.ensemble import EnsembleEngine, choose_recognition

READINGS = st.lists(
    st.builds(Recognition, st.sampled_from(["", "ab", "AB", "cd"]), st.floats(0, 1), st.sampled_from(["a", "b"])),
    min_size=1,
    max_size=5,
)


@given(READINGS, st.sampled_from([None, True, False]))
def test_the_surest_text_is_taken_and_never_made_surer(readings: list[Recognition], case: bool | None) -> None:
    chosen = choose_recognition(readings, Hints(case_sensitive=case))
    given = [one for one in readings if (one.text, one.recogniser) == (chosen.text, chosen.recogniser)]
    assert given
    assert chosen.confidence <= max(one.confidence for one in given)
    assert chosen.text or not any(one.text for one in readings)
    assert all(one.confidence <= max(two.confidence for two in given) for one in readings if one.text)


@pytest.mark.parametrize(
    ("case", "confidence"),
    [(None, pytest.approx(0.9 / 1.7, abs=1e-4)), (True, pytest.approx(0.9 / 1.7, abs=1e-4)), (False, 0.9)],
)
def test_texts_that_exclude_each_other_lower_the_confidence(case: bool | None, confidence: float) -> None:
    readings = [Recognition("ab", 0.9, "a"), Recognition("AB", 0.8, "b")]
    chosen = choose_recognition(readings, Hints(case_sensitive=case))
    assert (chosen.text, chosen.recogniser) == ("ab", "a")
    assert chosen.confidence == confidence


def test_agreement_and_small_doubts_leave_the_confidence_alone() -> None:
    readings = [Recognition("ab", 0.7, "a"), Recognition("ab", 0.6, "b"), Recognition("cd", 0.2, "c")]
    assert choose_recognition(readings, Hints()) == readings[0]


def test_of_equal_confidence_the_first_is_taken_and_any_text_before_none() -> None:
    assert choose_recognition([Recognition("ab", 0.5, "a"), Recognition("cd", 0.5, "b")], Hints()).text == "ab"
    assert choose_recognition([Recognition("", 0.0, "a"), Recognition("cd", 0.0, "b")], Hints()).text == "cd"


def test_an_ensemble_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="member"):
        EnsembleEngine([])
