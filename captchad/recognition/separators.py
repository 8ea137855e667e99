"""Finds what separates groups of symbols in a picture: a wide gap, a hyphen or a dot, which a network may not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.ink import InkMask, Parts
from captchad.recognition.layout import Layout

SPACE, HYPHEN, DOT = " ", "-", "."
SEPARATORS = SPACE + HYPHEN + DOT

# In heights of a letter, but for ratios: of the narrowest gap between words to the widest within one.
_SURE_GAP, _SURE_RATIO = 0.4, 1.8
# To the widest gap within a word, and to the usual one.
_CLEAR_RATIO, _CLEAR_FACTOR = 1.5, 2.2
_DOUBTFUL_GAP, _DOUBTFUL_RATIO, _LONG_DOUBTFUL_RATIO = 0.35, 1.45, 1.25
_WIDE_GAP, _WIDE_RATIO = 0.5, 2.5
# Fewer symbols, all alike, are often drawn that far apart by chance.
_SURE_SYMBOLS, _WIDE_SYMBOLS, _MANY_SYMBOLS = 3, 5, 8
# Gaps narrower than this differ by chance.
_LEAST_GAP = 0.12
_MARK_HEIGHT_LIMIT, _MARK_WIDTH_LIMIT, _MARK_LEAST_AREA, _MARK_REACH = 0.35, 0.8, 0.018, 0.12
_HYPHEN_FROM, _HYPHEN_TO, _HYPHEN_LEAST_ASPECT = 0.3, 0.78, 1.4
_DOT_FROM, _DOT_ASPECT_LIMIT, _BASELINE_REACH = 0.7, 1.6, 0.18
_FILLED = 0.5
_ROWS_REACH = 0.2
# A line across a gap fills no more of a column.
_LINE_LIMIT_PIXELS = 1
# In densities of the letters (see layout).
_STROKES = (0.3, 3.0)
_PARTS_A_MARK = 2
_SIGN_REACH = 0.5
_GROUP_LEAST_SYMBOLS = 2
# The network's own probability: less contradicts a mark, more is a doubt where there is none, and enough alone.
_HYPHEN_LEAST, _HYPHEN_DOUBTFUL, _HYPHEN_SURE = 0.015, 0.1, 0.5


@dataclass(frozen=True, slots=True)
class Separators:
    """Separators by the number of symbols before each, and whether there may be some that are not sure."""

    found: tuple[tuple[int, str], ...] = ()
    is_doubtful: bool = False


def find_separators(
    symbols: str, layout: Layout, ink: InkMask, parts: Parts, hyphen: Sequence[float] | None = None
) -> Separators:
    """Find separators between the symbols of a reading.

    `hyphen` has for each gap the probability of a hyphen there, where the network knows that symbol.
    """
    small = _choose_small(layout, parts)
    gaps = _find_gaps(layout, ink, small)
    marks = _find_marks(layout, gaps, small)
    spaces, is_doubtful = _find_spaces(symbols, layout, gaps, set(marks))
    named = {number: mark for number, mark in marks.items() if mark}
    denied = [number for number, mark in named.items() if _is_denied(mark, number, hyphen)]
    if len(symbols) < _WIDE_SYMBOLS:
        named = {number: mark for number, mark in named.items() if number not in denied}
    # Where there are more such parts than these, they are noise.
    is_noisy = len(small.left) > _PARTS_A_MARK * len(named)
    if named and (is_noisy or denied or not all(_is_likely(symbols, *mark) for mark in named.items())):
        named, is_doubtful = {}, True
    found = {**dict.fromkeys(spaces, SPACE), **named}
    for number, share in enumerate(hyphen or (), start=1):
        if number not in found and _parts_groups(symbols, number) and share >= _HYPHEN_DOUBTFUL:
            is_doubtful = is_doubtful or share < _HYPHEN_SURE
            found |= {number: HYPHEN} if share >= _HYPHEN_SURE else {}
    return Separators(tuple(sorted(found.items())), is_doubtful=is_doubtful)


def find_dots(symbols: str, layout: Layout, parts: Parts) -> list[int]:
    """Return which hyphens of a reading lie on the baseline, as dots do: a network without dots reads those so."""
    small = _choose_small(layout, parts)
    middle = (small.left + small.right) / 2
    dots = []
    for number, (symbol, centre) in enumerate(zip(symbols, layout.centres, strict=True)):
        near = np.abs(middle - centre) <= _SIGN_REACH * layout.pitch
        if symbol == HYPHEN and near.sum() == 1 and _name_mark(layout, small.choose(near)) == DOT:
            dots.append(number)
    return dots


def _find_marks(layout: Layout, gaps: Sequence[tuple[int, int]], small: Parts) -> dict[int, str]:
    """Return for each gap with small parts the separator that they are, or nothing."""
    reach = _MARK_REACH * layout.height
    marks = {}
    for number, (left, right) in enumerate(gaps, start=1):
        inside = (small.left >= left - reach) & (small.right <= right + reach)
        if inside.any():
            marks[number] = _name_mark(layout, small.choose(inside)) if inside.sum() == 1 else ""
    return marks


def _is_denied(mark: str, number: int, hyphen: Sequence[float] | None) -> bool:
    """Whether the network knows the sign, and sees none of it there."""
    return mark == HYPHEN and hyphen is not None and hyphen[number - 1] < _HYPHEN_LEAST


def _is_likely(symbols: str, number: int, mark: str) -> bool:
    """Whether a mark is where such a separator stands: a dot between digits, a hyphen between groups."""
    if mark == DOT:
        return symbols[number - 1].isdigit() and symbols[number].isdigit()
    return _parts_groups(symbols, number)


def _parts_groups(symbols: str, number: int) -> bool:
    return min(number, len(symbols) - number) >= _GROUP_LEAST_SYMBOLS


def _find_gaps(layout: Layout, ink: InkMask, small: Parts) -> list[tuple[int, int]]:
    """Return the widest run of columns without letters' ink between each two centres, maybe of no width."""
    reach = _ROWS_REACH * layout.height
    columns = ink[max(0, round(layout.top - reach)) : round(layout.bottom + reach)].sum(axis=0)
    for left, right, height in zip(small.left, small.right, small.height, strict=True):
        columns[left:right] -= height
    is_empty = columns <= _LINE_LIMIT_PIXELS
    # The centre of the last column may lie beyond the picture.
    places = [min(round(centre), len(is_empty) - 1) for centre in layout.centres]
    return [_find_run(is_empty, first, last) for first, last in pairwise(places)]


def _find_run(is_empty: NDArray[np.bool_], first: int, last: int) -> tuple[int, int]:
    best, start = (last, last), first
    for column in range(first, last + 1):
        if column == last or not is_empty[column]:
            if column - start > best[1] - best[0]:
                best = (start, column)
            start = column + 1
    return best


def _choose_small(layout: Layout, parts: Parts) -> Parts:
    """Choose parts that are no letters, nor parts of letters as dots and accents are."""
    height = layout.height
    is_small = (parts.height < _MARK_HEIGHT_LIMIT * height) & (parts.area >= _MARK_LEAST_AREA * height**2)
    tall = parts.choose(parts.height >= _MARK_HEIGHT_LIMIT * height)
    middle = (parts.left + parts.right) / 2
    is_over = ((tall.left <= middle[:, None]) & (tall.right > middle[:, None])).any(axis=1)
    return parts.choose(is_small & ~is_over)


def _name_mark(layout: Layout, mark: Parts) -> str:
    """Return the separator that a lone small part is, or nothing."""
    height, width, area = int(mark.height[0]), int(mark.width[0]), int(mark.area[0])
    middle = ((mark.top[0] + mark.bottom[0]) / 2 - layout.top) / layout.height
    is_stroke = _STROKES[0] <= height / max(1e-9, layout.density) <= _STROKES[1]
    if area < _FILLED * height * width or not is_stroke:
        return ""
    if (
        _HYPHEN_FROM <= middle <= _HYPHEN_TO
        and _HYPHEN_LEAST_ASPECT * height <= width <= _MARK_WIDTH_LIMIT * layout.height
    ):
        return HYPHEN
    is_at_baseline = abs(mark.bottom[0] - layout.bottom) <= _BASELINE_REACH * layout.height and middle >= _DOT_FROM
    is_round = max(height, width) <= _DOT_ASPECT_LIMIT * min(height, width)
    return DOT if is_at_baseline and is_round else ""


def _find_spaces(
    symbols: str, layout: Layout, gaps: Sequence[tuple[int, int]], marked: set[int]
) -> tuple[list[int], bool]:
    """Return the gaps that part words, and whether there are some that may."""
    widths = {
        number: (right - left) / layout.height
        for number, (left, right) in enumerate(gaps, start=1)
        if number not in marked
    }
    order = sorted(widths, key=lambda number: -widths[number])
    best_ratio, spaces = 0.0, []
    for count in range(1, len(order)):
        tried = sorted(order[:count])
        ratio = widths[order[count - 1]] / max(widths[order[count]], _LEAST_GAP)
        if ratio > best_ratio and min(map(len, _part(symbols, tried))) >= _GROUP_LEAST_SYMBOLS:
            best_ratio, spaces = ratio, tried
    narrowest = min((widths[number] for number in spaces), default=0.0)
    is_long = len(symbols) >= _MANY_SYMBOLS
    if best_ratio < (_LONG_DOUBTFUL_RATIO if is_long else _DOUBTFUL_RATIO) or narrowest < _DOUBTFUL_GAP:
        return [], False
    groups = _part(symbols, spaces)
    shortest = min(map(len, groups))
    is_parted = any(group.isdigit() for group in groups) and any(group.isalpha() for group in groups)
    is_wide = best_ratio >= _WIDE_RATIO and narrowest >= _WIDE_GAP
    if shortest < _SURE_SYMBOLS:
        return [], is_parted or (is_wide and len(symbols) >= _WIDE_SYMBOLS)
    usual = float(np.median([width for number, width in widths.items() if number not in spaces]))
    is_clear = best_ratio >= _SURE_RATIO or (best_ratio >= _CLEAR_RATIO and narrowest >= _CLEAR_FACTOR * usual)
    is_sure = is_clear and narrowest >= _SURE_GAP and (is_parted or is_long)
    return (spaces, False) if is_sure else ([], True)


def _part(symbols: str, places: Sequence[int]) -> list[str]:
    return [symbols[first:last] for first, last in pairwise([0, *places, len(symbols)])]


def spell_with(symbols: str, separators: Sequence[tuple[int, str]]) -> str:
    """Return a text with its separators."""
    spelled = list(symbols)
    for number, separator in reversed(separators):
        spelled.insert(number, separator)
    return "".join(spelled)
