"""Other colours for a picture, in which it stays legible."""

import numpy as np

from captchad.recognition.flattening import to_colours
from captchad.recognition.preparation import COLOUR_PLANES, prepare
from captchad.training.colouring import recolour
from tests.unit.training.plain_pictures import draw_plainly


def test_recoloured_letters_show_by_their_distance_from_the_ground() -> None:
    grey = draw_plainly("AB7").picture
    ink = prepare(grey, planes=COLOUR_PLANES)[0] > 0.9
    coloured = to_colours(grey).copy()
    coloured[:, :, 2] = 255
    changed = 0
    for pixels in (grey, coloured):
        for seed in range(60):
            altered = recolour(pixels, np.random.default_rng(seed))
            changed += altered is not pixels
            distance = prepare(altered, planes=COLOUR_PLANES)[1]
            assert distance[ink].mean() > 0.6
            assert distance[~ink].mean() < 0.35
    assert 30 < changed < 90
