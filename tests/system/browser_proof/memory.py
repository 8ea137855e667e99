"""How much memory a worker takes, by its parts, page after page."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from tests.benchmarks.browser.process_figures import read_memory
from tests.processes import list_descendants, read_command

BYTES_PER_MEBIBYTE = 1_048_576
PARTS = 5
"""A run is looked at in fifths: the first warms up, the second and the last are compared."""


@dataclass(frozen=True, slots=True)
class MemorySample:
    """Proportional memory after so many pages: the worker's Python and its driver, and its browsers."""

    pages: int
    worker_bytes: int
    browser_bytes: int


def take_sample(worker: psutil.Process, pages: int) -> MemorySample:
    """Look at a worker's processes now."""
    own, browsers = [worker], list[psutil.Process]()
    for process in list_descendants(worker.pid):
        (own if "run-driver" in read_command(process) else browsers).append(process)
    return MemorySample(pages, read_memory(own).pss_bytes, read_memory(browsers).pss_bytes)


def compare_parts(samples: Sequence[MemorySample], pages: int) -> dict[str, dict[str, float]]:
    """Return the median MiB of the second and of the last fifth of a run, and the growth between them in percent."""
    second = [one for one in samples if pages <= one.pages * PARTS < 2 * pages]
    last = [one for one in samples if one.pages * PARTS >= (PARTS - 1) * pages]
    return {
        "worker": _compare([one.worker_bytes for one in second], [one.worker_bytes for one in last]),
        "browser": _compare([one.browser_bytes for one in second], [one.browser_bytes for one in last]),
    }


def _compare(before: Sequence[int], after: Sequence[int]) -> dict[str, float]:
    first, then = statistics.median(before), statistics.median(after)
    return {
        "second_part_mebibytes": round(first / BYTES_PER_MEBIBYTE, 1),
        "last_part_mebibytes": round(then / BYTES_PER_MEBIBYTE, 1),
        "growth_percent": round(100 * (then / first - 1), 2),
    }
