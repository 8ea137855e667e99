"""Connected parts of ink, as a person would draw around them."""

import numpy as np

from captchad.recognition.ink import find_parts


def draw(*lines: str) -> np.ndarray:
    return np.array([[symbol == "#" for symbol in line] for line in lines])


def test_parts_have_their_boxes_and_areas() -> None:
    parts = find_parts(draw("##..#", "##..#", "....."))
    assert parts is not None
    assert [parts.left.tolist(), parts.right.tolist()] == [[0, 4], [2, 5]]
    assert [parts.top.tolist(), parts.bottom.tolist()] == [[0, 0], [2, 2]]
    assert parts.area.tolist() == [4, 2]


def test_what_touches_by_a_corner_is_one_part() -> None:
    parts = find_parts(draw("#...", ".#..", "..##"))
    assert parts is not None
    assert (len(parts.left), parts.area.tolist()) == (1, [4])


def test_strokes_that_meet_below_are_one_part() -> None:
    parts = find_parts(draw("#.#.#", "#.#.#", "#####"))
    assert parts is not None
    assert parts.area.tolist() == [11]


def test_no_ink_has_no_parts() -> None:
    parts = find_parts(draw("....", "...."))
    assert parts is not None
    assert len(parts.left) == 0


def test_nothing_is_said_of_noise() -> None:
    assert find_parts(np.random.default_rng(1).random((48, 400)) < 0.3) is None


def test_parts_are_those_of_a_flood_fill() -> None:
    generator = np.random.default_rng(2)
    for _ in range(40):
        ink = generator.random((12, 20)) < 0.35
        parts = find_parts(ink)
        assert parts is not None
        assert sorted(parts.area.tolist()) == sorted(flood(ink.copy()))


def flood(ink: np.ndarray) -> list[int]:
    areas = []
    for row, column in np.argwhere(ink):
        if not ink[row, column]:
            continue
        waiting, area = [(int(row), int(column))], 0
        ink[row, column] = False
        while waiting:
            y, x = waiting.pop()
            area += 1
            for below in range(max(0, y - 1), min(ink.shape[0], y + 2)):
                for beside in range(max(0, x - 1), min(ink.shape[1], x + 2)):
                    if ink[below, beside]:
                        ink[below, beside] = False
                        waiting.append((below, beside))
        areas.append(area)
    return areas
