"""All figures together."""

import pytest
from hypothesis import given

from captchad.recognition.evaluation.characters import Confusion
from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, CASE_IGNORED, EvaluatedPicture
from captchad.recognition.evaluation.evaluation import choose_worst, evaluate_outcomes
from tests.unit.recognition.evaluation.drawing import MANY, make


@given(MANY)
def test_ignoring_case_never_makes_less_right(outcomes: list[EvaluatedPicture]) -> None:
    found = evaluate_outcomes("engine", outcomes, CASE_COUNTS)
    assert found.pictures == len(outcomes)
    assert found.case_counts.texts.right <= found.case_ignored.texts.right <= found.pictures
    assert found.case_counts.characters.right <= found.case_ignored.characters.right


@given(MANY)
def test_characters_are_all_right_and_nothing_is_confused_only_where_every_text_is_right(
    outcomes: list[EvaluatedPicture],
) -> None:
    for rule in (CASE_COUNTS, CASE_IGNORED):
        found = evaluate_outcomes("engine", outcomes, rule)
        accuracy = found.case_ignored if rule.is_case_ignored else found.case_counts
        is_perfect = all(map(rule.is_right, outcomes))
        assert (accuracy.texts.share == 1) == (accuracy.characters.share == 1 and not found.confusions) == is_perfect
        assert not any(confusion.truth == confusion.read for confusion in found.confusions)


@given(MANY)
def test_the_worst_are_wrong_and_the_surest_come_first(outcomes: list[EvaluatedPicture]) -> None:
    worst = choose_worst(outcomes, CASE_COUNTS, 5)
    assert all(not CASE_COUNTS.is_right(outcome) for outcome in worst)
    assert [outcome.confidence for outcome in worst] == sorted((one.confidence for one in worst), reverse=True)
    assert len(worst) == min(5, sum(not CASE_COUNTS.is_right(outcome) for outcome in outcomes))


def test_known_figures() -> None:
    outcomes = [
        make("K7Q", "k7Q", 0.9),
        make("K7Q", "K1Q", 0.8),
        make("OO1", "001", 0.2),
        make("abc", "", 0.0, problem="no picture"),
    ]
    found = evaluate_outcomes("engine", outcomes, CASE_COUNTS)
    assert (found.case_counts.texts.right, found.case_ignored.texts.right, found.refused) == (0, 1, 1)
    assert (found.case_counts.characters.right, found.case_counts.characters.total) == (5, 12)
    assert found.confusions[0] == Confusion("O", "0", 2)
    assert Confusion("a", "", 1) in found.confusions
    assert (found.cpu.median_ms, found.wall.mean_ms) == (1.0, 2.0)
    assert choose_worst(outcomes, CASE_IGNORED, 9)[0].text == "K1Q"


def test_a_text_read_into_another_is_never_less_than_nothing() -> None:
    found = evaluate_outcomes("engine", [make("a", "bcdefgh"), make("a", "a")], CASE_COUNTS)
    assert found.case_counts.characters.share == 0.5


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_an_engine_whose_confidence_is_none_is_named(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"confidence .* for a\.png"):
        make("a", "a", confidence)
