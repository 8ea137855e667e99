"""Pictures as sites have them that change nothing: asked for by the environment, else every second one."""

import random

import pytest

from captchad.training.pictures.defaults import DEFAULTS_VARIABLE, is_default
from captchad.training.pictures.generators import CaptchaFamily


def draw_sizes() -> set[tuple[int, ...]]:
    return {CaptchaFamily().draw(random.Random(number)).picture.shape[:2] for number in range(12)}


def test_every_second_picture_is_drawn_by_default() -> None:
    source = random.Random(1)
    assert 400 < sum(is_default(source) for _ in range(1000)) < 600
    assert len(draw_sizes()) > 1


def test_all_are_where_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEFAULTS_VARIABLE, "1")
    assert draw_sizes() == {(60, 160)}
    one, other = random.Random(2), random.Random(2)
    is_default(one)
    other.random()
    assert one.getstate() == other.getstate()
