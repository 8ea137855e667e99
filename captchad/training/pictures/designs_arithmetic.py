"""Arithmetic as servers show it: in its spellings, in designs that leave signs apart from what is drawn across."""

import random

from captchad.training.pictures import designs_grained as grained
from captchad.training.pictures import designs_java as java
from captchad.training.pictures import designs_libraries as libraries
from captchad.training.pictures import designs_packages as packages
from captchad.training.pictures import designs_php as php
from captchad.training.pictures import designs_sites as sites
from captchad.training.pictures import designs_small as small
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.designs import draw_design
from captchad.training.pictures.texts import LENGTH_MOST, ShownText
from captchad.training.sample import Sample

_FINISHED_CHANCE = 0.1
_TIMES = {"*": 4, "x": 4, "×": 4, "X": 1}
_DIVIDED = {"÷": 5, "/": 1}

DESIGNS: dict[Design, int] = {
    java.draw_rippled_gradient: 3,
    java.draw_drop_shadow: 1,
    java.draw_curves_and_ovals: 3,
    java.draw_fading_letters: 1,
    java.draw_many_circles: 2,
    java.draw_sheared: 2,
    java.draw_squiggles: 1,
    php.draw_on_photograph: 2,
    php.draw_sine_and_noise_letters: 3,
    php.draw_dancing_baseline: 1,
    php.draw_smooth_waves: 1,
    php.draw_lined_and_pulled: 2,
    small.draw_tiny_blog: 1,
    small.draw_small_framed: 1,
    small.draw_office: 2,
    small.draw_on_hatching: 1,
    small.draw_sprayed: 1,
    small.draw_grey_striped: 1,
    small.draw_light_on_dark: 1,
    sites.draw_payment: 1,
    sites.draw_game_shop: 1,
    libraries.draw_varied_lines: 2,
    libraries.draw_coloured_curves: 2,
    libraries.draw_square_points: 1,
    grained.draw_small: 2,
    packages.draw_on_spiral: 2,
    packages.draw_on_balls: 1,
}
"""The designs that show arithmetic, each with its weight."""


class DesignArithmeticFamily:
    """Arithmetic in the designs that servers show."""

    name = "designs-sum"

    def draw(self, source: random.Random) -> Sample:
        """Draw an expression in one of the designs."""
        shown = draw_spelled_arithmetic(source)
        return Sample(draw_design(shown.drawn, DESIGNS, _FINISHED_CHANCE, source), shown.text, self.name)


def draw_spelled_arithmetic(source: random.Random) -> ShownText:
    """Draw an expression in one of the spellings: `3+5=?`, `3x2-1=?`, `12+ 5=`, `3 + 5 =`, `47-8`."""
    operators = source.choices("+-×÷", (4, 3, 3, 0.5), k=source.choice((1, 1, 1, 1, 1, 2)))
    most = 9 if len(operators) > 1 else source.choice((9, 9, 9, 19, 50, 99, 99))
    numbers = [str(number) for number in _draw_numbers(operators, most, source)]
    ending = source.choices(("=?", "=", "", "?"), (6, 6, 1, 1))[0]
    spelled = {operator: _spell(operator, source) for operator in "+-×÷"}
    read = {operator: "/" if spelled[operator] == "/" else operator for operator in "+-×÷"}
    text = _join(numbers, [read[operator] for operator in operators]) + ending
    if len(text) > LENGTH_MOST:
        return draw_spelled_arithmetic(source)
    return ShownText(_space(numbers, [spelled[operator] for operator in operators], ending, source), text)


def _draw_numbers(operators: list[str], most: int, source: random.Random) -> list[int]:
    """Draw numbers; what is divided comes out even, what is taken away is seldom more than there is."""
    numbers = [source.randint(0, most) for _ in range(len(operators) + 1)]
    for place, operator in enumerate(operators):
        if operator == "÷":
            numbers[place + 1] = source.randint(1, 9)
            numbers[place] = numbers[place + 1] * source.randint(0, 9)
    if operators == ["-"] and source.random() < 0.8:
        numbers.sort(reverse=True)
    return numbers


def _spell(operator: str, source: random.Random) -> str:
    spellings = {"×": _TIMES, "÷": _DIVIDED}.get(operator, {operator: 1})
    return source.choices(list(spellings), list(spellings.values()))[0]


def _join(numbers: list[str], operators: list[str]) -> str:
    return numbers[0] + "".join(operator + number for operator, number in zip(operators, numbers[1:], strict=True))


def _space(numbers: list[str], operators: list[str], ending: str, source: random.Random) -> str:
    kind = source.random()
    if kind < 0.55:
        return _join(numbers, operators) + ending
    if kind < 0.75:
        # As if every number had the width of the longest.
        width = max(map(len, numbers))
        pad = source.choice((str.ljust, str.rjust))
        return _join([numbers[0].ljust(width), *(pad(number, width) for number in numbers[1:])], operators) + ending
    spaced = _join(numbers, [f" {operator} " for operator in operators])
    return spaced + (f" {source.choice(('', ' ')).join(ending)}" if ending else "")
