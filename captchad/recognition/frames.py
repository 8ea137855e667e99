"""Composes an animation's frames to the pictures that are read."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captchad.recognition.flattening import LEVELS, WHITE, Pixels, has_colours, to_colours, to_grey

# Letters survive at this height, single dots do not.
_SHRUNK_HEIGHT_PIXELS = 32
_INK_DIFFERENCE = 48
_GAINED_INK_SHARE = 0.08
_CONTRADICTING_INK_SHARE = 0.35
_LETTER_COLUMN_SHARE = 0.1
_LETTER_COLUMN_PIXELS = 3
_CHANGING_COLUMNS_SHARE = 0.02
_STILL_LEGIBILITY_SHARE = 0.5

# A letter that every fifth frame shows is kept, a line drawn anew in each frame is not.
_LASTING_SHARE = 0.2
_WITNESSES = 8

Ink = NDArray[np.bool_]
Choice = NDArray[np.uint8]
"""For each pixel the number of the frame it is taken from."""


def compose_frames(frames: Sequence[Pixels]) -> Pixels:
    """Return the most legible picture that frames of one size add up to.

    It is the frame with most edges, which finds text that blinks, fades in or is drawn letter by letter. Where
    only specks come and go over it, it is what all frames have in common; where other frames show letters in
    columns that it leaves empty or pale, those are drawn into it. Text that moves agrees with no such union: one
    frame it is.
    """
    if len(frames) == 1:
        return frames[0]
    greys = [to_grey(frame) for frame in frames]
    best = max(range(len(greys)), key=lambda number: _legibility(greys[number]))
    is_dark_ground = find_median(greys[best]) <= WHITE // 2
    stack = np.stack(greys)
    chosen = _choose(WHITE - stack if is_dark_ground else stack, best)
    return _take(frames, chosen)


def compose_in_each_way(frames: Sequence[Pixels]) -> tuple[Pixels, ...]:
    """Return the pictures that frames of one size may add up to, the most legible first.

    The second has at each pixel what a fifth of the frames show there: letters that blink or fade, without the noise
    that changes. The third has all ink of all frames: letters that come one by one.
    """
    if len(frames) == 1:
        return (frames[0],)
    return (compose_frames(frames), _compose_by_share(frames, _LASTING_SHARE), _compose_by_share(frames, 0.0))


def choose_witnesses(frames: Sequence[Pixels]) -> tuple[Pixels, ...]:
    """Return frames that differ, as many as are worth reading, evenly over the animation."""
    different = [frames[0]]
    for frame in frames[1:]:
        # Compared with the one before alone: with all of them, a hundred large frames would take seconds.
        if not np.array_equal(frame, different[-1]):
            different.append(frame)
    wanted = np.linspace(0, len(different) - 1, min(_WITNESSES, len(different)))
    return tuple(different[round(float(place))] for place in wanted)


def _compose_by_share(frames: Sequence[Pixels], share: float) -> Pixels:
    """Take each pixel from the frame whose ink there that share of the frames exceeds."""
    # All at once, or frames might differ in the plane that shows most.
    wanted = [to_colours(frame) for frame in frames] if any(map(has_colours, frames)) else frames
    greys = to_grey(np.concatenate(wanted)).reshape(len(frames), *frames[0].shape[:2])
    inks = WHITE - greys if find_median(greys) > WHITE // 2 else greys
    rank = len(frames) - 1 - round(share * (len(frames) - 1))
    # The number of the frame itself, by argpartition, would take eight times the memory.
    level = np.partition(inks, rank, axis=0)[rank]
    return _take(wanted, (inks == level).argmax(axis=0).astype(np.uint8))


def _take(frames: Sequence[Pixels], chosen: Choice) -> Pixels:
    """Take each pixel from the frame that was chosen for it, in colours where any frame has some."""
    wanted = [to_colours(frame) for frame in frames] if any(map(has_colours, frames)) else frames
    composed = wanted[0].copy()
    for number in range(1, len(wanted)):
        places = chosen == number
        composed[places] = wanted[number][places]
    return composed


def find_median(pixels: Pixels) -> int:
    """Return the brightness that half of the pixels do not exceed."""
    counts = np.bincount(pixels.ravel(), minlength=LEVELS).cumsum()
    return int(np.searchsorted(counts, counts[-1] / 2))


def _legibility(pixels: Pixels) -> float:
    """Return the mean step between neighbours, once shrunk enough for single dots to count little."""
    factor = max(1, min(pixels.shape) // _SHRUNK_HEIGHT_PIXELS)
    shrunk = np.asarray(Image.fromarray(pixels).reduce(factor)).astype(np.int16)
    across = np.abs(np.diff(shrunk, axis=1)).mean() if shrunk.shape[1] > 1 else 0.0
    down = np.abs(np.diff(shrunk, axis=0)).mean() if shrunk.shape[0] > 1 else 0.0
    return float(across + down)


def _choose(stack: Pixels, best: int) -> Choice:
    """Choose each pixel's frame: dark text on a light ground; `stack` has the shape (frames, height, width)."""
    # Dark text: what is light in any frame is ground there.
    ground: Pixels = stack.max(axis=0)
    composed: Pixels = stack[best]
    chosen: Choice = np.full(composed.shape, best, dtype=np.uint8)
    ink = _find_ink(ground, composed)
    if _is_specks(ink) and _legibility(ground) >= _STILL_LEGIBILITY_SHARE * _legibility(composed):
        return np.asarray(stack.argmax(axis=0), dtype=np.uint8)
    inks = [_find_ink(ground, frame) for frame in stack]
    # Moving text: the union of its frames would be a smear.
    if any(_contradicts(other, ink) for other in inks):
        return chosen
    for number, (frame, added) in enumerate(zip(stack, inks, strict=True)):
        darkest = np.minimum(composed, frame)
        if _shows_more_letters(added, ink, _find_ink(composed, darkest)):
            chosen = np.where(added & (frame < composed), np.uint8(number), chosen)
            composed = np.where(added, darkest, composed)
            ink = ink | added
    return chosen


def _find_ink(ground: Pixels, frame: Pixels) -> Ink:
    """Find where a frame is clearly darker than its ground; it is lighter nowhere."""
    ink: Ink = (ground - frame) > _INK_DIFFERENCE
    return ink


def _letter_columns(ink: Ink) -> Ink:
    columns: Ink = ink.sum(axis=0) >= max(_LETTER_COLUMN_PIXELS, _LETTER_COLUMN_SHARE * ink.shape[0])
    return columns


def _is_specks(ink: Ink) -> bool:
    return float(_letter_columns(ink).mean()) <= _CHANGING_COLUMNS_SHARE


def _contradicts(added: Ink, ink: Ink) -> bool:
    """Whether a frame shows something else in columns that both fill: text that moves does."""
    shared_columns = ink.any(axis=0) & added.any(axis=0)
    return int((added ^ ink)[:, shared_columns].sum()) > _CONTRADICTING_INK_SHARE * int(added.sum())


def _shows_more_letters(added: Ink, ink: Ink, darker: Ink) -> bool:
    """Whether a frame fills empty columns or darkens pale letters."""
    new_columns = ~ink.any(axis=0) & _letter_columns(added)
    gained = int(added[:, new_columns].sum()) + int((added & ink & darker).sum())
    return gained > _GAINED_INK_SHARE * int(added.sum())
