import random

import numpy as np
import pytest

from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.empty import DRAWINGS
from captchad.training.pictures.empty_textures import Drawing


def test_pictures_without_text_are_a_family_to_train_on() -> None:
    [family] = load_families(["empty"])
    for number in range(60):
        sample = family.draw(random.Random(number))
        assert sample.text == ""
        assert sample.family == "empty"
        assert sample.picture.dtype == np.uint8
        assert 24 <= sample.picture.shape[0] <= 120
        assert sample.picture.shape[0] <= sample.picture.shape[1]


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.__name__)
@pytest.mark.parametrize("shape", [(24, 60), (64, 64), (120, 400)])
def test_every_drawing_fills_the_plane_asked_for(drawing: Drawing, shape: tuple[int, int]) -> None:
    first = drawing(shape, random.Random(5))
    assert first.shape == shape
    assert np.isfinite(first).all()
    assert np.array_equal(first, drawing(shape, random.Random(5)))
