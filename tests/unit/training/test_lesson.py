"""What of a target's labels is learned, and what is held back."""

import pytest

from captchad.domain.label import Verdict
from captchad.training.lesson import LEAST_RIGHT_LABELS, TooFewLabels, count_right, make_lesson
from tests.unit.training.labels import KeptPicture, draw_label

HOST = "site.example"


def draw_labels(count: int) -> list[KeptPicture]:
    return [draw_label(f"{number:03}", number) for number in range(count)]


def test_the_newest_right_labels_are_held_back_with_the_refused_ones_of_their_time() -> None:
    labels = draw_labels(LEAST_RIGHT_LABELS)
    labels.insert(10, draw_label("OLD", 10, Verdict.WRONG))
    labels.append(draw_label("NEW", LEAST_RIGHT_LABELS, Verdict.WRONG))
    lesson = make_lesson(labels, HOST)
    assert [sample.text for sample in lesson.held_back] == [f"{number:03}" for number in range(75, 100)]
    assert [sample.text for sample in lesson.learned] == [f"{number:03}" for number in range(75)]
    assert [sample.text for sample in lesson.refused] == ["NEW"]
    assert {sample.family for sample in lesson.learned} == {HOST}


def test_below_the_least_it_says_how_many_are_missing() -> None:
    labels = [*draw_labels(LEAST_RIGHT_LABELS - 3), draw_label("NOT", verdict=Verdict.WRONG)]
    assert count_right(labels) == LEAST_RIGHT_LABELS - 3
    with pytest.raises(TooFewLabels, match="3 more are needed") as caught:
        make_lesson(labels, HOST)
    assert caught.value.found == LEAST_RIGHT_LABELS - 3


def test_what_can_not_be_learned_is_left_out() -> None:
    labels = draw_labels(LEAST_RIGHT_LABELS)
    labels[5:5] = [KeptPicture("gone", content=None), KeptPicture("bad", content=b"no picture"), draw_label("é")]
    assert len(make_lesson(labels, HOST).learned) == 75


def test_signs_are_spelled_as_the_model_reads_them() -> None:
    labels = [draw_label("3 x 4", number, drawn="3x4") for number in range(LEAST_RIGHT_LABELS)]
    labels += [draw_label("3 * 4", LEAST_RIGHT_LABELS, drawn="3*4")]
    assert {sample.text for sample in make_lesson(labels, HOST).held_back} == {"3x4", "3×4"}
