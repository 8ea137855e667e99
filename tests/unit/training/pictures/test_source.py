import itertools
import random
import subprocess
import sys
from collections.abc import Callable
from string import ascii_letters, digits

import numpy as np
import pytest

from captchad.recognition.flattening import Pixels, to_colours, to_grey
from captchad.recognition.preparation import COLOUR_PLANES, prepare
from captchad.training.alphabet import SYMBOLS, UNKNOWN
from captchad.training.pictures.augmentation import ALTERATIONS, augment_picture
from captchad.training.pictures.catalogue import CATALOGUE, load_families
from captchad.training.pictures.scripts import SCRIPTS, draw_foreign
from captchad.training.pictures.source import FamilyUnavailable, PictureSource, WeightedFamily
from captchad.training.pictures.texts import (
    LENGTH_LEAST,
    LENGTH_MOST,
    draw_arithmetic,
    draw_groups,
    draw_text,
    draw_with_signs,
)
from captchad.training.sample import Sample

OURS = ("synthetic", "synthetic-sum", "groups", "signs", "foreign", "designs", "captcha", "wheezy.captcha")


def make_source(seed: int, *names: str) -> PictureSource:
    return PictureSource([WeightedFamily(family) for family in load_families(names or OURS)], seed)


def is_same(one: Sample, other: Sample) -> bool:
    return (one.text, one.family) == (other.text, other.family) and np.array_equal(one.picture, other.picture)


def test_a_number_is_the_same_picture_in_every_source_of_a_seed() -> None:
    one, other = make_source(5), make_source(5)
    for number in (0, 1, 7, 12, 40):
        other.draw(number + 1)
        assert is_same(one.draw(number), other.draw(number))


@pytest.mark.parametrize("name", OURS)
def test_every_family_depends_on_the_seed_alone(name: str) -> None:
    random.seed(1)
    first = make_source(3, name).draw(0)
    random.seed(2)
    assert is_same(first, make_source(3, name).draw(0))
    assert not is_same(first, make_source(4, name).draw(0))


def test_workers_together_draw_each_number_once() -> None:
    whole = list(itertools.islice(make_source(9).stream(), 6))
    parts = [list(itertools.islice(make_source(9).stream(worker, 2), 3)) for worker in range(2)]
    assert all(map(is_same, whole[0::2], parts[0]))
    assert all(map(is_same, whole[1::2], parts[1]))


def test_families_are_drawn_by_weight() -> None:
    rare, common = load_families(["synthetic", "synthetic-sum"])
    source = PictureSource([WeightedFamily(rare, 1), WeightedFamily(common, 9)], 0)
    drawn = [source.draw(number).family for number in range(60)]
    assert 40 < drawn.count("synthetic-sum") < 60


@pytest.mark.parametrize("name", OURS)
def test_pictures_are_bounded_and_show_something(name: str) -> None:
    source = make_source(11, name)
    for number in range(40):
        sample = source.draw(number)
        height, width = sample.picture.shape[:2]
        assert sample.picture.dtype == np.uint8
        assert 14 <= height <= 200
        assert 30 <= width <= 500
        ink = prepare(sample.picture, planes=COLOUR_PLANES)[1]
        assert np.percentile(ink, 99.5) > 0.8
        assert sample.family == name


@pytest.mark.parametrize("draw", [draw_text, draw_arithmetic, draw_with_signs])
def test_texts_are_of_the_alphabet_and_of_readable_lengths(draw: object) -> None:
    assert callable(draw)
    random_source = random.Random(2)
    for _ in range(500):
        text = draw(random_source).text
        assert LENGTH_LEAST <= len(text) <= LENGTH_MOST
        assert set(text) <= set(SYMBOLS)


def test_groups_have_one_separator_between_them_and_none_at_the_ends() -> None:
    random_source = random.Random(3)
    seen = set()
    for _ in range(300):
        text = draw_groups(random_source).text
        assert set(text) <= set(SYMBOLS)
        assert text[0].isalnum()
        assert text[-1].isalnum()
        separators = {character for character in text if not character.isalnum()}
        assert len(separators) == 1
        seen |= separators
    assert seen == {" ", "-", "."}


def test_what_is_no_symbol_is_read_as_unknown_and_what_looks_like_one_is_never_drawn() -> None:
    random_source = random.Random(4)
    for _ in range(300):
        shown = draw_foreign(random_source, list(SCRIPTS))
        assert UNKNOWN in shown.text
        for drawn, read in zip(shown.drawn, shown.text, strict=True):
            assert read == (drawn if drawn in ascii_letters + digits else UNKNOWN)
    assert not set("".join(SCRIPTS)) & set("АВЕКМНОРСТУХаеорсухАΒΕΖΗΙΚΜΝΟΡΤΥΧ0О")


@pytest.mark.parametrize("make", [to_grey, to_colours])
def test_every_alteration_keeps_a_picture_grey_or_coloured(make: Callable[[Pixels], Pixels]) -> None:
    picture = make(make_source(1, "captcha").draw(0).picture)
    for alteration in ALTERATIONS:
        for seed in range(5):
            from_one = augment_picture(picture, random.Random(f"{seed}{alteration.__name__}"))
            assert from_one.dtype == np.uint8
            assert from_one.ndim == picture.ndim
            assert from_one.std() > 1


def test_unknown_families_and_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="no family is called rubbish"):
        load_families(["rubbish"])
    with pytest.raises(ValueError, match="weight above 0"):
        PictureSource([WeightedFamily(load_families(["synthetic"])[0], 0)], 1)


def test_a_family_that_cannot_be_drawn_is_left_out_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise FamilyUnavailable("node is not installed")

    monkeypatch.setitem(CATALOGUE, "synthetic", refuse)
    [left] = load_families(["synthetic", "captcha"])
    assert left.name == "captcha"
    assert "synthetic are left out: node is not installed" in caplog.text


def test_drawing_needs_no_torch() -> None:
    program = "import sys, captchad.training.pictures.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class BrokenFamily:
    """Fails on every second picture, as a published generator may on some texts."""

    name = "broken"

    def draw(self, source: random.Random) -> Sample:
        """Draw, or raise something of its own."""
        if source.random() < 0.5:
            raise AttributeError("no such letter")
        return Sample(np.zeros((4, 4), dtype=np.uint8), "a", self.name)


def test_another_picture_is_drawn_where_a_generator_fails(caplog: pytest.LogCaptureFixture) -> None:
    source = PictureSource([WeightedFamily(BrokenFamily())], seed=3)
    assert [source.draw(number).text for number in range(30)] == ["a"] * 30
    assert "no such letter" in caplog.text
