"""What an animation's frames say of a text read from all of them."""

import pytest

from captchad.domain.recognition import Character, Recognition
from captchad.recognition.witnesses import hear_witnesses, lower_confidence

SURE = Recognition("7KM4", 0.96, "engine", characters=tuple(Character(symbol, 0.98) for symbol in "7KM4"))


def test_frames_that_each_lack_a_letter_bear_the_text_out() -> None:
    assert hear_witnesses("7KM4", ["KM4", "7M4", "7K4", "7KM"]).weight == 1.0


def test_look_alikes_and_cases_are_one_to_witnesses() -> None:
    assert hear_witnesses("0oIx", ["OOlX", "0oIx"]).weight == 1.0


def test_a_letter_that_no_frame_shows_is_not_believed() -> None:
    testimony = hear_witnesses("7KM4", ["7M4", "7M4"])
    assert testimony.support == (1.0, 0.0, 1.0, 1.0)
    assert testimony.weight == pytest.approx(0.75)


def test_what_a_single_frame_shows_is_doubted() -> None:
    alone, twice = hear_witnesses("7K", ["7", "K"]), hear_witnesses("7K", ["7", "K", "7", "K"])
    assert alone.weight < twice.weight == 1.0


def test_frames_that_show_something_else_lower_the_confidence() -> None:
    testimony = hear_witnesses("7KM4", ["7KM4", "WRTX", "GH22"])
    assert testimony.agreement == pytest.approx(1 / 3)
    assert lower_confidence(SURE, testimony).confidence < 0.33


def test_each_character_is_as_sure_as_its_own_frames_let_it_be() -> None:
    lowered = lower_confidence(SURE, hear_witnesses("7KM4", ["7M4", "7M4"]))
    assert lowered.confidence == pytest.approx(0.72)
    assert [character.confidence for character in lowered.characters] == [0.98, 0.72, 0.98, 0.98]


def test_frames_in_which_nothing_is_read_bear_nothing_out() -> None:
    assert hear_witnesses("7KM4", ["", ""]).weight == 0.0
