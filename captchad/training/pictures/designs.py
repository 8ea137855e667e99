"""A family of designs, each after what a kind of site is known to show."""

import random
from functools import partial

from captchad.recognition.flattening import Pixels
from captchad.training.pictures import designs_disturbed as disturbed
from captchad.training.pictures import designs_grained as grained
from captchad.training.pictures import designs_java as java
from captchad.training.pictures import designs_libraries as libraries
from captchad.training.pictures import designs_packages as packages
from captchad.training.pictures import designs_patterned as patterned
from captchad.training.pictures import designs_php as php
from captchad.training.pictures import designs_sites as sites
from captchad.training.pictures import designs_small as small
from captchad.training.pictures import designs_stroked as stroked
from captchad.training.pictures.colour_passes import draw_passes
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.finishing import finish
from captchad.training.pictures.texts import draw_text
from captchad.training.sample import Sample

_FINISHED_CHANCE = 0.25
_LENGTH_LEAST, _LENGTH_MOST = 3, 8

DESIGNS: dict[Design, int] = {
    stroked.draw_outlines: 4,
    stroked.draw_thick_curve: 4,
    stroked.draw_curved_gradient: 3,
    stroked.draw_many_lines: 4,
    stroked.draw_struck_through: 2,
    stroked.draw_connected: 4,
    stroked.draw_crosshatch: 1,
    stroked.draw_stencil: 1,
    stroked.draw_extruded: 1,
    stroked.draw_embossed: 1,
    stroked.draw_smeared: 1,
    grained.draw_pixels: 3,
    grained.draw_on_speckle: 3,
    grained.draw_discs: 2,
    grained.draw_boxes: 2,
    grained.draw_small: 4,
    grained.draw_inverted_circles: 1,
    grained.draw_halftone: 1,
    grained.draw_dense_dots: 1,
    grained.draw_gradient_letters: 2,
    grained.draw_relief: 1,
    grained.draw_dot_plate: 1,
    **java.DESIGNS,
    **php.DESIGNS,
    **patterned.DESIGNS,
    **disturbed.DESIGNS,
    **sites.DESIGNS,
    **libraries.DESIGNS,
    **small.DESIGNS,
    **packages.DESIGNS,
}
"""The designs, each with its weight."""


class DesignFamily:
    """Texts in the designs that sites show, each varied within what makes it that design."""

    name = "designs"

    def draw(self, source: random.Random) -> Sample:
        """Draw a text in one of the designs."""
        shown = draw_text(source, shortest=_LENGTH_LEAST, longest=_LENGTH_MOST)
        return Sample(draw_design(shown.drawn, DESIGNS, _FINISHED_CHANCE, source), shown.text, self.name)


def draw_design(text: str, designs: dict[Design, int], finished_chance: float, source: random.Random) -> Pixels:
    """Draw a text in one of weighted designs, now and then with one of the ways to finish a picture."""
    [design] = source.choices(list(designs), list(designs.values()))
    pixels = draw_passes(partial(design, text), source)
    return finish(pixels, source) if source.random() < finished_chance else pixels
