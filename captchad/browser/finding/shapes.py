"""Judges a picture's size: captchas are lines of text, large enough to be read."""

from collections.abc import Iterable

# The sizes and points of docs/finding.md.
SHORTEST_PIXELS, TALLEST_PIXELS = 14, 160
NARROWEST_PIXELS, WIDEST_PIXELS = 36, 520
FLATTEST_RATIO, LONGEST_RATIO = 1.4, 8.0
SQUARE_RATIO = 1.25
LARGEST_ICON_PIXELS = 48
LARGEST_HEIGHT_PIXELS = 240


def judge_shape(width: int, height: int) -> Iterable[tuple[str, int]]:
    """Return the grounds that a picture's width and height in pixels are, with their points."""
    width, height = max(width, 1), max(height, 1)
    ratio = width / height
    is_text_sized = NARROWEST_PIXELS <= width <= WIDEST_PIXELS and SHORTEST_PIXELS <= height <= TALLEST_PIXELS
    if is_text_sized and FLATTEST_RATIO <= ratio <= LONGEST_RATIO:
        yield "shaped like a line of text", 15
    elif 1 / SQUARE_RATIO < ratio < SQUARE_RATIO:
        yield "square", -15
    else:
        yield "not shaped like a line of text", -20
    if width > WIDEST_PIXELS or height > LARGEST_HEIGHT_PIXELS:
        yield "very large", -15
    if max(width, height) < LARGEST_ICON_PIXELS:
        yield "as small as an icon", -40
