"""What was read beside what is true, character by character, with as few differences as can be."""

from collections.abc import Sequence

Pair = tuple[str, str]
"""A true character and what was read in its place; empty where one of them has none."""


def align_texts(truth: str, read: str) -> tuple[Pair, ...]:
    """Align two texts at their Levenshtein distance; of alignments as good, the one with fewest gaps near the end."""
    distances = _fill(truth, read)
    row, column = len(truth), len(read)
    pairs: list[Pair] = []
    while row or column:
        here = distances[row][column]
        if row and column and here == distances[row - 1][column - 1] + (truth[row - 1] != read[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((truth[row], read[column]))
        elif row and here == distances[row - 1][column] + 1:
            row -= 1
            pairs.append((truth[row], ""))
        else:
            column -= 1
            pairs.append(("", read[column]))
    return tuple(reversed(pairs))


def measure_distance(pairs: Sequence[Pair]) -> int:
    """Return how many characters must be changed, added or left out."""
    return sum(true != read for true, read in pairs)


def _fill(truth: str, read: str) -> list[list[int]]:
    """Return the distance between each beginning of `truth` (rows) and each of `read` (columns)."""
    distances = [list(range(len(read) + 1))]
    for row, true_character in enumerate(truth, start=1):
        above, present = distances[-1], [row]
        for column, read_character in enumerate(read, start=1):
            replaced = above[column - 1] + (true_character != read_character)
            present.append(min(replaced, above[column] + 1, present[-1] + 1))
        distances.append(present)
    return distances
