"""Finds the ink of a prepared picture, and the connected parts it consists of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.preparation import GREY_PLANES, Prepared

InkMask = NDArray[np.bool_]

_INK_LEAST = 0.45
_GROUND_MOST = 0.2
# Of clean letters in three colours as bright as their ground this finds all that one letter is missing of.
_HIDDEN_SHARE = 0.05
# Beyond it, it is noise: nothing could be said of its parts, and labelling them would take milliseconds.
_RUNS_LIMIT = 1500


@dataclass(frozen=True, slots=True)
class Parts:
    """Connected parts of ink, one per place of each array; boxes in pixels, ends not included."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    top: NDArray[np.intp]
    bottom: NDArray[np.intp]
    area: NDArray[np.intp]

    @property
    def height(self) -> NDArray[np.intp]:
        """Return how high each part is."""
        return np.asarray(self.bottom - self.top)

    @property
    def width(self) -> NDArray[np.intp]:
        """Return how wide each part is."""
        return np.asarray(self.right - self.left)

    def choose(self, wanted: NDArray[np.bool_]) -> "Parts":
        """Return those that are wanted."""
        return Parts(*(values[wanted] for values in (self.left, self.right, self.top, self.bottom, self.area)))


def find_ink(prepared: Prepared) -> InkMask:
    """Say of each pixel whether it is ink: by its brightness, or by its colour where there is any."""
    plane = prepared[0] if len(prepared) == GREY_PLANES else prepared[1]
    return np.asarray(plane > _INK_LEAST)


def hides_ink(brightness: Prepared, distance: Prepared) -> bool:
    """Whether much of the ink that shows by its colour has the brightness of the ground, or is on its other side."""
    ink = distance[0] > _INK_LEAST
    hidden = ink & (brightness[0] < _GROUND_MOST)
    return int(np.count_nonzero(hidden)) > _HIDDEN_SHARE * int(np.count_nonzero(ink))


def find_parts(ink: InkMask) -> Parts | None:
    """Find the parts, diagonal neighbours being connected; None where there are too many to be letters."""
    steps = np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    if len(rows) > _RUNS_LIMIT:
        return None
    roots = np.array(_connect_runs(rows.tolist(), starts.tolist(), ends.tolist()), dtype=np.intp)
    _, labels = np.unique(roots, return_inverse=True)
    count = int(labels.max(initial=-1)) + 1
    left, top = np.full(count, ink.shape[1]), np.full(count, ink.shape[0])
    right, bottom, area = (np.zeros(count, dtype=np.intp) for _ in range(3))
    np.minimum.at(left, labels, starts)
    np.minimum.at(top, labels, rows)
    np.maximum.at(right, labels, ends)
    np.maximum.at(bottom, labels, rows + 1)
    np.add.at(area, labels, ends - starts)
    return Parts(left, right, top, bottom, area)


def _connect_runs(rows: list[int], starts: list[int], ends: list[int]) -> list[int]:
    """Return for each run of ink in a row the first run of its part; runs come row by row, from the left."""
    parents = list(range(len(rows)))

    def find(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    above = 0
    for run, row in enumerate(rows):
        # Runs of the row above that end before this one begins can touch none that follows either.
        while above < run and (rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] < starts[run])):
            above += 1
        other = above
        while other < run and rows[other] == row - 1 and starts[other] <= ends[run]:
            parents[find(run)] = find(other)
            other += 1
    return [find(run) for run in range(len(rows))]
