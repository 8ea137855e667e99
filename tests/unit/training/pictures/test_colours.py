"""Colours that a person can tell apart, and what is drawn in them plane by plane."""

import random

import numpy as np
import pytest

from captchad.recognition.flattening import to_grey
from captchad.training.pictures.colour_passes import draw_passes
from captchad.training.pictures.colours import BLACK, WHITE, draw_palette, grey_of, measure_distance
from captchad.training.pictures.design_greys import Greys, blend, choose_greys, mix_greys
from captchad.training.pictures.planes import Numbers
from captchad.training.pictures.synthetic import SyntheticFamily

COVER = np.pad(np.ones((10, 10), dtype=np.float32), 10)


def test_distances_are_those_of_cie_lab() -> None:
    assert measure_distance(BLACK, WHITE) == pytest.approx(100, abs=1)
    assert measure_distance((255, 255, 0), WHITE) == pytest.approx(97, abs=3)
    assert measure_distance((0, 255, 255), WHITE) == pytest.approx(51, abs=3)


def test_every_ink_is_clear_on_its_ground_and_some_are_no_darker() -> None:
    palettes = [draw_palette(random.Random(number)) for number in range(200)]
    assert all(measure_distance(palette.ground, ink) >= 24 for palette in palettes for ink in palette.inks)
    alike = [palette for palette in palettes if abs(grey_of(palette.ground) - grey_of(palette.ink)) < 30]
    assert len(alike) > 20
    assert any(len(palette.inks) > 1 for palette in palettes)


def draw_two_inks(source: random.Random) -> Numbers:
    one, other = mix_greys(source, 0, 120, 2)
    return np.hstack((blend(COVER, Greys(255, one)), blend(COVER, Greys(255, other))))


def test_what_mixes_greys_is_drawn_in_the_colours_they_are_of() -> None:
    pictures = [draw_passes(draw_two_inks, random.Random(number)) for number in range(40)]
    coloured = [picture for picture in pictures if picture.ndim == 3]
    assert 20 < len(coloured) < 40
    for picture in coloured:
        assert picture[0, 0].tolist() == [255, 255, 255]
        assert np.ptp(picture[15, 15]) > 0
        # Ink of one colour throughout: the planes lie on each other.
        assert len(np.unique(picture[10:20, 10:20].reshape(-1, 3), axis=0)) == 1


def test_greys_chosen_together_are_a_pair_of_colours_far_enough_apart() -> None:
    for number in range(40):
        picture = draw_passes(lambda source: blend(COVER, choose_greys(source)), random.Random(number))
        if picture.ndim == 3:
            assert measure_distance(tuple(picture[0, 0]), tuple(picture[15, 15])) > 20


def test_where_a_grey_decides_what_is_drawn_the_picture_stays_grey() -> None:
    def draw(source: random.Random) -> Numbers:
        [grey] = mix_greys(source, 0, 255, 1)
        return np.full((10, 10), grey + source.random() if grey > 128 else grey)

    drawn = [draw_passes(draw, random.Random(number)) for number in range(60)]
    assert any(picture.ndim == 2 for picture in drawn)
    assert all(np.ptp(picture, axis=(0, 1)).max() == 0 for picture in drawn)


def test_letters_have_colours_of_their_own() -> None:
    pictures = [SyntheticFamily().draw(random.Random(number)).picture for number in range(60)]
    faint = [
        picture for picture in pictures if picture.ndim == 3 and to_grey(picture).std() < picture.std(axis=(0, 1)).max()
    ]
    assert len(faint) > 10
